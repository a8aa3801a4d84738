"""What a product tells of what happened in it, so that DAGs run on that: its own part of every event trigger.

Search indexes show a thing later than its time says, and several things at one time. So a cursor is no moment: it is a
moment some minutes before the newest thing that was told, and what was told since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.flow import Flow
from self_hosted.core.question import imported

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook

PAGE = 200  # things that are asked for at once
MOST_TOLD = 500  # ids in a cursor: Airflow warns of values above 64 KB
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Item(NamedTuple):
    """One thing that happened.

    :param id: by which it is known again; what shall be told again when it changes has the change in its id
    :param time: when it happened, by the product's clock
    :param payload: what the event tells of it, plain JSON, small; None for what is no DAG's business
    """

    id: str
    time: datetime
    payload: Mapping[str, Any] | None


class Feed(NamedTuple):
    """What a product is asked again and again for what is new.

    :param hook: path of the hook class, ``package.module.Class``
    :param thing: what it tells of, as a person would call it: "alert"
    :param read: a flow that takes a moment, an offset, a number of rows and the trigger's own arguments by name, and
        returns as many of the things that happened then or later, oldest first
    :param newest: a flow that takes the trigger's own arguments and returns the time of the newest thing, if any
    :param overlap: seconds that a thing may show up later than its time says
    """

    hook: str
    thing: str
    read: Callable[..., Flow[Sequence[Item]]]
    newest: Callable[..., Flow[datetime | None]]
    overlap: float = 300

    def hook_for(self, conn_id: str) -> ProductHook:
        """The product's hook, on this connection."""
        return imported(self.hook)(conn_id)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Cursor:
    """How far a feed was told.

    :param start: what happened then or later is asked for
    :param told: ids of the newest things that were told, with their times; all of those since ``start`` are among them
    :param sent: ids of which Airflow has not confirmed yet that it keeps their events, with their times
    """

    start: datetime
    told: Mapping[str, datetime] = field(default_factory=dict)
    sent: Mapping[str, datetime] = field(default_factory=dict)

    def lacks(self, item: Item) -> bool:
        """Whether a thing was not told yet; servers with coarse clocks return some from before the start, too."""
        return item.time >= self.start and item.id not in self.told

    def after(self, items: Collection[Item], overlap: float) -> Cursor:
        """How far it was told once these were, too.

        :param items: what was told
        :param overlap: see `Feed`
        """
        told = {**self.told, **_times(items)}
        if not told:
            return self
        times = sorted(told.values())
        start, oldest = times[-1] - timedelta(seconds=overlap), times[-MOST_TOLD:][0]
        if len(times) > MOST_TOLD:
            start = max(start, oldest)  # nothing is asked for again whose id is forgotten
        sent = {key: time for key, time in self.sent.items() if key not in told}
        start = max(self.start, min([start, *sent.values()]))
        return Cursor(start, {key: time for key, time in told.items() if time >= min(start, oldest)}, sent)

    def sending(self, items: Collection[Item]) -> Cursor:
        """The same while these are on their way to Airflow.

        :param items: what is told
        """
        return replace(self, sent={**self.sent, **_times(items)})

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON, to be stored; `from_json` reads it."""
        told, sent = ({key: time.isoformat() for key, time in ids.items()} for ids in (self.told, self.sent))
        return {"start": self.start.isoformat(), "told": told, "sent": sent}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Cursor:
        """The cursor that `as_json` told.

        :param stored: ``{start, told, sent}``
        """
        told, sent = ({key: moment(time) for key, time in stored[name].items()} for name in ("told", "sent"))
        return cls(moment(stored["start"]), told, sent)


def _times(items: Collection[Item]) -> dict[str, datetime]:
    return {item.id: item.time for item in items}


def moment(text: str) -> datetime:
    """A moment as products write it, in ISO 8601; in UTC where it says nothing else.

    :param text: such as "2026-11-24T18:00:00.000000Z"
    """
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def news(feed: Feed, cursor: Cursor, arguments: Mapping[str, Any]) -> Flow[list[Item]]:
    """What happened since, oldest first: a page of it. Nothing means that there is nothing at the moment.

    :param feed: what to ask
    :param cursor: how far it was told
    :param arguments: the trigger's own
    """
    offset = 0
    while True:
        page = yield from feed.read(cursor.start, offset, PAGE, **arguments)
        fresh = [item for item in page if cursor.lacks(item)]
        if fresh or len(page) < PAGE:
            return fresh
        offset += PAGE


def first_cursor(feed: Feed, since: str | None, arguments: Mapping[str, Any]) -> Flow[Cursor]:
    """Where to begin: what is there now is passed over, unless a moment is given.

    :param feed: what to ask
    :param since: a moment, in ISO 8601
    :param arguments: the trigger's own
    """
    if since:
        return Cursor(moment(since))
    newest = yield from feed.newest(**arguments)
    cursor = Cursor(newest - timedelta(seconds=feed.overlap) if newest else EPOCH)
    while newest and (passed := (yield from news(feed, cursor, arguments))):
        cursor = cursor.after(passed, feed.overlap)
    return cursor
