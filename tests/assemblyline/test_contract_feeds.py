"""Contract of the feeds, on the fake server and on live ones."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.assemblyline.api.alerts import feed as alert_feed
from self_hosted.assemblyline.api.submissions import feed as submission_feed
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core.http.errors import InvalidRequestError
from tests.assemblyline.conftest import MAX_WAIT_SECONDS, upload, wait_until

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = "2000-01-01"
SECONDS_WITHOUT_ITEMS = 2  # several polls


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


def test_the_feed_contains_a_completed_submission(hook, run_flow, unique):
    query = f'metadata.case:"{unique}"'
    hook.submit(upload("RIG-SCORE:400"), {"metadata": {"case": unique}})

    def completed(start=EPOCH, offset=0, verdict=None, min_score=None):
        return run_flow(hook, submission_feed.read_page(start, offset, 10, query, verdict, min_score))

    [item] = wait_until(completed)
    assert item.payload is not None
    assert item.payload["sid"] == item.id
    assert (item.payload["max_score"], item.payload["verdict"]) == (400, "suspicious")
    assert set(item.payload["files"][0]) == {"name", "sha256"}
    assert completed(start=item.time) == [item]
    assert completed(start=item.time + timedelta(seconds=1)) == []
    assert completed(offset=1) == []
    assert completed(verdict="suspicious") == completed(min_score=400) == [item]
    assert completed(verdict="highly_suspicious") == completed(min_score=401) == []
    assert run_flow(hook, submission_feed.get_newest_time(query, None, None)) == item.time
    assert run_flow(hook, submission_feed.get_newest_time(query, "malicious", None)) is None


def test_submissions_come_in_the_order_of_their_completion(hook, run_flow, unique):
    query = f'metadata.case:"{unique}"'
    for text in ("a", "b", "c"):
        hook.submit(upload(f"{text} {unique}"), {"metadata": {"case": unique}})
    read = submission_feed.read_page
    wait_until(lambda: len(run_flow(hook, read(EPOCH, 0, 9, query, None, None))) == 3)
    items = run_flow(hook, read(EPOCH, 0, 9, query, None, None))
    assert [item.time for item in items] == sorted(item.time for item in items)
    assert run_flow(hook, submission_feed.read_page(EPOCH, 1, 1, query, None, None)) == items[1:2]


def test_the_feed_contains_young_alerts(hook, run_flow, unique):
    ingest_id = hook.ingest(upload(f"RIG-SCORE:600 {unique}"), {"params": {"generate_alert": True}})
    query = f'alert_id:"{ingest_id}"'
    [item] = wait_until(lambda: run_flow(hook, alert_feed.read_page(EPOCH, 0, 10, query)))
    assert item.payload is not None
    assert (item.id, item.payload["score"], item.payload["name"]) == (ingest_id, 600, "a.txt")
    assert datetime.now(UTC) - item.time < timedelta(minutes=1)
    assert run_flow(hook, alert_feed.read_page(item.time + timedelta(seconds=1), 0, 10, query)) == []
    assert run_flow(hook, alert_feed.get_newest_time(query)) == item.time
    assert run_flow(hook, alert_feed.get_newest_time(f'alert_id:"{unique}"')) is None


def test_a_malformed_query_is_rejected(hook, run_flow):
    with pytest.raises(InvalidRequestError):
        run_flow(hook, alert_feed.read_page(EPOCH, 0, 10, "priority:(HIGH"))


def test_a_trigger_delivers_each_item_once(hook, unique):
    hook.submit(upload("RIG-SCORE:600"), {"metadata": {"case": unique}, "params": {"generate_alert": True}})
    case: dict[str, Any] = {"query": f'metadata.case:"{unique}"', "since": LONG_AGO, "poll_interval": 0.2}
    alerts, submissions = AssemblylineAlertTrigger(**case), AssemblylineSubmissionTrigger(**case)

    async def run(trigger):
        async with contextlib.aclosing(trigger.run()) as events:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                delivered = [*(await anext(events)).payload["items"]]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_WITHOUT_ITEMS):
                    async for event in events:
                        delivered.extend(event.payload["items"])
        return delivered

    async def both():
        return await asyncio.gather(run(alerts), run(submissions))

    [[alert], [submission]] = asyncio.run(both())
    assert alert["sid"] == submission["sid"]
    assert (alert["redelivered"], submission["redelivered"]) == (False, False)
