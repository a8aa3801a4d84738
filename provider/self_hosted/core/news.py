"""What a run is for whose DAG runs on what happens in a product: each thing once, whatever befell triggerers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Asset, Context

EARLIER = 100  # events among which is looked for what was told before: a restart repeats the last ones before it


def news_of(context: Context, asset: Asset) -> list[dict[str, Any]]:
    """What the events of an asset tell that this run is for, oldest first; nothing when it is for other assets.

    A triggerer that ends right after Airflow stored an event tells of the same things once more. What an event before
    those of this run told of is left out, so that each thing is the business of one run.

    https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html

    :param context: the context of a task that has the asset among its ``inlets``
    :param asset: one that a `self_hosted.core.event_trigger.FeedTrigger` watches
    :return: the payload of each thing, with its ``id``
    :raises ValueError: when the task lacks the inlet
    """
    events = sorted(context["triggering_asset_events"].get(asset, []), key=lambda event: event.timestamp)
    if not events:
        return []
    first_told = _first_told(_stored(context, asset, events[-1].timestamp, len(events)))
    own = {event.timestamp for event in events}
    news: dict[str, dict[str, Any]] = {}
    for event in events:
        for thing in _things(event):
            if first_told.get(thing["id"], event.timestamp) in own:
                news.setdefault(thing["id"], thing)
    return list(news.values())


def _stored(context: Context, asset: Asset, until: datetime, own: int) -> Iterable[Any]:
    """The events of the asset up to a moment, newest first."""
    try:
        stored = context["inlet_events"][asset]
    except KeyError:
        raise ValueError(f"inlets: the task needs {asset.name!r} among them, to see what was told before") from None
    if not hasattr(stored, "before"):  # Airflow 3.1 gives all there are
        return reversed(stored)
    return stored.before(until.isoformat()).ascending(False).limit(own + EARLIER)


def _first_told(newest_first: Iterable[Any]) -> dict[str, datetime]:
    return {thing["id"]: event.timestamp for event in newest_first for thing in _things(event)}


def _things(event: Any) -> list[dict[str, Any]]:
    # others may make events of the asset, too
    payload = (event.extra or {}).get("payload")
    return payload.get("news", []) if isinstance(payload, dict) else []
