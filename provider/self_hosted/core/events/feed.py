"""Feeds: a product's part of an event trigger, and the cursor that marks how far a feed has been delivered.

Search indexes show an item later than its time says, and several items with the same time. So a cursor is not a single
time: it is a time some minutes before the newest delivered item, and the ids delivered since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.http.flow import Flow
from self_hosted.core.imports import import_string
from self_hosted.core.timestamps import parse_timestamp, read_timestamp

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook

PAGE_SIZE = 200
MAX_DELIVERED_IDS = 500  # in a cursor: Airflow warns about values above 64 KB
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Item(NamedTuple):
    """One thing that happened in a product.

    :param id: identifies it; to deliver a thing again when it changes, include the change in the id
    :param time: when it happened, by the product's clock
    :param payload: the content of the event: plain JSON, small; None for items that no DAG needs
    """

    id: str
    time: datetime
    payload: Mapping[str, Any] | None


class Feed(NamedTuple):
    """How new items of a product are queried.

    :param hook_class: path of the hook class, ``package.module.Class``
    :param label: noun for an item in messages: "alert"
    :param read: takes a time, an offset, a number of rows and the trigger's arguments by name, and returns the flow
        that reads as many of the items that happened then or later, oldest first
    :param newest: takes the trigger's arguments and returns the flow that reads the time of the newest item, if any
    :param overlap: seconds by which an item may appear later than its time says
    """

    hook_class: str
    label: str
    read: Callable[..., Flow[Sequence[Item]]]
    newest: Callable[..., Flow[datetime | None]]
    overlap: float = 300

    def create_hook(self, conn_id: str) -> SelfHostedHook:
        """Return the product's hook.

        :param conn_id: the Airflow connection
        """
        return import_string(self.hook_class)(conn_id)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Cursor:
    """How far a feed has been delivered.

    :param start: items that happened then or later are queried
    :param delivered: ids of the newest delivered items, with their times; includes all since ``start``
    :param in_flight: ids whose events Airflow has not confirmed yet, with their times
    """

    start: datetime
    delivered: Mapping[str, datetime] = field(default_factory=dict)
    in_flight: Mapping[str, datetime] = field(default_factory=dict)

    def is_new(self, item: Item) -> bool:
        """Whether an item is still to be delivered. Servers with coarse clocks also return some from before the start.

        :param item: an item of the feed
        """
        return item.time >= self.start and item.id not in self.delivered

    def after(self, items: Collection[Item], overlap: float) -> Cursor:
        """Return the cursor after the delivery of items.

        :param items: the delivered items
        :param overlap: see `Feed`
        """
        delivered = {**self.delivered, **_times(items)}
        if not delivered:
            return self
        times = sorted(delivered.values())
        start, oldest = times[-1] - timedelta(seconds=overlap), times[-MAX_DELIVERED_IDS:][0]
        if len(times) > MAX_DELIVERED_IDS:
            start = max(start, oldest)  # items whose ids are dropped are not queried again
        in_flight = {key: time for key, time in self.in_flight.items() if key not in delivered}
        start = max(self.start, min([start, *in_flight.values()]))
        kept = {key: time for key, time in delivered.items() if time >= min(start, oldest)}
        return Cursor(start, kept, in_flight)

    def sending(self, items: Collection[Item]) -> Cursor:
        """Return the cursor while the event of items is in flight.

        :param items: the items of the event
        """
        return replace(self, in_flight={**self.in_flight, **_times(items)})

    def as_json(self) -> dict[str, Any]:
        """Return the cursor as plain JSON; `from_json` reads it."""
        return {
            "start": self.start.isoformat(),
            "delivered": {key: time.isoformat() for key, time in self.delivered.items()},
            "in_flight": {key: time.isoformat() for key, time in self.in_flight.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Cursor:
        """Return the cursor.

        :param stored: the result of `as_json`
        """
        delivered, in_flight = (
            {key: read_timestamp(time) for key, time in stored[name].items()} for name in ("delivered", "in_flight")
        )
        return cls(read_timestamp(stored["start"]), delivered, in_flight)


def _times(items: Collection[Item]) -> dict[str, datetime]:
    return {item.id: item.time for item in items}


def read_new_items(feed: Feed, cursor: Cursor, arguments: Mapping[str, Any]) -> Flow[list[Item]]:
    """Return the next page of undelivered items, oldest first; empty if there are none at the moment.

    :param feed: what to query
    :param cursor: how far it has been delivered
    :param arguments: the trigger's arguments, by name
    """
    offset = 0
    while True:
        page = yield from feed.read(cursor.start, offset, PAGE_SIZE, **arguments)
        new = [item for item in page if cursor.is_new(item)]
        if new or len(page) < PAGE_SIZE:
            return new
        offset += PAGE_SIZE


def initial_cursor(feed: Feed, since: str | None, arguments: Mapping[str, Any]) -> Flow[Cursor]:
    """Return the cursor of a first start: existing items are skipped, unless a time is given.

    :param feed: what to query
    :param since: timestamp in ISO 8601
    :param arguments: the trigger's arguments, by name
    """
    if since:
        return Cursor(parse_timestamp("since", since))
    newest = yield from feed.newest(**arguments)
    cursor = Cursor(newest - timedelta(seconds=feed.overlap) if newest else EPOCH)
    while newest and (skipped := (yield from read_new_items(feed, cursor, arguments))):
        cursor = cursor.after(skipped, feed.overlap)
    return cursor
