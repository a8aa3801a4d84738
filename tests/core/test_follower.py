"""Event triggers of Airflow 3.3, which confirms what it stored: nothing is lost, and what may come twice says so."""

from __future__ import annotations

import asyncio
import time

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow confirms events since 3.3")

from airflow.sdk import Asset
from airflow.sdk.execution_time.context import AssetStateStoreAccessors

from self_hosted.core import follower
from tests.core.events import Eventful, Stored, ThingTrigger, Triggerer, ids

pytestmark = pytest.mark.usefixtures("hook")


@pytest.fixture(scope="module")
def _served(serve):
    return serve(Eventful())


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Without a scheduler nobody needs the time that it takes to make a run."""
    monkeypatch.setattr(follower, "SPACING", 0.0)


def watch(**arguments):
    return ThingTrigger(**{"since": "2000-01-01", **arguments})


async def test_what_is_confirmed_is_not_told_again_by_the_next_triggerer(toy):
    toy.happen("a", "b")
    asset = Stored()
    async with Triggerer(watch(), asset) as first:
        assert ids(await first.confirm(2)) == ["a", "b"]
    toy.happen("c")
    async with Triggerer(watch(), asset) as second:
        assert await second.confirm(1) == [{"id": "c", "wanted": "all", "link": "toy", "again": False}]
        assert second.fired == []
    assert asset.cursor()["sent"] == {}


async def test_what_one_look_finds_is_one_event(toy):
    toy.happen("a", "b")
    toy.happen("c", at=1)
    async with Triggerer(watch(), Stored()) as triggerer:
        await triggerer.events(1)
        assert [ids(payload["news"]) for payload, _ in triggerer.fired] == [["a", "b", "c"]]


async def test_events_leave_airflow_the_time_to_make_a_run_of_each(toy, monkeypatch):
    monkeypatch.setattr(follower, "SPACING", 0.5)
    toy.happen("a")
    async with Triggerer(watch(), Stored()) as triggerer:
        await triggerer.confirm(1)
        toy.happen("b")
        began = time.monotonic()
        await triggerer.confirm(1)
        assert time.monotonic() - began > 0.4


async def test_what_airflow_did_not_store_is_told_again_and_says_so(toy):
    toy.happen("a", "b")
    asset = Stored()
    async with Triggerer(watch(), asset) as first:
        assert [payload["again"] for payload in await first.events(2)] == [False, False]
    toy.happen("c", at=1)
    async with Triggerer(watch(), asset) as second:
        told = await second.confirm(3)
    assert {payload["id"]: payload["again"] for payload in told} == {"a": True, "b": True, "c": False}
    async with Triggerer(watch(), asset) as third:
        toy.happen("d")
        assert ids(await third.events(1)) == ["d"]


async def test_of_some_that_are_confirmed_only_the_others_are_told_again(toy, monkeypatch):
    monkeypatch.setattr(follower, "AT_ONCE", 2)
    toy.happen("a", "b", "c")
    asset = Stored()
    async with Triggerer(watch(), asset) as first:
        assert ids(await first.confirm(1)) == ["a", "b"]
        assert ids(await first.events(1)) == ["c"]
    async with Triggerer(watch(), asset) as second:
        assert [(payload["id"], payload["again"]) for payload in await second.confirm(1)] == [("c", True)]
        await asyncio.sleep(0.2)
        assert second.fired == []


async def test_what_may_have_been_told_before_a_second_death_still_says_so(toy):
    toy.happen("a")
    asset = Stored()
    for again in (False, True, True):
        async with Triggerer(watch(), asset) as triggerer:
            assert [payload["again"] for payload in await triggerer.events(1)] == [again]


async def test_what_was_on_its_way_and_is_gone_is_forgotten(toy):
    toy.happen("a")
    asset = Stored()
    async with Triggerer(watch(), asset) as first:
        await first.events(1)
    toy.happened.clear()
    async with Triggerer(watch(), asset) as second:
        before = toy.times("GET", "/events")
        while toy.times("GET", "/events") < before + 3:
            await asyncio.sleep(0.01)
        toy.happen("b")
        await second.confirm(1)
    assert asset.cursor()["sent"] == {}


async def test_of_what_is_told_after_a_long_outage_nothing_is_lost_when_the_triggerer_dies(toy, monkeypatch):
    monkeypatch.setattr(follower, "AT_ONCE", 3)
    for day in range(20):
        toy.happen(f"day {day}", at=day * 86_400)
    toy.happen("ghost", at=50 * 86_400, kind="ghost")
    asset, told = Stored(), list[str]()
    for _ in range(3):
        async with Triggerer(watch(), asset) as triggerer:
            told += ids(await triggerer.confirm(1))
            await triggerer.events(1)
    async with Triggerer(watch(), asset) as triggerer:
        while len(told) < 20:
            told += ids(await triggerer.confirm(1))
    assert told == [f"day {day}" for day in range(20)]


async def test_what_airflow_fails_to_store_is_told_by_the_next_start(toy):
    toy.happen("a")
    asset = Stored()
    async with Triggerer(watch(), asset) as first:
        await first.events(1)
        # what Airflow does when the confirmation does not come in time
        first.manager._groups["ThingTrigger", 7]._resolve_subscriber(event_id=0, trigger_id=7, resolution="failed")
        toy.happen("b", at=1000)
        await asyncio.sleep(0.2)
        assert ids(await first.events(1)) == ["a"]
    async with Triggerer(watch(), asset) as second:
        assert [(one["id"], one["again"]) for one in await second.confirm(2)] == [("a", True), ("b", False)]


async def test_what_is_to_be_told_is_saved_before_it_is_told(toy):
    toy.happen("a")
    asset = Stored()
    async with Triggerer(watch(), asset) as triggerer:
        await triggerer.events(1)
        assert asset.cursor()["sent"] == {"a": "2026-11-24T12:00:00+00:00"}
        assert asset.cursor()["told"] == {}
        await triggerer.confirm(1)
        assert asset.cursor()["sent"] == {}
        assert list(asset.cursor()["told"]) == ["a"]


async def test_where_it_began_is_saved_before_anything_happens(toy):
    toy.happen("before")
    asset = Stored()
    async with Triggerer(watch(since=None), asset):
        async with asyncio.timeout(10):
            while not asset.kept:
                await asyncio.sleep(0.01)
    toy.happen("while it was down")
    async with Triggerer(watch(since=None), asset) as second:
        assert ids(await second.confirm(1)) == ["while it was down"]


async def test_thousands_at_once_overflow_nothing_and_none_is_lost(toy):
    names = [f"{number:05}" for number in range(2500)]
    for number, name in enumerate(names):
        toy.happen(name, at=number / 100)
    told: list[str] = []
    async with Triggerer(watch(), Stored()) as triggerer:
        while len(told) < len(names):
            told += ids(await triggerer.confirm(1))
    assert told == names


@pytest.mark.parametrize("when", ["before", "while it is told", "when it is confirmed"])
async def test_a_database_that_fails_for_a_moment_loses_nothing(toy, monkeypatch, when):
    monkeypatch.setattr(follower, "FIRST_PAUSE", 0.02)
    asset = Stored()
    asset.failures = 3 if when == "before" else 0
    async with Triggerer(watch(), asset) as triggerer:
        while not asset.kept:
            await asyncio.sleep(0.01)
        asset.failures = 3 if when == "while it is told" else 0
        toy.happen("a")
        await triggerer.events(1)
        asset.failures = 3 if when == "when it is confirmed" else 0
        await triggerer.confirm(1)
        toy.happen("b")
        assert [(one["id"], one["link"], one["again"]) for one in await triggerer.confirm(1)] == [("b", "toy", False)]


async def test_a_database_that_fails_between_two_rounds_spoils_no_link(toy, monkeypatch):
    monkeypatch.setattr(follower, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(follower, "AT_ONCE", 1)
    toy.happen("a", "b")
    asset = Stored()
    async with Triggerer(watch(), asset) as triggerer:
        await triggerer.events(1)
        asset.failures = 3
        assert [(await triggerer.confirm(1))[0]["link"] for _ in range(2)] == ["toy", "toy"]


async def test_of_several_assets_each_keeps_the_cursor_and_the_newest_counts(toy):
    toy.happen("a")
    one, other = Stored(), Stored()
    async with Triggerer(watch(), one, other) as first:
        await first.confirm(1)
    assert one.kept == other.kept
    behind = dict(one.kept)
    toy.happen("b", at=100)
    async with Triggerer(watch(), one) as second:
        await second.confirm(1)
    assert other.kept == behind
    toy.happen("c", at=100)
    async with Triggerer(watch(), other, one) as third:
        assert ids(await third.confirm(1)) == ["c"]
    assert one.kept == other.kept


async def test_two_triggers_in_one_triggerer_have_a_stream_each(toy):
    toy.happen("a")
    one, other = watch(wanted="x"), watch(wanted="y")
    asset = Stored()
    async with Triggerer(one, asset) as first, Triggerer(other, asset) as second:
        assert [(await first.confirm(1))[0]["wanted"], (await second.confirm(1))[0]["wanted"]] == ["x", "y"]
    assert sorted(asset.kept) == sorted([one.state_key, other.state_key])


def test_airflows_own_accessors_are_found_one_for_each_asset():
    trigger = watch()
    trigger.asset_state_store = AssetStateStoreAccessors(inlets=[Asset("one"), Asset("other")])
    assert [(store._name, hasattr(store, "aget"), hasattr(store, "aset")) for store in trigger.stores] == [
        ("one", True, True),
        ("other", True, True),
    ]


def test_a_follower_has_all_that_airflow_asks_of_a_producer():
    from airflow.triggers.shared_stream import SharedStreamProducer

    wanted = {name for name in vars(SharedStreamProducer) if not name.startswith("_")}
    assert wanted <= set(vars(follower.Follower))
