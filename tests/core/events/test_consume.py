"""The items of a DAG run: each item belongs to one run."""

from __future__ import annotations

from collections import UserDict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset

from self_hosted.core.events.consume import MAX_EARLIER_EVENTS, new_items

ASSET = Asset("toy_events")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class ByAsset(UserDict[str, list[Any]]):
    """A mapping by asset; before Airflow 3.3, assets are not hashable."""

    def __getitem__(self, asset: Any) -> list[Any]:
        return self.data[asset.name]

    def get(self, asset: Any, default: Any = None) -> Any:
        return self.data.get(asset.name, default)


class InletEvents(list[Any]):
    """The events of an inlet, with the query methods of Airflow."""

    def before(self, moment: str) -> InletEvents:
        return InletEvents(event for event in self if event.timestamp <= datetime.fromisoformat(moment))

    def ascending(self, ascending: bool) -> InletEvents:
        return InletEvents(sorted(self, key=lambda event: event.timestamp, reverse=not ascending))

    def limit(self, count: int) -> InletEvents:
        return InletEvents(self[:count])


def event(minute: int, *item_ids: str) -> Any:
    extra = {"from_trigger": True, "payload": {"items": [{"id": item_id} for item_id in item_ids]}}
    return SimpleNamespace(timestamp=NOON + timedelta(minutes=minute), extra=extra)


def run_items(
    triggered_by: list[Any],
    earlier: list[Any] = (),  # type: ignore[assignment]
    container: type[list[Any]] = InletEvents,
) -> list[str]:
    """Return the ids of the items of a run."""
    context: Any = {
        "triggering_asset_events": ByAsset(toy_events=triggered_by),
        "inlet_events": ByAsset(
            toy_events=container(sorted([*earlier, *triggered_by], key=lambda event: event.timestamp))
        ),
    }
    return [item["id"] for item in new_items(context, ASSET)]


def test_items_of_all_triggering_events_are_returned_oldest_first():
    assert run_items([event(2, "c"), event(1, "a", "b")]) == ["a", "b", "c"]


@pytest.mark.parametrize("container", [InletEvents, list], ids=["queried", "as in Airflow 3.1"])
def test_items_of_an_earlier_event_are_left_out(container):
    assert run_items([event(2, "a", "b", "c")], [event(1, "a", "b")], container) == ["c"]


def test_an_item_of_two_triggering_events_is_returned_once():
    assert run_items([event(1, "a"), event(2, "a", "b")]) == ["a", "b"]


def test_an_item_of_two_runs_belongs_to_its_first_event():
    assert run_items([event(1, "a"), event(3, "a", "b")], [event(2, "a", "b")]) == ["a"]


def test_only_the_latest_earlier_events_are_searched():
    long_ago = [
        event(-minute, "a" if minute == MAX_EARLIER_EVENTS + 1 else "z") for minute in range(MAX_EARLIER_EVENTS + 2)
    ]
    assert run_items([event(1, "a")], long_ago) == ["a"]


def test_a_run_triggered_by_other_assets_has_no_items():
    context: Any = {"triggering_asset_events": ByAsset(), "inlet_events": ByAsset()}
    assert new_items(context, ASSET) == []


@pytest.mark.parametrize("extra", [{}, None, {"created_by": "user"}, {"payload": "text"}])
def test_events_of_other_producers_have_no_items(extra):
    assert run_items([SimpleNamespace(timestamp=NOON, extra=extra)]) == []


def test_a_missing_inlet_is_an_error():
    context: Any = {"triggering_asset_events": ByAsset(toy_events=[event(1, "a")]), "inlet_events": ByAsset()}
    with pytest.raises(ValueError, match="inlets: add the asset 'toy_events'"):
        new_items(context, ASSET)
