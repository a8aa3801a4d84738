"""The wait in a triggerer: one loop for many tasks.

All tasks that wait with the same connection for the same kind of thing share one `Poller`, which asks once for all of
them and wakes those that are done: a thousand waiting tasks cost a handful of requests a round.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import ClassVar

from self_hosted.core.flow import Pause
from self_hosted.core.question import Question, Seen, imported
from self_hosted.core.wait import Waiter, poll

GATHERING = 0.2  # seconds in which those who begin to wait one after the other come together
GRACE = 10.0  # seconds past its deadline after which a waiter leaves even if the loop is busy asking


class Poller:
    """One loop for all who wait with the same connection for the same kind of thing, in one triggerer.

    :param place: event loop, path of the question, connection: what those who share a poller have in common
    """

    running: ClassVar[dict[tuple[asyncio.AbstractEventLoop, str, str], Poller]] = {}

    def __init__(self, place: tuple[asyncio.AbstractEventLoop, str, str]) -> None:
        self.place = place
        self.question: Question = imported(place[1])
        self.base_url = ""
        self.waiters: set[Waiter] = set()
        self.news = asyncio.Event()
        self.task = asyncio.ensure_future(self._poll())

    @classmethod
    def at(cls, question: str, conn_id: str) -> Poller:
        """The poller that those share who wait in this event loop with this question and connection.

        :param question: its path
        :param conn_id: the connection
        """
        place = (asyncio.get_running_loop(), question, conn_id)
        if place not in cls.running:
            cls.running[place] = cls(place)
        return cls.running[place]

    async def wait(self, waiter: Waiter) -> Seen:
        """Wait beside all others.

        :param waiter: who waits, for what
        :return: as `self_hosted.core.wait.wait`, with the same errors
        """
        waiter.left = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        self.news.set()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiter.left, waiter.deadline - time.time() + GRACE)
        finally:
            self.waiters.discard(waiter)
            if not self.waiters:
                self.news.set()  # so that the loop ends
        return waiter.outcome(self.question)

    async def _poll(self) -> None:
        try:
            async with self.question.hook_for(self.place[2]).asking(self._sleep) as ask:
                self.base_url = ask.base_url
                await ask(poll(self.question, self.waiters))
                self._retire()
        except Exception as error:  # whatever it was, nobody must wait for ever
            for waiter in list(self.waiters):
                waiter.leave(error)
        finally:
            self._retire()

    def _retire(self) -> None:
        """From now on whoever comes gets a new poller; at once after the loop's end, before anything is awaited."""
        if self.running.get(self.place) is self:
            del self.running[self.place]

    async def _sleep(self, pause: Pause) -> None:
        if not pause.may_end_early:
            await asyncio.sleep(pause.seconds)
            return
        self.news.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.news.wait(), pause.seconds)
            await asyncio.sleep(GATHERING)
