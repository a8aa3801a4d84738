"""What is new, on the stand-in and on a real server, asked as workers and as triggers ask."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core.errors import Invalid
from tests.assemblyline.conftest import upload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SINCE_EVER = "2000-01-01"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def until(what):
    deadline = time.monotonic() + 30
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_a_submission_is_news_from_its_completion_on(hook, ask, unique):
    query = f'metadata.case:"{unique}"'
    hook.submit(upload("RIG-SCORE:400"), {"metadata": {"case": unique}})

    def completed(start=EPOCH, offset=0, verdict=None, min_score=None):
        return ask(hook, api.completed_submissions(start, offset, 10, query, verdict, min_score))

    [item] = until(completed)
    assert item.payload is not None
    assert item.payload["sid"] == item.id
    assert (item.payload["max_score"], item.payload["verdict"]) == (400, "suspicious")
    assert set(item.payload["files"][0]) == {"name", "sha256"}
    assert completed(start=item.time) == [item]
    assert completed(start=item.time + timedelta(seconds=1)) == []
    assert completed(offset=1) == []
    assert completed(verdict="suspicious") == completed(min_score=400) == [item]
    assert completed(verdict="highly_suspicious") == completed(min_score=401) == []
    assert ask(hook, api.newest_submission(query, None, None)) == item.time
    assert ask(hook, api.newest_submission(query, "malicious", None)) is None


def test_submissions_come_in_the_order_of_their_completion(hook, ask, unique):
    query = f'metadata.case:"{unique}"'
    for words in ("a", "b", "c"):
        hook.submit(upload(f"{words} {unique}"), {"metadata": {"case": unique}})
    items = until(
        lambda: len(found := ask(hook, api.completed_submissions(EPOCH, 0, 9, query, None, None))) == 3 and found
    )
    assert [one.time for one in items] == sorted(one.time for one in items)
    assert ask(hook, api.completed_submissions(EPOCH, 1, 1, query, None, None)) == items[1:2]


def test_an_alert_is_news_while_it_is_young(hook, ask, unique):
    ingest_id = hook.ingest(upload(f"RIG-SCORE:600 {unique}"), {"params": {"generate_alert": True}})
    query = f'alert_id:"{ingest_id}"'
    [item] = until(lambda: ask(hook, api.raised_alerts(EPOCH, 0, 10, query)))
    assert item.payload is not None
    assert (item.id, item.payload["score"], item.payload["name"]) == (ingest_id, 600, "a.txt")
    assert datetime.now(UTC) - item.time < timedelta(minutes=1)
    assert ask(hook, api.raised_alerts(item.time + timedelta(seconds=1), 0, 10, query)) == []
    assert ask(hook, api.newest_alert(query)) == item.time
    assert ask(hook, api.newest_alert(f'alert_id:"{unique}"')) is None


def test_a_query_that_nobody_can_read_is_refused(hook, ask):
    with pytest.raises(Invalid):
        ask(hook, api.raised_alerts(EPOCH, 0, 10, "priority:(HIGH"))


def test_a_trigger_tells_of_each_thing_once(hook, unique):
    hook.submit(upload("RIG-SCORE:600"), {"metadata": {"case": unique}, "params": {"generate_alert": True}})
    case: dict[str, Any] = {"query": f'metadata.case:"{unique}"', "since": SINCE_EVER, "poll_interval": 0.2}
    alerts, submissions = AssemblylineAlertTrigger(**case), AssemblylineSubmissionTrigger(**case)

    async def news(trigger):
        told = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(7), contextlib.aclosing(trigger.run()) as events:
                async for event in events:
                    told.extend(event.payload["news"])
        return told

    async def both():
        return await asyncio.gather(news(alerts), news(submissions))

    [[alert], [submission]] = asyncio.run(both())
    assert alert["sid"] == submission["sid"]
    assert (alert["again"], submission["again"]) == (False, False)
