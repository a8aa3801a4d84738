"""What a run is for: each thing that happened once."""

from __future__ import annotations

from collections import UserDict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset

from self_hosted.core.news import EARLIER, news_of

ASSET = Asset("things")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class ByAsset(UserDict[str, list[Any]]):
    """What Airflow gives by the asset, which before 3.3 is no key of a dictionary."""

    def __getitem__(self, asset: Any) -> list[Any]:
        return self.data[asset.name]

    def get(self, asset: Any, default: Any = None) -> Any:
        return self.data.get(asset.name, default)


class Earlier(list[Any]):
    """The events of an inlet, as Airflow gives them."""

    def before(self, moment: str) -> Earlier:
        return Earlier(event for event in self if event.timestamp <= datetime.fromisoformat(moment))

    def ascending(self, ascending: bool) -> Earlier:
        return Earlier(sorted(self, key=lambda event: event.timestamp, reverse=not ascending))

    def limit(self, count: int) -> Earlier:
        return Earlier(self[:count])


def event(minute: int, *ids: str) -> Any:
    extra = {"from_trigger": True, "payload": {"news": [{"id": one} for one in ids]}}
    return SimpleNamespace(timestamp=NOON + timedelta(minutes=minute), extra=extra)


def ids(run_for: list[Any], before: list[Any] = (), kind: type[list[Any]] = Earlier) -> list[str]:  # type: ignore[assignment]
    """Which things a run is for."""
    context: Any = {
        "triggering_asset_events": ByAsset(things=run_for),
        "inlet_events": ByAsset(things=kind(sorted([*before, *run_for], key=lambda event: event.timestamp))),
    }
    return [one["id"] for one in news_of(context, ASSET)]


def test_it_is_all_that_its_events_tell_oldest_first():
    assert ids([event(2, "c"), event(1, "a", "b")]) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", [Earlier, list], ids=["asked for", "as Airflow 3.1 gives them"])
def test_what_an_earlier_event_told_is_left_out(kind):
    assert ids([event(2, "a", "b", "c")], [event(1, "a", "b")], kind) == ["c"]


def test_what_two_events_of_the_run_tell_counts_once():
    assert ids([event(1, "a"), event(2, "a", "b")]) == ["a", "b"]


def test_what_is_told_between_the_events_of_the_run_belongs_to_who_was_first():
    assert ids([event(1, "a"), event(3, "a", "b")], [event(2, "a", "b")]) == ["a"]


def test_events_long_ago_do_not_matter():
    long_ago = [event(-minute, "a" if minute == EARLIER + 1 else "z") for minute in range(EARLIER + 2)]
    assert ids([event(1, "a")], long_ago) == ["a"]


def test_a_run_for_something_else_has_no_news():
    context: Any = {"triggering_asset_events": ByAsset(), "inlet_events": ByAsset()}
    assert news_of(context, ASSET) == []


@pytest.mark.parametrize("extra", [{}, None, {"by": "a person"}, {"payload": "text"}])
def test_events_that_others_made_are_no_news(extra):
    assert ids([SimpleNamespace(timestamp=NOON, extra=extra)]) == []


def test_the_inlet_is_asked_for():
    context: Any = {"triggering_asset_events": ByAsset(things=[event(1, "a")]), "inlet_events": ByAsset()}
    with pytest.raises(ValueError, match="inlets: the task needs 'things' among them"):
        news_of(context, ASSET)
