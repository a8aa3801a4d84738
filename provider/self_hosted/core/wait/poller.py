"""The wait of a triggerer: one loop for many tasks.

All tasks that wait for the same kind of object with the same connection share one `Poller`. A thousand waiting tasks
cost a few requests per round.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import ClassVar, NamedTuple

from self_hosted.core.http.flow import Flow, Pause, Reply, Request, pipeline
from self_hosted.core.imports import import_string
from self_hosted.core.wait.loop import poll
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec

GATHER_SECONDS = 0.2  # waits that begin one shortly after the other are polled together
# a loop hangs if it makes no progress for this many times the total timeout of a request, and these seconds
MAX_SILENT_REQUESTS, MAX_SILENCE_SECONDS = 2, 60.0
GRACE_SECONDS = 10.0  # after its deadline a wait ends even if the loop is busy with a request


class PollerKey(NamedTuple):
    """What the waits of one poller have in common.

    :param loop: the event loop
    :param wait_spec: path of the `WaitSpec`
    :param conn_id: the Airflow connection
    """

    loop: asyncio.AbstractEventLoop
    wait_spec: str
    conn_id: str


class Poller:
    """One loop for all waits with the same connection and `WaitSpec`, in one triggerer.

    :param key: what its waits have in common
    """

    running: ClassVar[dict[PollerKey, Poller]] = {}

    def __init__(self, key: PollerKey) -> None:
        self.key = key
        self.wait_spec: WaitSpec = import_string(key.wait_spec)
        self.base_url = ""
        self.connected = asyncio.Event()
        """Set once the product's address is known, or will not be: `base_url` is empty then."""
        self.pending_waits: set[PendingWait] = set()
        self.changed = asyncio.Event()
        self.max_silence = math.inf
        """The seconds without progress after which the loop hangs."""
        self._last_progress, self._pauses = 0.0, list[float]()  # by the monotonic clock; the ends of current pauses
        self._over: dict[PendingWait, asyncio.Future[None]] = {}
        self.task = asyncio.ensure_future(self._run())

    @classmethod
    def shared(cls, wait_spec: str, conn_id: str) -> Poller:
        """Return the poller of this event loop; create it if there is none.

        :param wait_spec: path of the `WaitSpec`
        :param conn_id: the Airflow connection
        """
        key = PollerKey(asyncio.get_running_loop(), wait_spec, conn_id)
        if key not in cls.running:
            cls.running[key] = cls(key)
        return cls.running[key]

    async def wait(self, pending: PendingWait) -> Observation:
        """Wait along with all others and return the last observation.

        :param pending: the wait
        :raises WaitTimeoutError: if the deadline passed
        :raises NotFoundError: if the object does not exist, or not any more
        """
        over = self._over[pending] = asyncio.get_running_loop().create_future()
        self.pending_waits.add(pending)
        self.changed.set()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over, pending.deadline - time.time() + GRACE_SECONDS)
        finally:
            self.pending_waits.discard(pending)
            del self._over[pending]
            if not self.pending_waits:
                self.changed.set()  # so that the loop ends
        return pending.outcome(self.wait_spec)

    def _resolve(self, pending: PendingWait) -> None:
        """Wake the task whose wait is over."""
        over = self._over.get(pending)
        if over and not over.done():
            over.set_result(None)

    async def _run(self) -> None:
        try:
            while not await self._poll_until_overdue():
                self._log(f"{self} made no progress for {self.max_silence:.0f} s; polling with new connections")
        except Exception as error:  # no wait may stay pending without a loop
            for pending in list(self.pending_waits):
                pending.error = pending.error or error
                self._resolve(pending)
        finally:
            self.connected.set()
            self._retire()

    async def _poll_until_overdue(self) -> bool:
        """Return whether the loop has ended. One that hangs in a request is cancelled."""
        # not while the connection is read: a cancelled read would confuse the triggerer's channel to its supervisor
        self.max_silence = math.inf
        self._note_progress()
        polling = asyncio.ensure_future(self._poll())
        try:
            while not polling.done():
                seconds_left = self.active_until + self.max_silence - time.monotonic()
                if seconds_left <= 0:
                    return False
                await asyncio.wait([polling], timeout=min(seconds_left, MAX_SILENCE_SECONDS))
            polling.result()
            return True
        finally:
            polling.cancel()

    async def _poll(self) -> None:
        async with self.wait_spec.create_hook(self.key.conn_id).async_client(self._sleep) as client:
            self.base_url = client.base_url
            self.connected.set()
            self._note_progress()
            self.max_silence = MAX_SILENT_REQUESTS * client.total_timeout + MAX_SILENCE_SECONDS
            await client(pipeline(poll(self.wait_spec, self.pending_waits, self._resolve), [self]))
            self._retire()

    def send(self, request: Request) -> Flow[Reply]:
        """Send a request of the loop: its begin and its end are progress.

        :param request: the request
        """
        self._note_progress()
        try:
            return (yield request)
        finally:
            self._note_progress()

    @property
    def active_until(self) -> float:
        """When the loop last made progress, or the end of its longest pause, by the monotonic clock."""
        return max(self._last_progress, *self._pauses, 0.0)

    def _note_progress(self) -> None:
        self._last_progress = time.monotonic()

    def _retire(self) -> None:
        """Let later waits get a new poller. Called right after the end of the loop, before anything is awaited."""
        if self.running.get(self.key) is self:
            del self.running[self.key]

    async def _sleep(self, pause: Pause) -> None:
        end = time.monotonic() + pause.seconds
        self._pauses.append(end)
        try:
            await self._pause(pause)
        finally:
            self._pauses.remove(end)
            self._note_progress()

    async def _pause(self, pause: Pause) -> None:
        if pause.reason:
            self._log(pause.reason)
        if not pause.may_end_early:
            await asyncio.sleep(pause.seconds)
        else:
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), pause.seconds)
                await asyncio.sleep(GATHER_SECONDS)

    def _log(self, text: str) -> None:
        """Log what delays all waits, in the log of each task."""
        for log_of_task in {pending.log for pending in self.pending_waits if pending.log}:
            log_of_task.pause(text)

    def __repr__(self) -> str:
        return f"the poller of {self.key.wait_spec} with connection {self.key.conn_id!r}"
