"""Cursors of feeds, and what is asked with them."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta

import pytest

from self_hosted.core import feed as feed_module
from self_hosted.core.feed import EPOCH, Cursor, Feed, Item, first_cursor, moment, news
from self_hosted.core.follower import AT_ONCE
from tests.core.events import NOON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def item(key: str, seconds: float = 0) -> Item:
    return Item(key, at(seconds), {"id": key})


class Shelf:
    """A feed of what lies on a shelf, and what it was asked."""

    def __init__(self, *items: Item) -> None:
        self.items, self.coarse = list(items), False
        self.asked: list[tuple[datetime, int]] = []
        self.feed = Feed("some.Hook", "thing", self.read, self.newest, overlap=60)

    def read(self, start, offset, rows):
        self.asked.append((start, offset))
        yield from ()
        found = sorted((one for one in self.items if self.coarse or one.time >= start), key=lambda one: one.time)
        return found[offset : offset + rows]

    def newest(self):
        yield from ()
        return max((one.time for one in self.items), default=None)

    def news(self, cursor):
        return done(news(self.feed, cursor, {}))

    def first(self, since=None):
        return done(first_cursor(self.feed, since, {}))


def done(flow):
    with pytest.raises(StopIteration) as end:
        next(flow)
    return end.value.value


def told(*items: Item, cursor: Cursor | None = None) -> Cursor:
    return (cursor or Cursor(EPOCH)).after(items, 60)


def test_what_happened_since_is_news_oldest_first():
    shelf = Shelf(item("b", 2), item("a", 1))
    assert [one.id for one in shelf.news(Cursor(at(0)))] == ["a", "b"]


def test_what_was_told_is_no_news_and_costs_one_request():
    shelf = Shelf(item("a", 1), item("b", 1))
    cursor = told(*shelf.items)
    assert shelf.news(cursor) == []
    assert shelf.asked == [(at(-59), 0)]


def test_of_things_at_the_same_time_each_is_told():
    shelf = Shelf(item("a", 1), item("b", 1))
    assert [one.id for one in shelf.news(told(item("a", 1)))] == ["b"]


def test_what_shows_up_late_is_news():
    shelf = Shelf(item("late", -50))
    assert [one.id for one in shelf.news(told(item("a", 0)))] == ["late"]


def test_further_pages_are_asked_for_until_something_is_new(monkeypatch):
    monkeypatch.setattr(feed_module, "PAGE", 2)
    shelf = Shelf(*(item(str(number), number) for number in range(7)))
    cursor = told(*shelf.items[:4])
    assert [one.id for one in shelf.news(cursor)] == ["4", "5"]
    assert [offset for _, offset in shelf.asked] == [0, 2, 4]


def test_a_server_with_a_coarse_clock_may_return_what_is_before_the_start():
    shelf = Shelf(item("old", -61))
    shelf.coarse = True
    assert shelf.news(told(item("a"))) == []


def test_a_cursor_moves_on_and_never_back():
    cursor = told(item("a", 100))
    assert cursor.start == at(40)
    assert told(item("late", 45), cursor=cursor).start == at(40)
    assert told(cursor=cursor) == cursor


def test_a_cursor_forgets_the_oldest_and_never_asks_for_it_again(monkeypatch):
    monkeypatch.setattr(feed_module, "MOST_TOLD", 3)
    shelf = Shelf(*(item(str(number), number) for number in range(6)))
    cursor = told(*shelf.items)
    assert set(cursor.told) == {"3", "4", "5"}
    assert cursor.start == at(3)
    assert shelf.news(cursor) == []


def test_ids_are_remembered_past_the_overlap_so_that_what_is_changed_later_is_no_news():
    cursor = told(item("b", 1000), cursor=told(item("a", 0)))
    assert Shelf(item("a", 1001)).news(cursor) == []


def test_many_at_the_same_time_are_all_remembered(monkeypatch):
    monkeypatch.setattr(feed_module, "MOST_TOLD", 3)
    shelf = Shelf(*(item(str(number)) for number in range(10)))
    assert shelf.news(told(*shelf.items)) == []


def test_a_cursor_is_the_same_after_it_was_stored():
    cursor = Cursor(at(0.25), {"a": at(1)}, {"b": at(2), "c": at(3)})
    assert Cursor.from_json(json.loads(json.dumps(cursor.as_json()))) == cursor


def test_a_full_cursor_stays_below_what_airflow_warns_of():
    cursor = told(*(item(f"{number:036}", number / 7) for number in range(2000)))
    full = cursor.sending([item(f"{number:036}", 3000) for number in range(AT_ONCE)])
    assert len(json.dumps(full.as_json())) < 65_535


def test_what_is_on_its_way_is_asked_for_again_whatever_was_told_since():
    shelf = Shelf(item("lost", 0), *(item(str(number), 1000 + number) for number in range(600)))
    cursor = Cursor(at(-1)).sending(shelf.items[:1])
    for some in (shelf.items[1:300], shelf.items[300:]):
        cursor = told(*some, cursor=cursor)
    assert cursor.start == at(0)
    assert [one.id for one in shelf.news(cursor)] == ["lost"]
    cursor = told(shelf.items[0], cursor=cursor)
    assert cursor.sent == {}
    assert cursor.start == at(1539)
    assert shelf.news(cursor) == []


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000000", "2026-11-24T13:00:00+01:00"])
def test_moments_are_read_as_products_write_them(text):
    assert moment(text) == NOON


def test_what_is_there_at_the_first_look_is_passed_over(monkeypatch):
    monkeypatch.setattr(feed_module, "PAGE", 2)
    shelf = Shelf(*(item(str(number), number) for number in range(7)), item("old", -600))
    cursor = shelf.first()
    monkeypatch.undo()
    assert shelf.news(cursor) == []
    shelf.items += [item("late", 0), item("new", 7)]
    assert [one.id for one in shelf.news(cursor)] == ["late", "new"]


def test_where_nothing_ever_happened_the_first_thing_is_news():
    shelf = Shelf()
    cursor = shelf.first()
    shelf.items.append(item("a", -1_000_000))
    assert [one.id for one in shelf.news(cursor)] == ["a"]


def test_what_happened_since_a_given_moment_is_news():
    shelf = Shelf(item("a", -1), item("b", 0), item("c", 1))
    assert [one.id for one in shelf.news(shelf.first("2026-11-24T12:00:00"))] == ["b", "c"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_order_in_which_things_show_up_each_is_told_once(seed, monkeypatch):
    monkeypatch.setattr(feed_module, "PAGE", 5)
    chance = random.Random(seed)
    happening = [(number + chance.uniform(0, 40), item(str(number), number)) for number in range(300)]
    shelf, cursor, seen = Shelf(), Cursor(at(0)), []
    for now in range(0, 400, 3):
        shelf.items = [one for shown_at, one in happening if shown_at <= now]
        while fresh := shelf.news(cursor):
            seen += [one.id for one in fresh]
            cursor = Cursor.from_json(cursor.after(fresh, 60).as_json())
    assert sorted(seen, key=int) == [str(number) for number in range(300)]
