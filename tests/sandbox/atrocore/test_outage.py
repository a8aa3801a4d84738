"""The responses during an outage: the hook repeats them, or leaves their outcome open; none fails a task for good."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from self_hosted.atrocore.errors import parse_error
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.waits import JOB
from self_hosted.core.http.errors import OutcomeUnknownError, UnavailableError
from self_hosted.core.http.flow import Reply, Request
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from self_hosted.sandbox.atrocore import Atrocore, outage
from tests.conftest import Served

PATHS = ["/openapi.json", "/api/userSession", "/api/v1/App/user", "/api/Product", "/api/upsert", "/api/Job"]
WRITES = "POST|PATCH|DELETE"


@pytest.fixture(scope="module")
def sandbox(serve) -> Served:
    served: Served = serve(Atrocore())
    return served


@pytest.fixture
def hook(sandbox: Served, connect) -> Iterator[AtrocoreHook]:
    sandbox.reset()
    sandbox.seed({"records": {"Brand": [{"id": "acme", "name": "Acme"}]}})
    yield AtrocoreHook(connect("atrocore_outage", sandbox.connection(extra={"dialect": "2.3"})))
    sandbox.reset()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("component", outage.COMPONENTS)
def test_no_response_is_a_permanent_error(component: str, method: str, path: str) -> None:
    status, headers, body = outage.reply(component, method, path)
    lower_case = {name.lower(): value for name, value in headers.items()}
    error = parse_error(Reply(status, lower_case, body, Request(method, path)))
    assert isinstance(error, UnavailableError | OutcomeUnknownError)
    assert error.retryable or isinstance(error, OutcomeUnknownError)


@pytest.mark.parametrize("component", outage.COMPONENTS)
def test_headers_have_no_line_breaks_and_name_the_reason(component: str) -> None:
    status, headers, body = outage.reply(component, "GET", "/api/Product")
    assert not any(character < " " and character != "\t" for value in headers.values() for character in value)
    assert status in {500, 502, 503, 504}
    assert bool(body) == (component != "update")


@pytest.mark.parametrize("component", outage.COMPONENTS)
def test_reads_and_logins_continue_after_an_outage(sandbox: Served, hook: AtrocoreHook, component: str) -> None:
    sandbox.fail("outage", component=component, times=3)
    assert [brand["name"] for brand in hook.list_records("Brand")] == ["Acme"]


@pytest.mark.parametrize("component", outage.COMPONENTS)
def test_an_update_takes_effect_after_an_outage(sandbox: Served, hook: AtrocoreHook, component: str) -> None:
    hook.get_session()
    sandbox.fail("outage", component=component, method=WRITES)
    assert hook.update_record("Brand", "acme", {"name": "New", "_prev": {"name": "Acme"}})
    hook.delete_record("Brand", "acme")
    assert hook.list_records("Brand") == []


@pytest.mark.parametrize("component", ["database shutdown", "php", "php overload"])
def test_a_write_that_was_done_before_the_outage_takes_effect_once(
    sandbox: Served, hook: AtrocoreHook, component: str
) -> None:
    hook.get_session()
    sandbox.fail("outage", component=component, method=WRITES, processed=True)
    assert hook.create_record("Brand", {"id": "new", "name": "New"})["name"] == "New"
    assert sorted(brand["name"] for brand in hook.list_records("Brand")) == ["Acme", "New"]


def test_a_wait_continues_after_an_outage(sandbox: Served, hook: AtrocoreHook) -> None:
    sandbox.seed({"jobs": [{"entity": "Job", "values": {"id": "j"}, "running": 0.2, "message": json.dumps("done")}]})
    for component in outage.COMPONENTS:
        sandbox.fail("outage", component=component)
    assert wait_in_worker(hook, JOB, PendingWait("j", time.time() + 60, 0.05)).state == "Success"
