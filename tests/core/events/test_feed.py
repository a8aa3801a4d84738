"""Cursors of feeds, and the queries made with them."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta

import pytest

from self_hosted.core.events import feed
from self_hosted.core.events.feed import EPOCH, Cursor, Feed, Item, initial_cursor, read_new_items
from self_hosted.core.events.producer import MAX_ITEMS_PER_EVENT
from tests.core.events.toy_events import NOON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def item(key: str, seconds: float = 0) -> Item:
    return Item(key, at(seconds), {"id": key})


class FakeFeed:
    """A feed of given items; it records its queries."""

    def __init__(self, *items: Item) -> None:
        self.items, self.ignores_start = list(items), False
        self.queries: list[tuple[datetime, int]] = []
        self.feed = Feed("some.Hook", "item", self.read, self.newest, overlap=60)

    def read(self, start, offset, rows):
        self.queries.append((start, offset))
        yield from ()
        found = sorted(
            (item for item in self.items if self.ignores_start or item.time >= start), key=lambda item: item.time
        )
        return found[offset : offset + rows]

    def newest(self):
        yield from ()
        return max((item.time for item in self.items), default=None)

    def read_new_items(self, cursor):
        return run_to_end(read_new_items(self.feed, cursor, {}))

    def initial_cursor(self, since=None):
        return run_to_end(initial_cursor(self.feed, since, {}))


def run_to_end(flow):
    with pytest.raises(StopIteration) as end:
        next(flow)
    return end.value.value


def cursor_after(*items: Item, cursor: Cursor | None = None) -> Cursor:
    return (cursor or Cursor(EPOCH)).after(items, 60)


def test_items_since_the_start_are_returned_oldest_first():
    source = FakeFeed(item("b", 2), item("a", 1))
    assert [item.id for item in source.read_new_items(Cursor(at(0)))] == ["a", "b"]


def test_delivered_items_are_not_new_and_cost_one_request():
    source = FakeFeed(item("a", 1), item("b", 1))
    cursor = cursor_after(*source.items)
    assert source.read_new_items(cursor) == []
    assert source.queries == [(at(-59), 0)]


def test_items_with_the_same_time_are_all_delivered():
    source = FakeFeed(item("a", 1), item("b", 1))
    assert [item.id for item in source.read_new_items(cursor_after(item("a", 1)))] == ["b"]


def test_an_item_that_appears_late_is_new():
    source = FakeFeed(item("late", -50))
    assert [item.id for item in source.read_new_items(cursor_after(item("a", 0)))] == ["late"]


def test_further_pages_are_read_until_one_has_new_items(monkeypatch):
    monkeypatch.setattr(feed, "PAGE_SIZE", 2)
    source = FakeFeed(*(item(str(number), number) for number in range(7)))
    cursor = cursor_after(*source.items[:4])
    assert [item.id for item in source.read_new_items(cursor)] == ["4", "5"]
    assert [offset for _, offset in source.queries] == [0, 2, 4]


def test_items_from_before_the_start_are_not_new():
    source = FakeFeed(item("old", -61))
    source.ignores_start = True
    assert source.read_new_items(cursor_after(item("a"))) == []


def test_a_cursor_never_moves_backwards():
    cursor = cursor_after(item("a", 100))
    assert cursor.start == at(40)
    assert cursor_after(item("late", 45), cursor=cursor).start == at(40)
    assert cursor_after(cursor=cursor) == cursor


def test_a_full_cursor_drops_the_oldest_ids_and_starts_after_them(monkeypatch):
    monkeypatch.setattr(feed, "MAX_DELIVERED_IDS", 3)
    source = FakeFeed(*(item(str(number), number) for number in range(6)))
    cursor = cursor_after(*source.items)
    assert set(cursor.delivered) == {"3", "4", "5"}
    assert cursor.start == at(3)
    assert source.read_new_items(cursor) == []


def test_ids_are_kept_beyond_the_overlap_so_that_a_changed_item_is_not_new():
    cursor = cursor_after(item("b", 1000), cursor=cursor_after(item("a", 0)))
    assert FakeFeed(item("a", 1001)).read_new_items(cursor) == []


def test_many_items_with_the_same_time_are_all_kept(monkeypatch):
    monkeypatch.setattr(feed, "MAX_DELIVERED_IDS", 3)
    source = FakeFeed(*(item(str(number)) for number in range(10)))
    assert source.read_new_items(cursor_after(*source.items)) == []


def test_a_stored_cursor_is_restored():
    cursor = Cursor(at(0.25), {"a": at(1)}, {"b": at(2), "c": at(3)})
    assert Cursor.from_json(json.loads(json.dumps(cursor.as_json()))) == cursor


def test_a_full_cursor_stays_below_the_size_that_airflow_warns_about():
    cursor = cursor_after(*(item(f"{number:036}", number / 7) for number in range(2000)))
    full = cursor.sending([item(f"{number:036}", 3000) for number in range(MAX_ITEMS_PER_EVENT)])
    assert len(json.dumps(full.as_json())) < 65_535


def test_items_in_flight_are_queried_again_after_later_deliveries():
    source = FakeFeed(item("lost", 0), *(item(str(number), 1000 + number) for number in range(600)))
    cursor = Cursor(at(-1)).sending(source.items[:1])
    for page in (source.items[1:300], source.items[300:]):
        cursor = cursor_after(*page, cursor=cursor)
    assert cursor.start == at(0)
    assert [item.id for item in source.read_new_items(cursor)] == ["lost"]
    cursor = cursor_after(source.items[0], cursor=cursor)
    assert cursor.in_flight == {}
    assert cursor.start == at(1539)
    assert source.read_new_items(cursor) == []


def test_existing_items_are_skipped_at_the_first_start(monkeypatch):
    monkeypatch.setattr(feed, "PAGE_SIZE", 2)
    source = FakeFeed(*(item(str(number), number) for number in range(7)), item("old", -600))
    cursor = source.initial_cursor()
    monkeypatch.undo()
    assert source.read_new_items(cursor) == []
    source.items += [item("late", 0), item("new", 7)]
    assert [item.id for item in source.read_new_items(cursor)] == ["late", "new"]


def test_the_first_item_of_an_empty_feed_is_new():
    source = FakeFeed()
    cursor = source.initial_cursor()
    source.items.append(item("a", -1_000_000))
    assert [item.id for item in source.read_new_items(cursor)] == ["a"]


def test_items_since_a_given_time_are_new():
    source = FakeFeed(item("a", -1), item("b", 0), item("c", 1))
    assert [item.id for item in source.read_new_items(source.initial_cursor("2026-11-24T12:00:00"))] == ["b", "c"]


@pytest.mark.parametrize("seed", range(20))
def test_each_item_is_delivered_once_in_any_order_of_appearance(seed, monkeypatch):
    monkeypatch.setattr(feed, "PAGE_SIZE", 5)
    generator = random.Random(seed)
    appearances = [(number + generator.uniform(0, 40), item(str(number), number)) for number in range(300)]
    source, cursor, delivered = FakeFeed(), Cursor(at(0)), []
    for now in range(0, 400, 3):
        source.items = [item for visible_at, item in appearances if visible_at <= now]
        while items := source.read_new_items(cursor):
            delivered += [item.id for item in items]
            cursor = Cursor.from_json(cursor.after(items, 60).as_json())
    assert sorted(delivered, key=int) == [str(number) for number in range(300)]
