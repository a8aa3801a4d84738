"""The stand-in, connections to it, and the little that an operator needs of Airflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreAuth, AtrocoreHook
from self_hosted.core.flow import Reply, Request
from self_hosted.sandbox.atrocore import Atrocore
from tests.conftest import Served

DIALECTS = ["2.3", "1.x-2.2", "espo"]


def reply(status: int, body: Any = b"", request: Request | None = None, **headers: str) -> Reply:
    """A reply; headers with underscores in place of dashes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, content, request or Request("GET", "/api/Product"))


def run_by_hand(flow: Any, *answers: Any) -> tuple[list[Request], Any]:
    """Answer a flow's requests in turn, by replies or errors, and return its requests and its result."""
    asked: list[Request] = []
    waiting = iter(answers)
    try:
        step = next(flow)
        while True:
            if not isinstance(step, Request):
                step = flow.send(None)
                continue
            asked.append(step)
            answer = next(waiting)
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
    except StopIteration as end:
        assert next(waiting, None) is None, "the flow ended before its last answer"
        return asked, end.value


@pytest.fixture(scope="session")
def _served(serve: Callable[[Atrocore], Served]) -> Served:
    return serve(Atrocore())


@pytest.fixture
def served(_served: Served) -> Iterator[Served]:
    _served.reset()
    AtrocoreAuth.detected.clear()
    yield _served
    AtrocoreAuth.detected.clear()


@pytest.fixture
def hook(served: Served, connect) -> AtrocoreHook:
    return AtrocoreHook(connect("atrocore_default", served.connection()))


@pytest.fixture
def hook_as(served: Served, connect) -> Callable[..., AtrocoreHook]:
    """A hook on a connection with changes: ``hook_as(password="...", extra={...})``."""
    return lambda **changes: AtrocoreHook(connect("atrocore_other", served.connection(**changes)))


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest, served: Served) -> str:
    """Every dialect in turn; the sandbox speaks it."""
    served.seed({"dialect": request.param})
    return str(request.param)
