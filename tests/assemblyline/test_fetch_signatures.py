"""AssemblylineFetchSignaturesOperator against the sandbox, in a worker and deferred, and its wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.operators import AssemblylineFetchSignaturesOperator
from self_hosted.core.http.errors import ServerError, WaitTimeoutError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.flows import reply, result_of
from tests.assemblyline.signature_sets import SOURCE
from tests.context import context, executed

UNREACHABLE = {**SOURCE, "name": "broken", "uri": "https://rules.invalid/a.git"}


@pytest.fixture(autouse=True)
def _sources(served, connect):
    sources = [dict(SOURCE), {**SOURCE, "name": "own"}]
    served.seed({"signatures": {"sources": {"YARA": sources}, "fetch_seconds": 0.05}})
    connect("full", served.connection(extra={"api_key": "full:full-secret"}))


def operator(**arguments):
    usual = {"service": "YARA", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}
    return AssemblylineFetchSignaturesOperator(task_id="fetch", assemblyline_conn_id="full", **{**usual, **arguments})


def run(task_context=None, **arguments):
    """Return the result of the operator, in a worker or deferred."""
    return executed(lambda: operator(**arguments), task_context)


@pytest.mark.parametrize("deferrable", [False, True])
def test_all_sources_are_fetched(served, deferrable):
    task_context = context(operator())
    url = f"{served.base_url}/manage/sources"
    fetched = {"community": "Signature(s) Imported.", "own": "Signature(s) Imported."}
    assert run(task_context, deferrable=deferrable) == {"service": "YARA", "sources": fetched, "url": url}
    assert task_context["ti"].xcoms[LINK_KEY] == url


def test_one_source_is_fetched():
    assert list(run(sources="own")["sources"]) == ["own"]
    assert list(run(sources="['own']")["sources"]) == ["own"]


def test_a_source_that_cannot_be_fetched_fails_the_task(served):
    # the updater gave up a minute ago
    served.seed({"signatures": {"sources": {"YARA": [dict(SOURCE), UNREACHABLE]}, "fetch_seconds": -60}})
    with pytest.raises(ServerError, match=r"signatures of YARA .* broken: Could not resolve host: rules.invalid"):
        run()


def test_a_fetch_that_does_not_end_in_time_fails_the_task(served):
    served.seed({"signatures": {"fetch_seconds": 3600}})
    with pytest.raises(WaitTimeoutError, match="fetch of the signatures of YARA"):
        run(wait_timeout=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"service": "Nope"}, "service 'Nope' has no signature source at all"),
        ({"sources": "nosuch"}, "has no signature source nosuch"),
        ({"sources": "None"}, "sources must be the id of a source"),
        ({"service": " "}, "service must be the id of a service"),
    ],
)
def test_unknown_services_and_sources_fail_the_task(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(**arguments)


def observe(status, *names):
    """Return the observation of a fetch of sources that all have one status."""
    sources = [{"name": name, "status": status} for name in ("a", "b")]
    key = waits.build_fetch_key("YARA", names or ("a", "b"))
    return result_of(waits.refresh_fetches([key]), reply({"YARA": {"sources": sources}}))[0][key]


def failed(seconds_ago):
    """Return the status of a source that the updater could not fetch some time ago."""
    ts = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
    return {"state": "ERROR", "message": "no route", "ts": ts}


def test_a_failed_attempt_is_final_when_the_updater_does_not_try_again():
    assert (observe(failed(0)).state, observe(failed(0)).done) == ("a: no route", False)
    assert (observe(failed(90)).state, observe(failed(90)).done) == ("ERROR", True)


@pytest.mark.parametrize(
    ("status", "state", "done"),
    [
        ({"state": "UPDATING", "message": "Queued for update.."}, "a: Queued for update..", False),
        ({"state": "UNKNOWN", "message": ""}, "a: UNKNOWN", False),
        ({"state": "ERROR", "message": "no route"}, "ERROR", True),
        ({"state": "DONE", "message": "Skipped."}, "DONE", True),
    ],
)
def test_a_fetch_ends_with_the_last_attempt_of_the_updater(status, state, done):
    seen = observe(status)
    assert (seen.state, seen.done) == (state, done)


def test_a_removed_source_is_missing():
    assert observe({"state": "DONE"}, "a", "gone").state == "missing"


def test_a_malformed_time_is_an_error():
    with pytest.raises(ServerError, match=r"status.ts should be a timestamp, not 'soon'"):
        observe({"state": "ERROR", "ts": "soon"})
