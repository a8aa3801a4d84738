"""The wait trigger and its events."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from self_hosted.core.http.errors import (
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
    WaitTimeoutError,
)
from self_hosted.core.http.redact import MAX_TEXT_CHARACTERS
from self_hosted.core.imports import import_string
from self_hosted.core.wait import pending
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.trigger import WaitTrigger, error_event, observation_from_event, outcomes_from_event
from tests.core.toy import API_KEY, PASSWORD, Toy, ToyHook
from tests.core.wait.poller_tasks import JOB_PATH, POLL_SECONDS, now_plus, seed_jobs


def make_trigger(key: str = "a", **changes: Any) -> WaitTrigger:
    times = {"since": time.time(), "deadline": now_plus(), "poll_interval": POLL_SECONDS}
    return WaitTrigger(**{"wait_spec": JOB_PATH, "conn_id": "toy_default", "keys": [key], **times, **changes})


async def run_trigger(waiting: WaitTrigger) -> dict[str, Any]:
    events = [event async for event in waiting.run()]
    assert len(events) == 1
    assert isinstance(events[0], TriggerEvent)
    return dict(events[0].payload)


def read_error(event: dict[str, Any], key: str = "a") -> SelfHostedError:
    outcome = outcomes_from_event(event)[key]
    assert isinstance(outcome, SelfHostedError)
    return outcome


def test_a_trigger_survives_the_metadata_database_and_holds_no_secret(served, connect):
    connect("toy_default", served.connection(extra={"api_key": API_KEY}))
    stored = json.loads(json.dumps(make_trigger("a", cancel_on_kill=True).serialize()))
    assert not any(secret in json.dumps(stored) for secret in (API_KEY, PASSWORD))
    path, arguments = stored
    restored = import_string(path)(**arguments)
    assert restored.serialize() == (path, arguments)


async def test_the_event_holds_the_observation(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=2)
    event = await run_trigger(make_trigger())
    observation = {"state": "done", "done": True, "details": {"id": "a"}, "progress": None}
    assert event == {"outcomes": {"a": {"observation": observation}}, "submitted": None, "lineage": None}
    assert outcomes_from_event(json.loads(json.dumps(event))) == {
        "a": Observation("done", done=True, details={"id": "a"})
    }


async def test_the_event_of_a_timeout_holds_duration_and_last_state(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    event = await run_trigger(make_trigger(deadline=now_plus(0.2), since=now_plus(-60)))
    with pytest.raises(WaitTimeoutError, match=r"timed out after 6\d s waiting for job a: its last state is 'running'"):
        raise read_error(event)


async def test_a_restarted_trigger_keeps_its_absolute_deadline(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    _, arguments = make_trigger(deadline=now_plus(-1), since=now_plus(-60)).serialize()
    event = await run_trigger(WaitTrigger(**arguments))
    with pytest.raises(WaitTimeoutError, match=r"timed out after 6\d s"):
        raise read_error(event)


@pytest.mark.parametrize(
    ("status", "error_class"),
    [(403, PermissionDeniedError), (404, NotFoundError), (500, ServerError), (503, UnavailableError)],
)
async def test_the_event_of_an_error_holds_class_status_and_retry_after(
    served, connect, monkeypatch, status, error_class
):
    connect("toy_default", served.connection(extra={"retry_timeout": 0}))
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    served.fail("status", status=status, path="/jobs", headers={"Retry-After": "7"}, times=9)
    event = json.loads(json.dumps(await run_trigger(make_trigger())))
    with pytest.raises(error_class, match=rf"GET /jobs: rejected without a reason \(HTTP {status}\)") as error:
        raise read_error(event)
    assert (error.value.status, error.value.retry_after) == (status, 7)


async def test_an_incomplete_connection_is_a_permanent_error(served, connect):
    connect("toy_default", served.connection(login=None))
    with pytest.raises(PermanentError, match="the connection needs an API key"):
        raise read_error(await run_trigger(make_trigger()))


async def test_an_unexpected_exception_is_not_a_permanent_error(hook: ToyHook, caplog, capsys):
    with pytest.raises(SelfHostedError, match=r"^AttributeError: .*NO_WAIT_SPEC") as error:
        raise read_error(await run_trigger(make_trigger(wait_spec="tests.core.toy.NO_WAIT_SPEC")))
    assert type(error.value) is SelfHostedError
    logged = caplog.text + capsys.readouterr().out  # depending on the version of Airflow
    assert "The wait ended with an unexpected error" in logged
    assert "import_string" in logged, "the traceback"


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_the_text_of_an_unexpected_exception_is_cleaned(error):
    event = error_event(error("a \x1b[31mred\x1b[0m text " + 1000 * "."), logging.getLogger())
    assert "\x1b" not in event["error"]["message"]
    assert len(event["error"]["message"]) <= MAX_TEXT_CHARACTERS + len("RuntimeError: ")


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}])
def test_a_missing_or_unknown_event_is_an_error(event):
    for read in (observation_from_event, outcomes_from_event):
        with pytest.raises(ServerError, match="unexpected trigger event"):
            read(event)


async def test_on_kill_cancels_the_remote_work(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    await make_trigger(cancel_on_kill=True).on_kill()
    assert toy.jobs["a"]["state"] == "cancelled"


async def test_a_failed_cancellation_is_logged(hook: ToyHook, toy: Toy, served, caplog, capsys):
    seed_jobs(toy, a=10_000)
    served.fail("status", status=403, path="/jobs/a/cancel")
    await make_trigger(cancel_on_kill=True).on_kill()
    logged = caplog.text + capsys.readouterr().out  # depending on the version of Airflow
    assert "job a could not be cancelled: POST /jobs/a/cancel: rejected without a reason (HTTP 403)" in logged


@pytest.mark.parametrize("changes", [{"cancel_on_kill": False}, {"wait_spec": "tests.core.toy.NOT_CANCELLABLE"}])
async def test_on_kill_leaves_the_remote_work_if_cancelling_is_disabled_or_unsupported(
    hook: ToyHook, toy: Toy, changes
):
    seed_jobs(toy, a=10_000)
    await make_trigger(**{"cancel_on_kill": True, **changes}).on_kill()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.requests == []


async def test_the_end_of_a_triggerer_does_not_cancel_the_remote_work(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    stopping = make_trigger(cancel_on_kill=True)
    running = asyncio.ensure_future(run_trigger(stopping))
    async with asyncio.timeout(60):
        while not toy.count_requests("GET", "/jobs"):
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await stopping.cleanup()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.count_requests("POST", "/jobs/a/cancel") == 0
