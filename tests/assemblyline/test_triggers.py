"""Feeds, and the event triggers that deliver them."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest

from self_hosted.assemblyline.api.alerts import feed as alert_feed
from self_hosted.assemblyline.api.submissions import feed as submission_feed
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core.events import producer
from tests.assemblyline.flows import CONFIGURATION, reply

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AGO = "2000-01-01"
OUTCOME = {"sid": "a", "state": "completed", "max_score": 700, "file_count": 2, "error_count": 1}
FILES = [{"name": "a.txt", "sha256": "5" * 64}]
COMPLETED = {**OUTCOME, "files": FILES, "times": {"completed": "2026-11-24T12:00:00.250000Z"}}
RAISED = {"alert_id": "a", "reporting_ts": "2026-11-24T12:00:00.000000Z"}
POLL_INTERVAL = 0.05


def last_request(flow, *responses):
    """Return the last request of a flow after these responses."""
    request = next(flow)
    for response in responses:
        request = flow.send(reply(response))
    return request


def result(flow, response):
    with pytest.raises(StopIteration) as end:
        flow.send(reply(response))
    return end.value.value


def test_alerts_are_searched_by_the_time_when_they_were_raised():
    flow = alert_feed.read_page(NOON, 20, 10, "priority:HIGH")
    request = last_request(flow)
    assert (request.method, request.path, request.is_idempotent) == ("POST", "/api/v4/search/alert/", True)
    assert request.json == {
        "query": "priority:HIGH",
        "filters": ["reporting_ts:[2026-11-24T12:00:00.000000Z TO *]"],
        "offset": 20,
        "rows": 10,
        "fl": "alert_id,sid,type,priority,status,label,extended_scan,al.score,file.name,file.sha256,reporting_ts",
        "sort": "reporting_ts asc",
    }
    [item] = result(flow, {"items": [RAISED]})
    assert (item.id, item.time) == ("a", NOON)
    assert item.payload is not None
    assert (item.payload["name"], item.payload["score"], item.payload["labels"]) == (None, None, [])


@pytest.mark.parametrize(
    ("verdict", "min_score", "filters"),
    [
        (None, None, []),
        ("suspicious", None, ["max_score:[300 TO *]"]),
        (None, 0, ["max_score:[0 TO *]"]),
        ("suspicious", 500, ["max_score:[500 TO *]"]),
        ("malicious", 500, ["max_score:[1000 TO *]"]),
    ],
)
def test_only_completed_submissions_above_the_limits_are_searched(verdict, min_score, filters):
    request = last_request(submission_feed.read_page(NOON, 0, 10, "*", verdict, min_score), CONFIGURATION)
    assert request.path == "/api/v4/search/submission/"
    assert request.json["filters"] == [
        "state:completed",
        *filters,
        "times.completed:[2026-11-24T12:00:00.000000Z TO *]",
    ]
    assert request.json["sort"] == "times.completed asc"
    newest = last_request(submission_feed.get_newest_time("*", verdict, min_score), CONFIGURATION)
    assert newest.json["filters"] == ["state:completed", *filters]
    assert (newest.json["rows"], newest.json["sort"]) == (1, "times.completed desc")


def test_the_payload_of_a_submission_equals_the_result_of_operators_with_files():
    flow = submission_feed.read_page(NOON, 0, 10, "*", None, None)
    last_request(flow, CONFIGURATION)
    [item] = result(flow, {"items": [COMPLETED]})
    assert (item.id, item.time.microsecond) == ("a", 250_000)
    assert AssemblylineSubmissionTrigger().build_payload(item, "https://al.example.com") == {
        **OUTCOME,
        "verdict": "highly_suspicious",
        "url": "https://al.example.com/submission/detail/a",
        "files": FILES,
    }


def test_a_cancelled_submission_that_is_stored_again_has_no_payload():
    flow = submission_feed.read_page(NOON, 0, 10, "*", None, None)
    last_request(flow, CONFIGURATION)
    [item] = result(flow, {"items": [{**COMPLETED, "to_be_deleted": True}]})
    assert item.payload is None


def test_the_newest_time_is_that_of_the_newest_alert_or_none():
    for items, newest in (([RAISED], NOON), ([], None)):
        flow = alert_feed.get_newest_time("*")
        last_request(flow)
        assert result(flow, {"items": items}) == newest


@pytest.mark.parametrize("query", ["", " ", None, 5])
@pytest.mark.parametrize("trigger_class", [AssemblylineAlertTrigger, AssemblylineSubmissionTrigger])
def test_a_query_must_be_a_text(trigger_class, query):
    with pytest.raises(ValueError, match=r"query must be a Lucene query, '\*' for everything, not"):
        trigger_class(query=query).serialize()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"verdict": "safe"}, "verdict must be one of info, suspicious, highly_suspicious, malicious, not 'safe'"),
        ({"verdict": ["malicious"]}, r"not \['malicious'\]"),
        ({"min_score": "many"}, "min_score must be a whole number, .* not 'many'"),
        ({"min_score": True}, "min_score must be a whole number, .* not True"),
        ({"poll_interval": -1}, "poll_interval must be a number above 0"),
    ],
)
def test_arguments_are_checked_when_the_dag_is_parsed(arguments, message):
    with pytest.raises(ValueError, match=message):
        AssemblylineSubmissionTrigger(**arguments).serialize()


# In a triggerer


@pytest.fixture(autouse=True)
def _no_event_spacing(monkeypatch):
    """Remove the spacing of events: without a scheduler no run has to start between them."""
    monkeypatch.setattr(producer, "MIN_EVENT_SPACING_SECONDS", 0.0)


@contextlib.asynccontextmanager
async def running(trigger):
    """Run a trigger; yield the list to which it delivers items."""
    delivered: list[dict[str, Any]] = []

    async def run():
        async for event in trigger.run():
            delivered.extend(event.payload["items"])

    task = asyncio.ensure_future(run())
    try:
        yield delivered
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def poll_again(served):
    """Wait for two further polls, which would deliver an item twice."""
    before = served.product.quotas.api_calls
    await until(lambda: served.product.quotas.api_calls >= before + 2)


async def submit(submitted, *texts, **options):
    """Submit files while a trigger runs in this event loop; return the submissions' ids."""
    return [await asyncio.to_thread(submitted, text, **options) for text in texts]


async def test_each_completed_submission_is_delivered_once(served, submitted, conn_id):
    served.seed({"delay": 0.2, "quotas": {"concurrent_submissions": 0}})
    async with running(AssemblylineSubmissionTrigger(since=LONG_AGO, poll_interval=POLL_INTERVAL)) as delivered:
        sids = await submit(submitted, *(f"file {number}" for number in range(10)))
        await until(lambda: len(delivered) >= 10)
        await poll_again(served)
    assert sorted(item["sid"] for item in delivered) == sorted(sids)
    assert {item["state"] for item in delivered} == {"completed"}


async def test_submissions_before_the_first_poll_are_skipped(served, submitted, conn_id):
    served.seed({"delay": 0})
    await submit(submitted, "before")
    async with running(AssemblylineSubmissionTrigger(poll_interval=POLL_INTERVAL)) as delivered:
        before = served.product.quotas.api_calls
        await until(lambda: served.product.quotas.api_calls > before + 3)
        sids = await submit(submitted, "after")
        await until(lambda: delivered)
    assert [item["sid"] for item in delivered] == sids


async def test_submissions_that_the_index_shows_late_are_delivered(served, submitted, conn_id):
    served.seed({"delay": 0, "index_lag": 1.5})
    async with running(AssemblylineSubmissionTrigger(since=LONG_AGO, poll_interval=POLL_INTERVAL)) as delivered:
        [late] = await submit(submitted, "late")
        served.seed({"index_lag": 0})
        [soon] = await submit(submitted, "soon")
        await until(lambda: len(delivered) == 2)
    assert [item["sid"] for item in delivered] == [soon, late]


async def test_only_matching_submissions_above_the_limits_are_delivered(served, submitted, conn_id):
    served.seed({"delay": 0})
    trigger = AssemblylineSubmissionTrigger(
        query='metadata.case:"7"', verdict="suspicious", since=LONG_AGO, poll_interval=POLL_INTERVAL
    )
    await submit(submitted, "RIG-SCORE:400 other")
    await submit(submitted, "harmless", metadata={"case": 7})
    [sid] = await submit(submitted, "RIG-SCORE:400 this", metadata={"case": 7})
    async with running(trigger) as delivered:
        await until(lambda: delivered)
        await poll_again(served)
    assert [(item["sid"], item["verdict"], item["files"][0]["name"]) for item in delivered] == [
        (sid, "suspicious", "a.txt")
    ]


async def test_a_cancelled_submission_that_is_stored_again_is_not_delivered(served, hook, submitted, conn_id):
    served.seed({"delay": 60})
    [sid] = await submit(submitted, "cancelled")
    await asyncio.to_thread(hook.cancel_submission, sid)
    served.product.store.submissions[sid].completed_at = 0
    served.seed({"delay": 0})
    [other] = await submit(submitted, "other")
    async with running(AssemblylineSubmissionTrigger(since=LONG_AGO, poll_interval=POLL_INTERVAL)) as delivered:
        await until(lambda: delivered)
        await poll_again(served)
    assert [item["sid"] for item in delivered] == [other]


async def test_an_alert_is_delivered_without_the_delay_of_lists(served, hook, submitted, conn_id):
    served.seed({"delay": 0})
    async with running(
        AssemblylineAlertTrigger(query="al.score:[500 TO *]", since=LONG_AGO, poll_interval=POLL_INTERVAL)
    ) as delivered:
        [sid] = await submit(submitted, "RIG-SCORE:600", params={"generate_alert": True})
        await until(lambda: delivered)
    [alert] = delivered
    assert alert == {
        "alert_id": sid,
        "sid": sid,
        "type": "USER",
        "priority": None,
        "status": None,
        "extended_scan": "skipped",
        "reporting_ts": alert["reporting_ts"],
        "name": "a.txt",
        "sha256": alert["sha256"],
        "score": 600,
        "labels": [],
        "url": f"{served.base_url}/alerts/{sid}",
        "id": sid,
        "redelivered": False,
    }


async def test_an_updated_alert_is_not_delivered_again(served, conn_id):
    async with running(AssemblylineAlertTrigger(since=LONG_AGO, poll_interval=POLL_INTERVAL)) as delivered:
        served.seed({"alerts": {"alerts": [{"alert_id": "a"}]}})
        await until(lambda: delivered)
        served.seed({"alerts": {"alerts": [{"alert_id": "a", "reporting_ts": "2099-01-01T00:00:00.000000Z"}]}})
        served.seed({"alerts": {"alerts": [{"alert_id": "b", "reporting_ts": "2099-01-01T00:00:00.000000Z"}]}})
        await until(lambda: len(delivered) > 1)
    assert [item["alert_id"] for item in delivered] == ["a", "b"]


def test_a_poll_costs_one_counted_request(served, hook):
    before = served.product.quotas.api_calls
    hook.run(submission_feed.read_page(NOON, 0, 10, "*", "malicious", None))
    hook.run(alert_feed.read_page(NOON, 0, 10, "*"))
    assert served.product.quotas.api_calls - before == 2
