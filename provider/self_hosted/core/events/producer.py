"""Follow a feed for one trigger and store its cursor: no item is lost, and possible duplicates are marked.

The cursor is saved when Airflow has confirmed that it stored an event (since 3.3). Saved earlier, the event would be
lost with a triggerer that dies. A triggerer that dies between confirmation and save finds the ids in flight beside the
cursor, and marks those events as redelivered.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from self_hosted.core.events.feed import Cursor, Feed, Item, initial_cursor, read_new_items
from self_hosted.core.http.errors import MAX_RETRY_AFTER_PAUSE_SECONDS, PermanentError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.http.logs import Throttle

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import AsyncClient

T = TypeVar("T")
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 60.0  # after a failure
PERMANENT_ERROR_PAUSE_SECONDS = 300.0  # after an error that needs manual action
MAX_ITEMS_PER_EVENT = 50  # all of them may be redelivered when a triggerer dies
# Airflow gives a run the events that arrive before the run is queued. Events between that and the start of the run,
# some seconds on a busy scheduler, wait for the next event (seen in 3.3.2).
MIN_EVENT_SPACING_SECONDS = 5.0


class FeedSource(Protocol):
    """What a producer needs of the trigger that it works for."""

    poll_interval: float
    since: str | None

    @property
    def feed(self) -> Feed:
        """The feed to follow."""
        ...

    @property
    def conn_id(self) -> str:
        """The Airflow connection."""
        ...

    @property
    def state_key(self) -> str:
        """The key of the cursor in the stores."""
        ...

    @property
    def stores(self) -> Sequence[Any]:
        """Airflow's asset state stores, one per watched asset; empty before Airflow 3.3."""
        ...

    @property
    def log(self) -> Any:
        """The trigger's logger."""
        ...

    def validate(self) -> None:
        """Check the arguments."""
        ...

    def arguments(self) -> Mapping[str, Any]:
        """Return the arguments of the feed's flows, by name."""
        ...

    def build_payload(self, item: Item, base_url: str) -> dict[str, Any]:
        """Return the content of the event for one item."""
        ...


class FeedProducer:
    """Yields events and saves the cursor: a ``SharedStreamProducer`` by its methods.

    It does not derive from that class, which exists since Airflow 3.3 only.

    :param trigger: its feed, arguments and stores are used
    """

    def __init__(self, trigger: FeedSource) -> None:
        self.trigger, self.feed = trigger, trigger.feed
        self.cursor: Cursor
        self.confirmed = asyncio.Event()
        self.base_url = ""
        self._stack = AsyncExitStack()
        self._client: AsyncClient | None = None
        self._pause_line = Throttle()  # an outage may last for hours

    async def open_stream(self) -> AsyncIterator[tuple[dict[str, Any], list[Item]]]:
        """Yield the payload of each event with its items; never ends."""
        self.cursor = await self._retry_forever(self._load_cursor)
        while True:
            items = await self._retry_forever(self._read)
            deliverable = [item for item in items if item.payload is not None]
            for start in range(0, len(deliverable), MAX_ITEMS_PER_EVENT):
                batch = deliverable[start : start + MAX_ITEMS_PER_EVENT]
                yield await self._prepare_event(batch), batch
                await self.confirmed.wait()
                await asyncio.sleep(MIN_EVENT_SPACING_SECONDS)
            self._advance_cursor([item for item in items if item.payload is None])
            if not items:
                self.cursor = replace(self.cursor, in_flight={})  # ids that were in flight and no longer exist
                # the jitter keeps triggers that began together from polling together forever
                await asyncio.sleep(float(self.trigger.poll_interval) * random.uniform(0.8, 1.0))  # noqa: S311 no secret

    async def advance(self, batch: Iterable[tuple[list[Item], Any]]) -> None:
        """Save the cursor after events that Airflow stored. Other events are delivered again after a restart.

        :param batch: the items of each event, and Airflow's outcome of the event
        """
        for items, outcome in batch:
            if outcome.is_clean:
                self._advance_cursor(items)
                await self._retry_forever(self._save)
                self.confirmed.set()

    def confirm(self, items: list[Item]) -> None:
        """Regard an event as stored: Airflow before 3.3 confirms nothing and stores no cursor.

        :param items: the items of the event
        """
        self._advance_cursor(items)
        self.confirmed.set()

    def get_advance_lane(self, items: list[Item]) -> Hashable:
        """Return the same lane for all events: they are confirmed in order.

        :param items: the items of an event
        """
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        self._client = None
        await self._stack.aclose()

    async def _load_cursor(self) -> Cursor:
        """Return the saved cursor. A first one is saved at once, so that a restart skips nothing."""
        self.trigger.validate()
        stored: list[Any] = [await store.aget(self.trigger.state_key) for store in self.trigger.stores]
        # an asset that was added later, or not watched for a while, has none or an older one
        cursors = sorted(map(Cursor.from_json, filter(None, stored)), key=lambda cursor: cursor.start)
        if cursors:
            return cursors[-1]
        self.cursor = await self._run(initial_cursor(self.feed, self.trigger.since, self.trigger.arguments()))
        await self._save()
        return self.cursor

    async def _read(self) -> list[Item]:
        return await self._run(read_new_items(self.feed, self.cursor, self.trigger.arguments()))

    async def _prepare_event(self, items: list[Item]) -> dict[str, Any]:
        """Save the ids in flight, then return the payload of their event."""
        before, self.cursor = self.cursor.in_flight, self.cursor.sending(items)
        self.confirmed.clear()
        await self._retry_forever(self._save)
        return {
            "items": [
                {**self.trigger.build_payload(item, self.base_url), "id": item.id, "redelivered": item.id in before}
                for item in items
            ]
        }

    def _advance_cursor(self, items: list[Item]) -> None:
        self.cursor = self.cursor.after(items, self.feed.overlap)

    async def _save(self) -> None:
        for store in self.trigger.stores:
            await store.aset(self.trigger.state_key, self.cursor.as_json())

    async def _run(self, flow: Flow[T]) -> T:
        """Run a flow with a client that is kept open until something fails."""
        try:
            if self._client is None:
                hook = self.feed.create_hook(self.trigger.conn_id)
                self._client = await self._stack.enter_async_context(hook.async_client(self._sleep))
                self.base_url = self._client.base_url
            return await self._client(flow)
        except Exception:
            await self.aclose()
            raise

    async def _sleep(self, pause: Pause) -> None:
        if pause.reason and self._pause_line.is_due():
            self.trigger.log.warning("%s", pause.reason)
        await asyncio.sleep(pause.seconds)

    async def _retry_forever(self, action: Callable[[], Awaitable[T]]) -> T:
        """Return the result of an action, retried until it succeeds: Airflow restarts a failed trigger each second."""
        failures = 0
        while True:
            try:
                result = await action()
            except Exception as error:
                await asyncio.sleep(self._pause_after(error, failures))
                failures += 1
            else:
                if failures:
                    self.trigger.log.info("the watch for each %s has resumed", self.feed.label)
                return result

    def _pause_after(self, error: Exception, failures: int) -> float:
        """Log the error, once unless it needs manual action, and return the seconds to wait."""
        message = f"the watch for each {self.feed.label} is interrupted: {error or type(error).__name__}"
        if isinstance(error, PermanentError | ValueError):
            self.trigger.log.error("%s; manual action required", message)
            return PERMANENT_ERROR_PAUSE_SECONDS
        if not failures:
            self.trigger.log.warning("%s; retrying until it succeeds", message)
        pause = min(MIN_PAUSE_SECONDS * 2.0 ** min(failures, 10), MAX_PAUSE_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(pause, min(getattr(error, "retry_after", None) or 0, MAX_RETRY_AFTER_PAUSE_SECONDS))
