"""The wait of a triggerer: one loop for many tasks.

All tasks that wait for the same kind of object with the same connection share one `Poller`. A thousand waiting tasks
cost a few requests per round.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import ClassVar, NamedTuple

from self_hosted.core.http.flow import Pause
from self_hosted.core.imports import import_string
from self_hosted.core.wait.loop import poll
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec

GATHER_SECONDS = 0.2  # waits that begin one shortly after the other are polled together
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
        self.pending_waits: set[PendingWait] = set()
        self.changed = asyncio.Event()
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
            async with self.wait_spec.create_hook(self.key.conn_id).async_client(self._sleep) as client:
                self.base_url = client.base_url
                await client(poll(self.wait_spec, self.pending_waits, self._resolve))
                self._retire()
        except Exception as error:  # no wait may stay pending without a loop
            for pending in list(self.pending_waits):
                pending.error = pending.error or error
                self._resolve(pending)
        finally:
            self._retire()

    def _retire(self) -> None:
        """Let later waits get a new poller. Called right after the end of the loop, before anything is awaited."""
        if self.running.get(self.key) is self:
            del self.running[self.key]

    async def _sleep(self, pause: Pause) -> None:
        if not pause.may_end_early:
            await asyncio.sleep(pause.seconds)
            return
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), pause.seconds)
            await asyncio.sleep(GATHER_SECONDS)
