"""A malformed response of one object does not affect the waits for others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Pause, Reply, Request, run
from self_hosted.core.http.shape import check_shape
from self_hosted.core.wait import pending as pending_module
from self_hosted.core.wait.loop import cancel_all, poll, poll_once
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from tests.core import toy as toy_module
from tests.core.toy import JOB, Toy, ToyHook, cancel_job, refresh_jobs
from tests.core.wait.poller_tasks import now_plus, seed_jobs, start_wait

KEYS = "abcdefgh"


def read_recursively(value: list[Any]) -> Any:
    return read_recursively([value])


def check_text(value: Any) -> Any:
    return check_shape(Reply(200, {}, b"", Request("GET", "/jobs")), value, str, "result")


READERS = {
    "TypeError": lambda value: value["score"],
    "KeyError": lambda value: dict[str, Any]()["score"],
    "AttributeError": lambda value: value.get("score"),
    "ValueError": lambda value: int("many"),
    "RecursionError": read_recursively,
    "ServerError": check_text,
}


def malformed(reader: Any, *bad: str) -> WaitSpec:
    """Return the toy's wait spec with a reader that fails on the results of some ids."""

    def refresh(ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
        found = yield from refresh_jobs(ids)
        for key in ids:
            if key in bad:
                reader(None)
        return found

    return JOB._replace(refresh=refresh)


def answer(step: Any, state: str = "done") -> Reply:
    assert isinstance(step, Request)
    states = dict.fromkeys(step.query["id"], state)
    return Reply(200, {}, json.dumps(states).encode(), step)


def run_round(wait_spec: WaitSpec, waits: set[PendingWait], state: str = "done") -> list[Sequence[str]]:
    """Run one round, and return the ids of each query."""
    flow, queries, reply = poll_once(wait_spec, waits), [], None
    try:
        while True:
            step: Any = flow.send(reply)  # type: ignore[arg-type]
            queries.append(step.query["id"])
            reply = answer(step, state)
    except StopIteration:
        return queries


@pytest.fixture
def waits() -> dict[str, PendingWait]:
    return {key: PendingWait(key, now_plus(10_000), 30) for key in KEYS}


@pytest.mark.parametrize("name", READERS)
def test_the_waits_for_other_objects_end(waits: dict[str, PendingWait], name: str):
    remaining = set(waits.values())
    run_round(malformed(READERS[name], "d"), remaining)
    assert remaining == {waits["d"]}
    assert all(waits[key].outcome(JOB).done for key in KEYS if key != "d")


@pytest.mark.parametrize("name", READERS)
def test_the_wait_itself_fails_with_a_server_error_if_the_response_stays_malformed(
    waits: dict[str, PendingWait], name: str, monkeypatch
):
    monkeypatch.setattr(pending_module, "MAX_OUTAGE_SECONDS", 0)
    run_round(malformed(READERS[name], "d"), set(waits.values()))
    with pytest.raises(ServerError, match=r"malformed|result"):
        waits["d"].outcome(JOB)


def test_the_wait_continues_if_the_next_response_is_valid():
    wait = PendingWait("d", now_plus(10_000), 0)
    remaining = {wait}
    run_round(malformed(READERS["KeyError"], "d"), remaining)
    assert "the last poll failed: the response is malformed" in wait.describe(JOB)
    wait.schedule.ready = 0
    run_round(JOB, remaining)
    assert wait.outcome(JOB).done


def test_the_message_holds_no_text_of_the_server(waits: dict[str, PendingWait]):
    def quote(value: Any) -> None:
        raise KeyError("s3cret")

    run_round(malformed(quote, "d"), set(waits.values()))
    assert str(waits["d"].poll_error) == "the response is malformed: reading it raised KeyError"


def test_the_traceback_is_logged_once_per_object(waits: dict[str, PendingWait], caplog):
    remaining = set(waits.values())
    for _ in range(3):
        run_round(malformed(READERS["TypeError"], "c", "d"), remaining)
        for wait in remaining:
            wait.schedule.ready = 0
    logged = [record for record in caplog.records if record.exc_info]
    assert sorted(record.getMessage().partition(":")[0] for record in logged) == ["job c", "job d"]
    assert "'NoneType' object is not subscriptable" in caplog.text
    assert "in <lambda>" in caplog.text


def test_if_all_responses_are_malformed_there_is_no_query_per_object():
    keys = [f"{number}" for number in range(1000)]
    waits = {PendingWait(key, now_plus(10_000), 30) for key in keys}
    queries = run_round(malformed(READERS["KeyError"], *keys)._replace(batch_size=1000), set(waits))
    assert len(queries) < 50
    assert all(wait.poll_error and not wait.is_over for wait in waits)


def test_objects_that_were_read_before_many_failures_are_not_affected():
    keys = [f"{number:02}" for number in range(40)]
    waits = {key: PendingWait(key, now_plus(10_000), 30) for key in keys}
    run_round(malformed(READERS["KeyError"], *keys[1:]), set(waits.values()))
    assert waits["00"].outcome(JOB).done


def test_malformed_stall_reasons_do_not_end_the_wait():
    def find_stall_reasons(ids: Sequence[str]) -> Flow[Mapping[str, str]]:
        yield Pause(0)
        raise TypeError("not a list")

    wait = PendingWait("a", now_plus(10_000), 0)
    flow = poll(JOB._replace(stall_reasons=find_stall_reasons, stall_after=0), {wait})
    assert flow.send(answer(next(flow), "running")) == Pause(0)
    assert isinstance(next(flow), Pause)
    assert wait.error is None


def test_malformed_responses_do_not_keep_others_from_being_cancelled():
    def cancel(key: str) -> Flow[None]:
        yield from cancel_job(key)
        if key == "a":
            raise TypeError("not a dict")

    paths: list[str] = []

    def perform(step: Any) -> Reply:
        paths.append(step.path)
        return answer(step, "running") if step.method == "GET" else Reply(200, {}, b"{}", step)

    errors = run(cancel_all(malformed(READERS["KeyError"], "a")._replace(cancel=cancel), ["a", "b"]), perform)
    assert list(errors) == ["a"]
    assert paths == ["/jobs", "/jobs/a/cancel", "/jobs/b/cancel"]


async def test_of_two_deferred_waits_the_one_with_a_malformed_response_fails(
    hook: ToyHook, toy: Toy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(toy_module, "JOB", malformed(READERS["TypeError"], "b"))
    monkeypatch.setattr(pending_module, "MAX_OUTAGE_SECONDS", 0.3)
    seed_jobs(toy, a=2, b=0)
    valid, broken = await asyncio.gather(start_wait("a"), start_wait("b"), return_exceptions=True)
    assert isinstance(valid, Observation)
    assert isinstance(broken, ServerError)
