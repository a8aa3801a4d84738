"""What is new in Assemblyline: what is asked, and what the event triggers tell of it, against the stand-in."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core import follower
from tests.assemblyline.flows import CONFIGURATION, reply

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE_EVER = "2000-01-01"
FOUND = {"sid": "a", "state": "completed", "max_score": 700, "file_count": 2, "error_count": 1}
FILES = [{"name": "a.txt", "sha256": "5" * 64}]
COMPLETED = {**FOUND, "files": FILES, "times": {"completed": "2026-11-24T12:00:00.250000Z"}}
RAISED = {"alert_id": "a", "reporting_ts": "2026-11-24T12:00:00.000000Z"}
SOON = 0.05


def asked(flow, *answers):
    """The last request of a flow, after these answers, and its result for an answer without items."""
    request = next(flow)
    for answer in answers:
        request = flow.send(reply(answer))
    return request


def result(flow, answer):
    with pytest.raises(StopIteration) as end:
        flow.send(reply(answer))
    return end.value.value


def test_alerts_are_asked_for_by_the_time_of_their_raising():
    flow = api.raised_alerts(NOON, 20, 10, "priority:HIGH")
    request = asked(flow)
    assert (request.method, request.path, request.may_be_repeated) == ("POST", "/api/v4/search/alert/", True)
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
def test_only_completed_submissions_that_are_bad_enough_are_asked_for(verdict, min_score, filters):
    request = asked(api.completed_submissions(NOON, 0, 10, "*", verdict, min_score), CONFIGURATION)
    assert request.path == "/api/v4/search/submission/"
    assert request.json["filters"] == [
        "state:completed",
        *filters,
        "times.completed:[2026-11-24T12:00:00.000000Z TO *]",
    ]
    assert request.json["sort"] == "times.completed asc"
    newest = asked(api.newest_submission("*", verdict, min_score), CONFIGURATION)
    assert newest.json["filters"] == ["state:completed", *filters]
    assert (newest.json["rows"], newest.json["sort"]) == (1, "times.completed desc")


def test_a_submission_is_told_as_the_operators_tell_it():
    flow = api.completed_submissions(NOON, 0, 10, "*", None, None)
    asked(flow, CONFIGURATION)
    [item] = result(flow, {"items": [COMPLETED]})
    assert (item.id, item.time.microsecond) == ("a", 250_000)
    assert AssemblylineSubmissionTrigger().event(item, "https://al.example.com") == {
        **FOUND,
        "verdict": "highly_suspicious",
        "url": "https://al.example.com/submission/detail/a",
        "files": FILES,
    }


def test_one_that_was_cancelled_and_came_back_is_nobodys_business():
    flow = api.completed_submissions(NOON, 0, 10, "*", None, None)
    asked(flow, CONFIGURATION)
    [item] = result(flow, {"items": [{**COMPLETED, "to_be_deleted": True}]})
    assert item.payload is None


def test_the_newest_is_the_first_of_the_newest_and_nothing_where_there_is_none():
    for items, newest in (([RAISED], NOON), ([], None)):
        flow = api.newest_alert("*")
        asked(flow)
        assert result(flow, {"items": items}) == newest


@pytest.mark.parametrize("query", ["", " ", None, 5])
@pytest.mark.parametrize("kind", [AssemblylineAlertTrigger, AssemblylineSubmissionTrigger])
def test_a_query_is_a_text(kind, query):
    with pytest.raises(ValueError, match=r"query must be a Lucene query, '\*' for all, not"):
        kind(query=query).serialize()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"verdict": "safe"}, "verdict must be one of info, suspicious, highly_suspicious, malicious, or None, not"),
        ({"verdict": ["malicious"]}, r"or None, not \['malicious'\]"),
        ({"min_score": "500"}, "min_score must be a whole number, such as 500, or None, not '500'"),
        ({"min_score": True}, "min_score must be a whole number, such as 500, or None, not True"),
        ({"poll_interval": -1}, "poll_interval must be a number of seconds"),
    ],
)
def test_arguments_are_checked_when_the_dag_is_read(arguments, words):
    with pytest.raises(ValueError, match=words):
        AssemblylineSubmissionTrigger(**arguments).serialize()


# In a triggerer, against the stand-in


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Without a scheduler nobody needs the time that it takes to make a run."""
    monkeypatch.setattr(follower, "SPACING", 0.0)


@contextlib.asynccontextmanager
async def running(trigger):
    """The payloads of what a trigger tells, while it runs."""
    told: list[dict[str, Any]] = []

    async def run():
        async for event in trigger.run():
            told.extend(event.payload["news"])

    task = asyncio.ensure_future(run())
    try:
        yield told
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(what):
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.02)


async def submit(submitted, *files, **options):
    """Submit while a trigger runs in this event loop; the submissions' ids."""
    return [await asyncio.to_thread(submitted, words, **options) for words in files]


async def test_each_submission_is_told_once_it_is_completed_and_once_only(served, submitted, conn_id):
    served.seed({"delay": 0.2, "quotas": {"concurrent_submissions": 0}})
    async with running(AssemblylineSubmissionTrigger(since=SINCE_EVER, poll_interval=SOON)) as told:
        sids = await submit(submitted, *(f"file {number}" for number in range(10)))
        await until(lambda: len(told) >= 10)
        await asyncio.sleep(0.3)
    assert sorted(one["sid"] for one in told) == sorted(sids)
    assert {one["state"] for one in told} == {"completed"}


async def test_what_was_there_before_the_first_look_is_passed_over(served, submitted, conn_id):
    served.seed({"delay": 0})
    await submit(submitted, "before")
    async with running(AssemblylineSubmissionTrigger(poll_interval=SOON)) as told:
        before = served.product.access.api_calls
        await until(lambda: served.product.access.api_calls > before + 3)
        sids = await submit(submitted, "after")
        await until(lambda: told)
    assert [one["sid"] for one in told] == sids


async def test_what_the_index_shows_late_is_told(served, submitted, conn_id):
    served.seed({"delay": 0, "index_lag": 1.5})
    async with running(AssemblylineSubmissionTrigger(since=SINCE_EVER, poll_interval=SOON)) as told:
        [late] = await submit(submitted, "late")
        served.seed({"index_lag": 0})
        [soon] = await submit(submitted, "soon")
        await until(lambda: len(told) == 2)
    assert [one["sid"] for one in told] == [soon, late]


async def test_only_what_matches_and_is_bad_enough_is_told(served, submitted, conn_id):
    served.seed({"delay": 0})
    wanted = AssemblylineSubmissionTrigger(
        query='metadata.case:"7"', verdict="suspicious", since=SINCE_EVER, poll_interval=SOON
    )
    await submit(submitted, "RIG-SCORE:400 other")
    await submit(submitted, "harmless", metadata={"case": 7})
    [sid] = await submit(submitted, "RIG-SCORE:400 this", metadata={"case": 7})
    async with running(wanted) as told:
        await until(lambda: told)
        await asyncio.sleep(0.2)
    assert [(one["sid"], one["verdict"], one["files"][0]["name"]) for one in told] == [(sid, "suspicious", "a.txt")]


async def test_a_cancelled_submission_that_comes_back_is_not_told(served, hook, submitted, conn_id):
    served.seed({"delay": 60})
    [sid] = await submit(submitted, "cancelled")
    await asyncio.to_thread(hook.cancel_submission, sid)
    served.product.submissions[sid].completed_at = 0
    served.seed({"delay": 0})
    [other] = await submit(submitted, "other")
    async with running(AssemblylineSubmissionTrigger(since=SINCE_EVER, poll_interval=SOON)) as told:
        await until(lambda: told)
        await asyncio.sleep(0.2)
    assert [one["sid"] for one in told] == [other]


async def test_an_alert_is_told_at_once_though_lists_hide_the_young_ones(served, hook, submitted, conn_id):
    served.seed({"delay": 0})
    async with running(
        AssemblylineAlertTrigger(query="al.score:[500 TO *]", since=SINCE_EVER, poll_interval=SOON)
    ) as told:
        [sid] = await submit(submitted, "RIG-SCORE:600", params={"generate_alert": True})
        await until(lambda: told)
    [alert] = told
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
        "again": False,
    }


async def test_an_alert_that_is_updated_is_not_told_again(served, conn_id):
    async with running(AssemblylineAlertTrigger(since=SINCE_EVER, poll_interval=SOON)) as told:
        served.seed({"alerts": {"alerts": [{"alert_id": "a"}]}})
        await until(lambda: told)
        served.seed({"alerts": {"alerts": [{"alert_id": "a", "reporting_ts": "2099-01-01T00:00:00.000000Z"}]}})
        served.seed({"alerts": {"alerts": [{"alert_id": "b", "reporting_ts": "2099-01-01T00:00:00.000000Z"}]}})
        await until(lambda: len(told) > 1)
    assert [one["alert_id"] for one in told] == ["a", "b"]


def test_a_quiet_watch_costs_one_counted_request_a_look(served, hook):
    before = served.product.access.api_calls
    hook.run(api.completed_submissions(NOON, 0, 10, "*", "malicious", None))
    hook.run(api.raised_alerts(NOON, 0, 10, "*"))
    assert served.product.access.api_calls - before == 2
