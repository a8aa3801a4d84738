"""The fake server, connections to it, and flows that are run by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreAuth, AtrocoreHook
from self_hosted.atrocore.operators import (
    AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator,
)
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.sync.results import ApplyCounts
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


def delete_what_is_read(flow: Flow[Any], per_page: int, deleted: list[str]) -> Flow[Any]:
    """Run the flow of a list, and delete the first records of each page as soon as it was read.

    :param flow: such as ``records.list_all("Product")``
    :param per_page: how many records of each page to delete
    :param deleted: takes in their ids
    """
    step = next(flow)
    while True:
        assert isinstance(step, Request)
        page = yield step
        for record in page.json()["list"][:per_page]:
            yield Request("DELETE", f"{step.path}/{record['id']}")
            deleted.append(record["id"])
        try:
            step = flow.send(page)
        except StopIteration as end:
            return end.value


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

NO_COUNTS = dict.fromkeys(ApplyCounts.__annotations__, 0)
PLAN_COUNTS = ("create", "update", "restore", "deactivate", "delete", "unchanged", "ambiguous", "failed", "skipped")


def rows(count, **changes):
    return [
        {"number": f"W-{n}", "name": f"Wheel {n}", "price": n / 2, "status": "draft", **changes} for n in range(count)
    ]


@pytest.fixture
def sync(served, connect):
    connect("atrocore_default", served.connection())

    def run(source, *, try_number=1, **arguments):
        operator = AtrocoreSyncProductsOperator(task_id="sync", source=source, **arguments)
        return operator.execute(context(operator, try_number=try_number))

    return run


@pytest.fixture
def plan(served, connect, tmp_path):
    connect("atrocore_default", served.connection())

    def run(source, **arguments):
        given = {"plan_uri": tmp_path / "plan.jsonl", **arguments}
        operator = AtrocoreSyncProductsPlanOperator(task_id="plan", source=source, **given)
        return operator.execute(context(operator))

    return run


@pytest.fixture
def apply(served, connect):
    connect("atrocore_default", served.connection())

    def run(planned, *, try_number=1, **arguments):
        given = {"plan_uri": planned["plan_uri"], "sha256": planned["sha256"], **arguments}
        operator = AtrocoreSyncProductsApplyOperator(task_id="apply", **given)
        return operator.execute(context(operator, try_number=try_number))

    return run


def counts(result):
    """Return what became of the rows, or would become of them, without zeros."""
    return {name: result[name] for name in (*NO_COUNTS, *PLAN_COUNTS) if result.get(name)}


def products(served):
    """Return the stored products by their key."""
    return {product.get("number", product.get("sku")): product for product in served.tables()["products"]}


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
