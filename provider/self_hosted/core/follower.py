"""Follows a feed for one trigger, and remembers how far it got: nothing is lost, and what may be told twice says so.

The cursor is saved when Airflow has confirmed that it keeps an event, as it does since 3.3; saved before, the event is
lost with a triggerer that dies. One that dies between the confirmation and the saving finds the ids of what was on its
way beside the cursor, and marks those events.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from self_hosted.core.errors import Final
from self_hosted.core.feed import Cursor, Item, first_cursor, news
from self_hosted.core.flow import Flow

if TYPE_CHECKING:
    from self_hosted.core.event_trigger import FeedTrigger
    from self_hosted.core.hook import Asking

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before it is tried again after a failure
SLOW_PAUSE = 300.0  # seconds as well, after what no retry mends: until a person does
AT_ONCE = 50  # things in one event: all of them may be told twice when a triggerer dies
# Airflow takes into a run what came until the run was queued. What comes between that and the run's beginning, some
# seconds when the scheduler is busy, waits for the next event (seen in 3.3.2).
SPACING = 5.0


class Follower:
    """What Airflow asks for raw events, and tells which of them it keeps: a ``SharedStreamProducer`` by its methods.

    It does not derive from that class, which Airflow has since 3.3 only.

    :param trigger: whose feed, arguments and stores it uses
    """

    def __init__(self, trigger: FeedTrigger) -> None:
        self.trigger, self.feed = trigger, trigger.feed
        self.cursor: Cursor
        self.confirmed = asyncio.Event()
        self.base_url = ""
        self._opened = AsyncExitStack()
        self._ask: Asking | None = None

    async def open_stream(self) -> AsyncIterator[tuple[dict[str, Any], list[Item]]]:
        """What happens, for ever: the payload of each event, with the things it tells of."""
        self.cursor = await self._surely(self._begin)
        while True:
            items = await self._surely(self._look)
            told = [item for item in items if item.payload is not None]
            for start in range(0, len(told), AT_ONCE):
                some = told[start : start + AT_ONCE]
                yield await self._announced(some), some
                await self.confirmed.wait()
                await asyncio.sleep(SPACING)
            self._note([item for item in items if item.payload is None])
            if not items:
                self.cursor = replace(self.cursor, sent={})  # what was on its way once and is no more there
                # the jitter keeps triggers that began together from asking together for ever
                await asyncio.sleep(self.trigger.poll_interval * random.uniform(0.8, 1.0))  # noqa: S311 no secret

    async def advance(self, batch: Iterable[tuple[list[Item], Any]]) -> None:
        """Airflow is done with an event, and says how; one that it does not keep the trigger's next start tells again.

        :param batch: the things of events, each with how it ended
        """
        for items, outcome in batch:
            if outcome.is_clean:
                self._note(items)
                await self._surely(self._save)
                self.confirmed.set()

    def confirm(self, items: list[Item]) -> None:
        """Their event is out of our hands; for Airflow before 3.3, which confirms nothing and stores no cursor."""
        self._note(items)
        self.confirmed.set()

    def get_advance_lane(self, items: list[Item]) -> Hashable:
        """One lane for all."""
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        self._ask = None
        await self._opened.aclose()

    async def _begin(self) -> Cursor:
        """The cursor that was saved; the first one is saved at once, lest a restart passes over what comes now."""
        self.trigger.check()
        stored: list[Any] = [await store.aget(self.trigger.state_key) for store in self.trigger.stores]
        # an asset that joined later, or was not watched for a while, has none or an older one
        cursors = sorted(map(Cursor.from_json, filter(None, stored)), key=lambda cursor: cursor.start)
        if cursors:
            return cursors[-1]
        self.cursor = await self._asked(first_cursor(self.feed, self.trigger.since, self.trigger.arguments()))
        await self._save()
        return self.cursor

    async def _look(self) -> list[Item]:
        return await self._asked(news(self.feed, self.cursor, self.trigger.arguments()))

    async def _announced(self, items: list[Item]) -> dict[str, Any]:
        """The payload of an event, once it is saved what will be sent."""
        before, self.cursor = self.cursor.sent, self.cursor.sending(items)
        self.confirmed.clear()
        await self._surely(self._save)
        return {
            "news": [
                {**self.trigger.event(one, self.base_url), "id": one.id, "again": one.id in before} for one in items
            ]
        }

    def _note(self, items: list[Item]) -> None:
        self.cursor = self.cursor.after(items, self.feed.overlap)

    async def _save(self) -> None:
        for store in self.trigger.stores:
            await store.aset(self.trigger.state_key, self.cursor.as_json())

    async def _asked(self, flow: Flow[T]) -> T:
        """The result of a flow, by a connection that is kept open until something fails."""
        try:
            if self._ask is None:
                self._ask = await self._opened.enter_async_context(self.feed.hook_for(self.trigger.conn_id).asking())
                self.base_url = self._ask.base_url
            return await self._ask(flow)
        except Exception:
            await self.aclose()
            raise

    async def _surely(self, do: Callable[[], Awaitable[T]]) -> T:
        """What it gives, tried until it does: Airflow would start a trigger that ends anew each second."""
        failures = 0
        while True:
            try:
                result = await do()
            except Exception as error:
                await asyncio.sleep(self._pause_after(error, failures))
                failures += 1
            else:
                if failures:
                    self.trigger.log.info("the watch for each %s goes on", self.feed.thing)
                return result

    def _pause_after(self, error: Exception, failures: int) -> float:
        """Say what went wrong, once unless somebody must mend it, and for how long to wait."""
        words = f"the watch for each {self.feed.thing} is interrupted: {error or type(error).__name__}"
        if isinstance(error, Final | ValueError):
            self.trigger.log.error("%s; somebody must mend that", words)
            return SLOW_PAUSE
        if not failures:
            self.trigger.log.warning("%s; it is tried again until it works", words)
        pause = min(FIRST_PAUSE * 2.0 ** min(failures, 10), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(pause, getattr(error, "retry_after", None) or 0)
