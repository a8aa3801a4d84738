"""The wait in a triggerer: without a worker slot, and with one loop for many tasks.

All tasks that wait with the same connection for the same kind of thing share one `Poller`, which asks once for all of
them and wakes those that are done: a thousand waiting tasks cost a handful of requests a round.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from self_hosted.core.errors import Broken, Final, ProductError
from self_hosted.core.flow import Pause
from self_hosted.core.wait import Question, Seen, Waiter, imported, poll

# A worker may take 5 s to tell the scheduler that its task deferred ([workers] min_heartbeat_interval). Airflow takes a
# task that goes on before that for lost, and tries it again (seen in 3.1.8).
SETTLING = 6.0
GATHERING = 0.2  # seconds in which those who begin to wait one after the other come together


class Poller:
    """One loop for all who wait with the same connection for the same kind of thing, in one triggerer.

    :param place: event loop, path of the question, connection: what those who share a poller have in common
    """

    running: ClassVar[dict[tuple[asyncio.AbstractEventLoop, str, str], Poller]] = {}

    def __init__(self, place: tuple[asyncio.AbstractEventLoop, str, str]) -> None:
        self.place = place
        self.waiters: set[Waiter] = set()
        self.news = asyncio.Event()
        self.task = asyncio.ensure_future(self._poll())

    @classmethod
    async def wait(cls, question: str, conn_id: str, waiter: Waiter) -> Seen | None:
        """Wait beside all others with this question and connection.

        :param question: its path
        :param conn_id: the connection
        :param waiter: who waits, for what
        :return: as `wait`
        """
        place = (asyncio.get_running_loop(), question, conn_id)
        if place not in cls.running:
            cls.running[place] = cls(place)
        return await cls.running[place]._join(waiter)

    async def _join(self, waiter: Waiter) -> Seen | None:
        waiter.left = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        self.news.set()
        try:
            await waiter.left
        finally:
            self.waiters.discard(waiter)
            if not self.waiters:
                self.news.set()  # so that the loop ends
        return waiter.seen

    async def _poll(self) -> None:
        _, question_path, conn_id = self.place
        try:
            question: Question = imported(question_path)
            async with question.hook_for(conn_id).asking(self._sleep) as ask:
                await ask(poll(question, self.waiters))
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


class WaitTrigger(BaseTrigger):
    """Waits for one remote thing in the triggerer. Its arguments are plain JSON and hold no credential.

    :param question: path of the `Question`
    :param conn_id: the connection
    :param key: the remote id
    :param deadline: seconds since the epoch
    :param poll_interval: the longest time between two looks, in seconds
    :param cancel_on_kill: whether a person who ends the task ends the remote work too (Airflow 3.3 tells triggers)
    :param started: what the operator will need to finish; comes back in the event
    """

    def __init__(
        self,
        *,
        question: str,
        conn_id: str,
        key: str,
        deadline: float,
        poll_interval: float,
        cancel_on_kill: bool = False,
        started: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.question, self.conn_id, self.key = question, conn_id, key
        self.deadline, self.poll_interval, self.cancel_on_kill = deadline, poll_interval, cancel_on_kill
        self.started = started

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Path and arguments, for the metadata database."""
        names = ("question", "conn_id", "key", "deadline", "poll_interval", "cancel_on_kill", "started")
        return "self_hosted.core.trigger.WaitTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and tell what was seen last, or what went wrong."""
        try:
            waiter = Waiter(self.key, self.deadline, self.poll_interval, first_look=SETTLING)
            seen = await Poller.wait(self.question, self.conn_id, waiter)
        except Exception as error:
            final = isinstance(error, Final | ValueError)
            yield TriggerEvent({"error": str(error), "final": final, "started": self.started})
        else:
            yield TriggerEvent({"seen": asdict(seen) if seen else None, "started": self.started})

    async def on_kill(self) -> None:
        """A person ended the task (mark failed, clear): end the remote work. Restarts don't call this."""
        question: Question = imported(self.question)
        if self.cancel_on_kill and question.cancel:
            async with question.hook_for(self.conn_id).asking() as ask:
                await ask(question.cancel(self.key))


def seen_in(event: Mapping[str, Any] | None) -> Seen | None:
    """What a `WaitTrigger` saw last; an event that is missing, unknown or an error is raised."""
    if not event or not {"seen", "error"} & set(event):
        raise Broken(f"the trigger ended with an event that nobody knows: {event!r}")
    if "error" in event:
        raise (Final if event.get("final") else ProductError)(event["error"])
    return Seen(**event["seen"]) if event["seen"] else None
