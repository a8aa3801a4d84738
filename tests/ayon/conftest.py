"""The fake AYON server, and replies for flows that run without a server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from self_hosted.ayon.api.projects import creation
from self_hosted.ayon.hook import AyonHook
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Pause, Reply, Request
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
    """A hook on the fake server, as its service user."""
    return AyonHook(connect("ayon_default", served.connection()))


@pytest.fixture
def unique() -> str:
    """A project name that no server has yet."""
    return f"airflow_test_{uuid.uuid4().hex[:10]}"


@pytest.fixture
def _short_recheck_delays(monkeypatch) -> None:
    """Checks for a project whose creation may be in progress follow each other at once."""
    monkeypatch.setattr(creation, "RECHECK_DELAYS_SECONDS", (0.01, 0.01))


def reply(
    status: int, body: Any = None, *, path: str = "/api/projects", headers: dict[str, str] | None = None
) -> Reply:
    """Return a JSON reply, or a plain-text one if the body is a text."""
    is_text = isinstance(body, str)
    content_type = "text/plain" if is_text else "application/json"
    content = body if is_text else json.dumps(body)
    request = Request("POST", path, headers=headers or {}, idempotent=path == "/graphql")
    return Reply(status, {"content-type": content_type}, content.encode(), request)


def simulate_flow(flow: Flow[Any], respond: Callable[[Request], Any]) -> tuple[Any, list[Request | Pause]]:
    """Return a flow's result and its steps.

    :param respond: the server: returns the body of the response to a request, or an error to throw
    """
    steps: list[Any] = []
    step = next(flow)
    try:
        while True:
            steps.append(step)
            response = respond(step) if isinstance(step, Request) else None
            if isinstance(response, SelfHostedError):
                step = flow.throw(response)
            else:
                is_creation = isinstance(step, Request) and (step.method, step.path) == ("POST", "/api/projects")
                given = reply(201 if is_creation else 200, response)
                step = flow.send(replace(given, request=step) if isinstance(step, Request) else given)
    except StopIteration as end:
        return end.value, steps
