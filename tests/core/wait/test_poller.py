"""One poller for all waits in a triggerer with the same connection and wait spec."""

from __future__ import annotations

import asyncio
import time

import pytest

from self_hosted.core.http.errors import AuthenticationError, WaitTimeoutError
from self_hosted.core.wait import poller
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.poller import Poller
from tests.core.toy import JOB, Toy, ToyHook
from tests.core.wait.poller_tasks import SMALL_BATCHES_PATH, now_plus, seed_jobs, start_pending_wait, start_wait

pytestmark = pytest.mark.usefixtures("_finished_tasks")


async def wait_for_polls(toy: Toy, count: int) -> None:
    """Wait until the server has answered this many polls."""
    async with asyncio.timeout(60):
        while toy.count_requests("GET", "/jobs") < count:
            await asyncio.sleep(0.01)


async def test_two_hundred_waits_share_few_requests(hook: ToyHook, toy: Toy):
    seed_jobs(toy, **{f"job{number}": 2 for number in range(200)})
    observations = await asyncio.gather(*(start_wait(f"job{number}") for number in range(200)))
    assert [observation.details["id"] for observation in observations] == [f"job{number}" for number in range(200)]
    assert toy.count_requests("GET", "/jobs") <= 3 * 200 / JOB.batch_size
    assert toy.count_requests("POST", "/login") == 1
    assert Poller.running == {}


async def test_concurrent_batches_share_one_login(hook: ToyHook, toy: Toy):
    seed_jobs(toy, **{f"job{number}": 2 for number in range(20)})
    waits = [start_wait(f"job{number}", wait_spec=SMALL_BATCHES_PATH) for number in range(20)]
    assert all(observation.done for observation in await asyncio.gather(*waits))
    assert toy.count_requests("POST", "/login") == 1


async def test_each_wait_ends_when_its_own_object_is_done(hook: ToyHook, toy: Toy):
    seed_jobs(toy, quick=0, slow=10_000)
    slow = start_wait("slow")
    assert (await start_wait("quick")).done
    assert not slow.done()
    slow.cancel()


async def test_a_joining_wait_is_polled_before_the_next_round(hook: ToyHook, toy: Toy):
    seed_jobs(toy, slow=10_000, quick=0)
    first = PendingWait("slow", now_plus(600), 600)
    first.schedule.pause = 600  # as after a long wait with rare polls
    slow = start_pending_wait(first)
    while first.observation is None:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        assert (await start_pending_wait(PendingWait("quick", now_plus(600), 600))).done
    slow.cancel()


async def test_joining_waits_do_not_repeat_the_polls_of_others(hook: ToyHook, toy: Toy):
    seed_jobs(toy, **{f"job{number}": 10_000 for number in range(40)})
    tasks = []
    for number in range(40):
        pending = PendingWait(f"job{number}", now_plus(600), 600)
        pending.schedule.pause = 600  # no second poll is due during this test
        tasks.append(start_pending_wait(pending, SMALL_BATCHES_PATH))
        await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    assert toy.count_requests("GET", "/jobs") <= 40


async def test_a_cancelled_wait_does_not_affect_others(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000, b=5)
    leaving, staying = start_wait("a"), start_wait("b")
    await wait_for_polls(toy, 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await staying).done


async def test_the_poller_ends_with_its_last_wait(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    last = start_wait("a")
    await wait_for_polls(toy, 1)
    [poller] = Poller.running.values()
    last.cancel()
    await asyncio.wait_for(poller.task, 60)
    assert Poller.running == {}


async def test_each_wait_spec_and_connection_has_its_own_poller(hook: ToyHook, toy: Toy, connect, served):
    connect("toy_other", served.connection())
    seed_jobs(toy, a=2, b=2)
    other = start_wait("b", conn_id="toy_other")
    small = start_wait("a", wait_spec=SMALL_BATCHES_PATH)
    default = start_wait("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(Poller.running) == 3
    assert all(await asyncio.gather(other, small, default))


async def test_a_failing_query_fails_all_waits_and_the_next_wait_gets_a_new_poller(hook: ToyHook, toy: Toy, served):
    seed_jobs(toy, a=2, b=2, c=0)
    served.fail("status", status=403, path="/jobs", times=3)
    failed = await asyncio.gather(start_wait("a"), start_wait("b"), return_exceptions=True)
    assert [str(error) for error in failed] == ["GET /jobs: rejected without a reason (HTTP 403)"] * 2
    assert (await start_wait("c")).done
    assert Poller.running == {}


async def test_a_missing_connection_fails_all_waits(hook: ToyHook, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    failed = await asyncio.gather(start_wait("a"), start_wait("b"), return_exceptions=True)
    assert all("toy_default" in str(error) for error in failed)
    assert Poller.running == {}


async def test_an_unknown_wait_spec_is_an_error(hook: ToyHook):
    with pytest.raises(AttributeError):
        await start_wait("a", wait_spec="tests.core.toy.NO_WAIT_SPEC")


async def test_a_timeout_names_the_last_state(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    with pytest.raises(WaitTimeoutError, match="its last state is 'running'"):
        await start_wait("a", now_plus(0.3))


async def test_a_wait_ends_at_its_deadline_while_a_response_is_late(hook: ToyHook, toy: Toy, served, monkeypatch):
    monkeypatch.setattr(poller, "GRACE_SECONDS", 0.1)
    seed_jobs(toy, a=0)
    served.fail("slow", seconds=5, path="/jobs")  # long enough for a busy machine to notice the deadline before
    wait = start_wait("a", now_plus(0.3))
    await asyncio.sleep(0)
    [shared] = Poller.running.values()
    with pytest.raises(WaitTimeoutError, match="it was never found"):  # the late response would report it as done
        await wait
    await asyncio.wait_for(shared.task, 60)
    assert Poller.running == {}


async def test_a_joining_wait_does_not_shorten_the_pause_of_a_retry(hook: ToyHook, toy: Toy, served):
    seed_jobs(toy, a=0, b=0)
    served.fail("status", headers={"Retry-After": "1"}, path="/jobs")
    start = time.monotonic()
    first = start_wait("a")
    await asyncio.sleep(0.3)  # the poller pauses now
    second = start_wait("b")
    assert all(await asyncio.gather(first, second))
    assert time.monotonic() - start >= 1


async def test_a_rejected_login_fails_all_waits(toy: Toy, served, connect):
    connect("toy_default", served.connection(password="wr0ng"))
    failed = await asyncio.gather(start_wait("a"), start_wait("b"), return_exceptions=True)
    assert [type(error) for error in failed] == [AuthenticationError] * 2
    assert toy.count_requests("POST", "/login") == 1
