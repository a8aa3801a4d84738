"""Event triggers of Airflow 3.3, which confirms stored events: no item is lost, and possible duplicates are marked."""

from __future__ import annotations

import asyncio
import time

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow confirms events since 3.3")

from airflow.sdk import Asset
from airflow.sdk.execution_time.context import AssetStateStoreAccessors

from self_hosted.core.events import producer
from self_hosted.core.http.errors import UnavailableError
from tests.core.events.toy_events import AssetStore, EventfulToy, ToyEventTrigger, Triggerer, item_ids

pytestmark = pytest.mark.usefixtures("hook")


@pytest.fixture(scope="module")
def _served(serve):
    return serve(EventfulToy())


async def wait_for_polls(toy, count):
    """Wait until the feed has been polled some more times."""
    until = toy.count_requests("GET", "/events") + count
    async with asyncio.timeout(60):
        while toy.count_requests("GET", "/events") < until:
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _no_event_spacing(monkeypatch):
    """Deliver events without the pause that only a scheduler needs."""
    monkeypatch.setattr(producer, "MIN_EVENT_SPACING_SECONDS", 0.0)


def make_trigger(**arguments):
    return ToyEventTrigger(**{"since": "2000-01-01", **arguments})


async def test_confirmed_items_are_not_redelivered_by_the_next_triggerer(toy):
    toy.add_events("a", "b")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as first:
        assert item_ids(await first.confirm(2)) == ["a", "b"]
    toy.add_events("c")
    async with Triggerer(make_trigger(), asset) as second:
        assert await second.confirm(1) == [{"id": "c", "topic": "all", "link": "toy", "redelivered": False}]
        assert second.events_fired == []
    assert asset.cursor()["in_flight"] == {}


async def test_the_items_of_one_poll_are_one_event(toy):
    toy.add_events("a", "b")
    toy.add_events("c", at=1)
    async with Triggerer(make_trigger(), AssetStore()) as triggerer:
        await triggerer.next_items(1)
        assert [item_ids(payload["items"]) for payload, _ in triggerer.events_fired] == [["a", "b", "c"]]


async def test_events_are_spaced_so_that_each_creates_a_run(toy, monkeypatch):
    monkeypatch.setattr(producer, "MIN_EVENT_SPACING_SECONDS", 0.5)
    toy.add_events("a")
    async with Triggerer(make_trigger(), AssetStore()) as triggerer:
        await triggerer.confirm(1)
        toy.add_events("b")
        began = time.monotonic()
        await triggerer.confirm(1)
        assert time.monotonic() - began > 0.4


async def test_unconfirmed_items_are_redelivered_and_marked(toy):
    toy.add_events("a", "b")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as first:
        assert [payload["redelivered"] for payload in await first.next_items(2)] == [False, False]
    toy.add_events("c", at=1)
    async with Triggerer(make_trigger(), asset) as second:
        items = await second.confirm(3)
    assert {payload["id"]: payload["redelivered"] for payload in items} == {"a": True, "b": True, "c": False}
    async with Triggerer(make_trigger(), asset) as third:
        toy.add_events("d")
        assert item_ids(await third.next_items(1)) == ["d"]


async def test_only_the_unconfirmed_events_of_a_poll_are_redelivered(toy, monkeypatch):
    monkeypatch.setattr(producer, "MAX_ITEMS_PER_EVENT", 2)
    toy.add_events("a", "b", "c")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as first:
        assert item_ids(await first.confirm(1)) == ["a", "b"]
        assert item_ids(await first.next_items(1)) == ["c"]
    async with Triggerer(make_trigger(), asset) as second:
        assert [(payload["id"], payload["redelivered"]) for payload in await second.confirm(1)] == [("c", True)]
        await wait_for_polls(toy, 3)
        assert second.events_fired == []


async def test_items_stay_marked_as_redelivered_after_a_second_crash(toy):
    toy.add_events("a")
    asset = AssetStore()
    for redelivered in (False, True, True):
        async with Triggerer(make_trigger(), asset) as triggerer:
            assert [payload["redelivered"] for payload in await triggerer.next_items(1)] == [redelivered]


async def test_ids_in_flight_that_no_longer_exist_are_dropped(toy):
    toy.add_events("a")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as first:
        await first.next_items(1)
    toy.stored_events.clear()
    async with Triggerer(make_trigger(), asset) as second:
        await wait_for_polls(toy, 3)
        toy.add_events("b")
        await second.confirm(1)
    assert asset.cursor()["in_flight"] == {}


async def test_crashes_during_the_backlog_of_an_outage_lose_no_item(toy, monkeypatch):
    monkeypatch.setattr(producer, "MAX_ITEMS_PER_EVENT", 3)
    for day in range(20):
        toy.add_events(f"day {day}", at=day * 86_400)
    toy.add_events("irrelevant", at=50 * 86_400, kind="irrelevant")
    asset, delivered = AssetStore(), list[str]()
    for _ in range(3):
        async with Triggerer(make_trigger(), asset) as triggerer:
            delivered += item_ids(await triggerer.confirm(1))
            await triggerer.next_items(1)
    async with Triggerer(make_trigger(), asset) as triggerer:
        while len(delivered) < 20:
            delivered += item_ids(await triggerer.confirm(1))
    assert delivered == [f"day {day}" for day in range(20)]


async def test_an_event_that_airflow_fails_to_store_is_redelivered_after_a_restart(toy):
    toy.add_events("a")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as first:
        await first.next_items(1)
        # as Airflow does when the confirmation does not come in time
        first.manager._groups["ToyEventTrigger", 7]._resolve_subscriber(event_id=0, trigger_id=7, resolution="failed")
        toy.add_events("b", at=1000)
        await asyncio.sleep(0.1)  # a producer that ignored the failure would poll twice meanwhile
        assert item_ids(await first.next_items(1)) == ["a"]
    async with Triggerer(make_trigger(), asset) as second:
        assert [(item["id"], item["redelivered"]) for item in await second.confirm(2)] == [("a", True), ("b", False)]


async def test_ids_are_saved_as_in_flight_before_their_event(toy):
    toy.add_events("a")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as triggerer:
        await triggerer.next_items(1)
        assert asset.cursor()["in_flight"] == {"a": "2026-11-24T12:00:00+00:00"}
        assert asset.cursor()["delivered"] == {}
        await triggerer.confirm(1)
        assert asset.cursor()["in_flight"] == {}
        assert list(asset.cursor()["delivered"]) == ["a"]


async def test_the_initial_cursor_is_saved_before_the_first_event(toy):
    toy.add_events("before")
    asset = AssetStore()
    async with Triggerer(make_trigger(since=None), asset):
        await asyncio.wait_for(asset.saved.wait(), 60)
    toy.add_events("while it was down")
    async with Triggerer(make_trigger(since=None), asset) as second:
        assert item_ids(await second.confirm(1)) == ["while it was down"]


async def test_thousands_of_items_are_delivered_completely_and_in_order(toy):
    names = [f"{number:05}" for number in range(2500)]
    for number, name in enumerate(names):
        toy.add_events(name, at=number / 100)
    delivered: list[str] = []
    async with Triggerer(make_trigger(), AssetStore()) as triggerer:
        while len(delivered) < len(names):
            delivered += item_ids(await triggerer.confirm(1))
    assert delivered == names


@pytest.mark.parametrize("when", ["before the first event", "before an event", "before the confirmation"])
async def test_a_short_failure_of_the_state_store_loses_no_item(toy, monkeypatch, when):
    monkeypatch.setattr(producer, "MIN_PAUSE_SECONDS", 0.02)
    asset = AssetStore()
    asset.failures = 3 if when == "before the first event" else 0
    async with Triggerer(make_trigger(), asset) as triggerer:
        await asyncio.wait_for(asset.saved.wait(), 60)
        asset.failures = 3 if when == "before an event" else 0
        toy.add_events("a")
        await triggerer.next_items(1)
        asset.failures = 3 if when == "before the confirmation" else 0
        await triggerer.confirm(1)
        toy.add_events("b")
        assert [(item["id"], item["link"], item["redelivered"]) for item in await triggerer.confirm(1)] == [
            ("b", "toy", False)
        ]


async def test_a_failure_of_the_state_store_keeps_the_base_url_of_links(toy, monkeypatch):
    monkeypatch.setattr(producer, "MIN_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(producer, "MAX_ITEMS_PER_EVENT", 1)
    toy.add_events("a", "b")
    asset = AssetStore()
    async with Triggerer(make_trigger(), asset) as triggerer:
        await triggerer.next_items(1)
        asset.failures = 3
        assert [(await triggerer.confirm(1))[0]["link"] for _ in range(2)] == ["toy", "toy"]


async def test_every_watched_asset_stores_the_cursor_and_the_newest_is_used(toy):
    toy.add_events("a")
    first_store, second_store = AssetStore(), AssetStore()
    async with Triggerer(make_trigger(), first_store, second_store) as first:
        await first.confirm(1)
    assert first_store.values == second_store.values
    older = dict(first_store.values)
    toy.add_events("b", at=100)
    async with Triggerer(make_trigger(), first_store) as second:
        await second.confirm(1)
    assert second_store.values == older
    toy.add_events("c", at=100)
    async with Triggerer(make_trigger(), second_store, first_store) as third:
        assert item_ids(await third.confirm(1)) == ["c"]
    assert first_store.values == second_store.values


async def test_two_triggers_in_one_triggerer_have_separate_streams(toy):
    toy.add_events("a")
    x_trigger, y_trigger = make_trigger(topic="x"), make_trigger(topic="y")
    asset = AssetStore()
    async with Triggerer(x_trigger, asset) as first, Triggerer(y_trigger, asset) as second:
        assert [(await first.confirm(1))[0]["topic"], (await second.confirm(1))[0]["topic"]] == ["x", "y"]
    assert sorted(asset.values) == sorted([x_trigger.state_key, y_trigger.state_key])


def test_stores_returns_one_accessor_per_asset():
    trigger = make_trigger()
    trigger.asset_state_store = AssetStateStoreAccessors(inlets=[Asset("first"), Asset("second")])
    assert [(store._name, hasattr(store, "aget"), hasattr(store, "aset")) for store in trigger.stores] == [
        ("first", True, True),
        ("second", True, True),
    ]


def test_the_producer_has_all_methods_of_the_airflow_interface():
    from airflow.triggers.shared_stream import SharedStreamProducer

    required = {name for name in vars(SharedStreamProducer) if not name.startswith("_")}
    assert required <= set(vars(producer.FeedProducer))


@pytest.mark.parametrize(("retry_after", "pause"), [(120, 120), (3600, 3600), (24 * 3600, 3600), (1e308, 3600)])
def test_a_pause_is_an_hour_at_most(retry_after, pause):
    follower = producer.FeedProducer(make_trigger())
    assert follower._pause_after(UnavailableError("later", retry_after=retry_after), 0) == pause
