"""The stand-in of AYON, served once for all tests of this folder, and what an operator needs instead of Airflow."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, cast

import pytest

from self_hosted.ayon.hook import AyonHook
from self_hosted.core.errors import ProductError
from self_hosted.core.flow import Flow, Pause, Reply, Request
from self_hosted.sandbox.ayon import Ayon
from tests.conftest import Served


@pytest.fixture(scope="session")
def _served(serve) -> Served:
    return cast("Served", serve(Ayon()))


@pytest.fixture
def served(_served) -> Served:
    _served.reset()
    return cast("Served", _served)


@pytest.fixture
def hook(served, connect) -> AyonHook:
    """A hook on the stand-in, as its service user."""
    return AyonHook(connect("ayon_default", served.connection()))


@pytest.fixture
def unique() -> str:
    """A project name that no server has yet."""
    return f"airflow_test_{uuid.uuid4().hex[:10]}"


class TaskInstance:
    """As much of one as operators look at."""

    def __init__(self, task_id: str, max_tries: int, run_id: str, try_number: int, map_index: int) -> None:
        self.dag_id, self.run_id, self.task_id, self.map_index = "studio", run_id, task_id, map_index
        self.try_number, self.max_tries = try_number, max_tries
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def context_of(
    operator: Any, *, run_id: str = "run1", try_number: int = 1, map_index: int = -1, cleared_after: int = 0
) -> Any:
    """The context of one try of one task, which somebody may have cleared after some tries."""
    ti = TaskInstance(operator.task_id, operator.retries + cleared_after, run_id, try_number, map_index)
    return {"ti": ti, "task": operator}


def reply(
    status: int, body: Any = None, *, path: str = "/api/projects", headers: dict[str, str] | None = None
) -> Reply:
    """A JSON reply, or a plain-text one when the body is text."""
    text = isinstance(body, str)
    kind = "text/plain" if text else "application/json"
    content = body if text else json.dumps(body)
    return Reply(status, {"content-type": kind}, content.encode(), Request("POST", path, headers=headers or {}))


def answered(flow: Flow[Any], answer: Callable[[Request], Any]) -> tuple[Any, list[Request | Pause]]:
    """Run a flow with a server that is a function: from requests to bodies, or to errors, which are thrown."""
    steps: list[Any] = []
    step = next(flow)
    try:
        while True:
            steps.append(step)
            given = answer(step) if isinstance(step, Request) else None
            step = flow.throw(given) if isinstance(given, ProductError) else flow.send(reply(200, given))
    except StopIteration as end:
        return end.value, steps
