"""The fake server, connections to it, and flows that are run by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreAuth, AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.core.http.flow import Reply, Request
from self_hosted.sandbox.atrocore import Atrocore
from tests.conftest import Served
from tests.context import context

DIALECTS = ["2.3", "1.x-2.2", "espo"]


def reply(status: int, body: Any = b"", request: Request | None = None, **headers: str) -> Reply:
    """Return a reply; names of headers have underscores in place of dashes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, content, request or Request("GET", "/api/Product"))


def run_by_hand(flow: Any, *replies: Any) -> tuple[list[Request], Any]:
    """Run a flow with the given replies and errors; return its requests and its result."""
    requests: list[Request] = []
    remaining = iter(replies)
    try:
        step = next(flow)
        while True:
            if not isinstance(step, Request):
                step = flow.send(None)
                continue
            requests.append(step)
            received = next(remaining)
            step = flow.throw(received) if isinstance(received, Exception) else flow.send(received)
    except StopIteration as end:
        assert next(remaining, None) is None, "the flow ended before its last reply"
        return requests, end.value


@pytest.fixture(scope="session")
def _served(serve: Callable[[Atrocore], Served]) -> Served:
    return serve(Atrocore())


@pytest.fixture
def served(_served: Served) -> Iterator[Served]:
    _served.reset()
    AtrocoreAuth.detected_dialects.clear()
    yield _served
    AtrocoreAuth.detected_dialects.clear()


@pytest.fixture
def hook(served: Served, connect) -> AtrocoreHook:
    return AtrocoreHook(connect("atrocore_default", served.connection()))


@pytest.fixture
def hook_as(served: Served, connect) -> Callable[..., AtrocoreHook]:
    """Return a hook with a changed connection: ``hook_as(password="...", extra={...})``."""
    return lambda **changes: AtrocoreHook(connect("atrocore_other", served.connection(**changes)))


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest, served: Served) -> str:
    """Each dialect, set on the fake server."""
    served.seed({"dialect": request.param})
    return str(request.param)


# the sync operator

NO_COUNTS = {"created": 0, "updated": 0, "unchanged": 0, "ambiguous": 0, "failed": 0}


def rows(count, **changes):
    return [
        {"number": f"W-{n}", "name": f"Wheel {n}", "price": n / 2, "status": "draft", **changes} for n in range(count)
    ]


@pytest.fixture
def sync(served, connect):
    connect("atrocore_default", served.connection())

    def run(catalogue, **arguments):
        operator = AtrocoreSyncProductsOperator(task_id="sync", rows=catalogue, **arguments)
        return operator.execute(context(operator))

    return run


def counts(result):
    return {name: result[name] for name in NO_COUNTS if result[name]}


def products(served):
    return {product["number"]: product for product in served.tables()["products"]}


@pytest.fixture
def logged(capsys, caplog):
    """Return a function that returns everything logged so far; versions of Airflow log to different places."""
    caplog.set_level(logging.INFO)
    texts = []

    def text():
        captured = capsys.readouterr()
        texts.append(captured.out + captured.err)
        return "".join(texts) + caplog.text

    return text
