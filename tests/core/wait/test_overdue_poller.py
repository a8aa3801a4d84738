"""A poller whose request hangs: it polls again with new connections, and all its waits continue."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from self_hosted.core.http.errors import WaitTimeoutError
from self_hosted.core.http.flow import Pause
from self_hosted.core.wait import poller
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.poller import Poller
from self_hosted.core.wait.wait_log import WaitLog
from tests.core.toy import API_KEY, JOB
from tests.core.wait.poller_tasks import POLL_SECONDS, now_plus, start_pending_wait, start_wait

RESPONSE = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 25\r\n\r\n{"a": "done", "b":"done"}'


class HangingServer:
    """Accepts connections and responds to none of them, until it is repaired."""

    def __init__(self) -> None:
        self.is_repaired, self.hanging_requests, self.responses = False, 0, 0
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            if self.is_repaired:
                self.responses += 1
                writer.write(RESPONSE)
            else:
                self.hanging_requests += 1
                await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def wait_for_hanging_request(self) -> None:
        async with asyncio.timeout(60):
            while not self.hanging_requests:
                await asyncio.sleep(0.01)


@pytest.fixture
async def hanging(served, connect, monkeypatch) -> AsyncIterator[HangingServer]:
    monkeypatch.setattr(poller, "MAX_SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(poller, "MAX_SILENT_REQUESTS", 0)
    monkeypatch.setattr(poller, "GRACE_SECONDS", 0.1)
    server = HangingServer()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    extra = {"api_key": API_KEY, "read_timeout": 600, "total_timeout": 600}
    connect("toy_default", served.connection(host=f"http://127.0.0.1:{port}", extra=extra))
    yield server
    listening.close()
    async with asyncio.timeout(60):
        await asyncio.gather(*filter(None, server.tasks))


async def test_a_hanging_request_is_cancelled_and_all_waits_continue(hanging: HangingServer):
    first = start_wait("a", now_plus(600))
    await hanging.wait_for_hanging_request()
    hanging.is_repaired = True
    async with asyncio.timeout(60):
        assert (await first).done
    assert hanging.responses
    assert Poller.running == {}


async def test_a_wait_that_joins_a_hanging_poller_ends(hanging: HangingServer):
    first = start_wait("a", now_plus(600))
    await hanging.wait_for_hanging_request()
    hanging.is_repaired = True
    second = start_wait("b", now_plus(600))
    async with asyncio.timeout(60):
        assert all(await asyncio.gather(first, second))


async def test_a_server_that_never_responds_is_queried_until_the_deadline(hanging: HangingServer, caplog):
    pending = PendingWait("a", now_plus(3), POLL_SECONDS)
    WaitLog.begin(JOB, [pending], POLL_SECONDS)
    with pytest.raises(WaitTimeoutError, match="it was never found"):
        await start_pending_wait(pending)
    assert hanging.hanging_requests > 1
    assert "the poller of tests.core.toy.JOB with connection 'toy_default' made no progress" in caplog.text


async def test_a_poller_that_pauses_is_not_overdue(hanging: HangingServer):
    hanging.is_repaired = True
    pending = PendingWait("c", now_plus(6000), 600)  # the server does not know it
    pending.schedule.pause = 600  # as after a long wait with rare polls
    running = start_pending_wait(pending)
    await asyncio.sleep(0)
    [shared] = Poller.running.values()
    async with asyncio.timeout(60):
        while shared.active_until < time.monotonic() + 400:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait_for(shared.task, 60)


async def test_the_progress_of_a_query_does_not_shorten_the_pause_of_a_concurrent_one(hanging: HangingServer):
    running = start_wait("a", now_plus(600))
    await asyncio.sleep(0)
    [shared] = Poller.running.values()
    pausing = asyncio.ensure_future(shared._sleep(Pause(600)))  # the server asked for it
    await asyncio.sleep(0)
    await shared._sleep(Pause(0))
    assert shared.active_until > time.monotonic() + 400
    pausing.cancel()
    await asyncio.wait([pausing])
    assert shared.active_until <= time.monotonic()
    running.cancel()
    await asyncio.wait_for(shared.task, 60)
