"""The items that a DAG run is for, when the DAG runs on events of a product: each item in one run only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Asset, Context

MAX_EARLIER_EVENTS = 100  # searched for items delivered before: a restarted triggerer repeats the last ones only


def new_items(context: Context, asset: Asset) -> list[dict[str, Any]]:
    """Return the items that a run was triggered for, oldest first; empty if it was triggered by other assets.

    A triggerer that ends right after Airflow stored an event delivers its items again. Items that an earlier event
    delivered are left out, so that each item belongs to one run.

    https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html

    :param context: the context of a task that has the asset among its ``inlets``
    :param asset: an asset watched by a `self_hosted.core.events.trigger.FeedTrigger`
    :return: the payload of each item, with its ``id``
    :raises ValueError: if the task lacks the inlet
    """
    events = sorted(context["triggering_asset_events"].get(asset, []), key=lambda event: event.timestamp)
    if not events:
        return []
    first_delivery = _first_delivery(_stored_events(context, asset, events[-1].timestamp, len(events)))
    own = {event.timestamp for event in events}
    items: dict[str, dict[str, Any]] = {}
    for event in events:
        for item in _items(event):
            if first_delivery.get(item["id"], event.timestamp) in own:
                items.setdefault(item["id"], item)
    return list(items.values())


def _stored_events(context: Context, asset: Asset, until: datetime, own: int) -> Iterable[Any]:
    """Return the events of the asset up to a time, newest first."""
    try:
        stored = context["inlet_events"][asset]
    except KeyError:
        raise ValueError(f"inlets: add the asset {asset.name!r}, so that earlier deliveries are found") from None
    if not hasattr(stored, "before"):  # Airflow 3.1 returns all events
        return reversed(stored)
    return stored.before(until.isoformat()).ascending(False).limit(own + MAX_EARLIER_EVENTS)


def _first_delivery(newest_first: Iterable[Any]) -> dict[str, datetime]:
    return {item["id"]: event.timestamp for event in newest_first for item in _items(event)}


def _items(event: Any) -> list[dict[str, Any]]:
    # other producers may add events to the asset
    payload = (event.extra or {}).get("payload")
    return payload.get("items", []) if isinstance(payload, dict) else []
