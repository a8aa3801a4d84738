"""Triggers and their events."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from self_hosted.core import wait as wait_module
from self_hosted.core.errors import Broken, Busy, Final, Forbidden, NotFound, Overdue, ProductError
from self_hosted.core.question import Seen, imported
from self_hosted.core.trigger import WaitTrigger, outcomes_in, seen_in
from tests.core.toy import API_KEY, PASSWORD, Toy, ToyHook
from tests.core.waits import JOB_PATH, SOON, jobs, later


def trigger(key: str = "a", **changes: Any) -> WaitTrigger:
    times = {"since": time.time(), "deadline": later(), "poll_interval": SOON}
    return WaitTrigger(**{"question": JOB_PATH, "conn_id": "toy_default", "keys": [key], **times, **changes})


async def event_of(waiting: WaitTrigger) -> dict[str, Any]:
    events = [event async for event in waiting.run()]
    assert len(events) == 1
    assert isinstance(events[0], TriggerEvent)
    return dict(events[0].payload)


def error_in(event: dict[str, Any], key: str = "a") -> ProductError:
    outcome = outcomes_in(event)[key]
    assert isinstance(outcome, ProductError)
    return outcome


def test_a_trigger_survives_the_metadata_database_and_holds_no_secret(served, connect):
    connect("toy_default", served.connection(extra={"api_key": API_KEY}))
    stored = json.loads(json.dumps(trigger("a", cancel_on_kill=True).serialize()))
    assert not any(secret in json.dumps(stored) for secret in (API_KEY, PASSWORD))
    path, arguments = stored
    restored = imported(path)(**arguments)
    assert restored.serialize() == (path, arguments)


async def test_the_event_tells_what_was_seen(hook: ToyHook, toy: Toy):
    jobs(toy, a=2)
    event = await event_of(trigger())
    seen = {"state": "done", "done": True, "facts": {"id": "a"}, "progress": None}
    assert event == {"outcomes": {"a": {"seen": seen}}, "started": None}
    assert outcomes_in(json.loads(json.dumps(event))) == {"a": Seen("done", done=True, facts={"id": "a"})}


async def test_the_event_of_a_wait_in_vain_tells_what_was_seen_last(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    event = await event_of(trigger(deadline=later(0.2), since=later(-60)))
    with pytest.raises(Overdue, match="in vain for job a, for 0:01:00 hours: its last seen state is 'running'"):
        raise error_in(event)


async def test_the_deadline_is_absolute_so_that_a_restarted_triggerer_does_not_wait_anew(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    _, arguments = trigger(deadline=later(1)).serialize()
    await asyncio.sleep(1)
    began = time.monotonic()
    await event_of(WaitTrigger(**arguments))
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, NotFound), (500, Broken), (503, Busy)])
async def test_the_event_of_an_error_tells_all_of_it(hook: ToyHook, served, monkeypatch, status, kind):
    monkeypatch.setattr(wait_module, "OUTAGE", 0)
    served.fail("status", status=status, path="/jobs", headers={"Retry-After": "7"}, times=9)
    event = json.loads(json.dumps(await event_of(trigger())))
    with pytest.raises(kind, match=rf"GET /jobs: refused without a reason \(HTTP {status}\)") as error:
        raise error_in(event)
    assert (error.value.status, error.value.retry_after) == (status, 7)


async def test_a_bad_connection_is_final(served, connect):
    connect("toy_default", served.connection(login=None))
    with pytest.raises(Final, match="the connection needs an API key"):
        raise error_in(await event_of(trigger()))


async def test_a_bug_is_left_to_the_retries_of_the_task(hook: ToyHook):
    with pytest.raises(ProductError, match="NO_QUESTION") as error:
        raise error_in(await event_of(trigger(question="tests.core.toy.NO_QUESTION")))
    assert type(error.value) is ProductError


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}])
def test_an_event_that_is_missing_or_unknown_is_a_failure(event):
    for read in (seen_in, outcomes_in):
        with pytest.raises(Broken, match="an event that nobody knows"):
            read(event)


async def test_a_person_who_ends_the_task_ends_the_remote_work(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    await trigger(cancel_on_kill=True).on_kill()
    assert toy.jobs["a"]["state"] == "cancelled"


@pytest.mark.parametrize("changes", [{"cancel_on_kill": False}, {"question": "tests.core.toy.STUBBORN"}])
async def test_the_remote_work_goes_on_when_it_shall_or_cannot_be_cancelled(hook: ToyHook, toy: Toy, changes):
    jobs(toy, a=10_000)
    await trigger(**{"cancel_on_kill": True, **changes}).on_kill()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.asked == []


async def test_a_triggerer_that_stops_does_not_end_the_remote_work(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    stopping = trigger(cancel_on_kill=True)
    running = asyncio.ensure_future(event_of(stopping))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await stopping.cleanup()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.times("POST", "/jobs/a/cancel") == 0
