"""Events: AYON's history, and its queue of jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.ayon.api.studio import graphql
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.question import GONE, Seen

ENDS = {"finished", "failed", "aborted"}  # one that was restarted is on its way again
EVENTS = """query ($ids: [String!], $count: Int) {
  events(ids: $ids, first: $count) { edges { node { id topic project status description summary } } }
}"""


def event(event_id: str) -> Flow[dict[str, Any]]:
    """One event: ``GET /api/events/{id}``.

    :param event_id: its id
    :return: {id, topic, project, user, sender, status, description, summary: {...}, payload: {...}, ...}
    """
    return (yield Request("GET", f"/api{url_path('events', event_id)}")).json()  # type: ignore[no-any-return]


def events(event_ids: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    """Many events, by one request: ``POST /graphql``. Logs and what the studio's plan hides are left out.

    :param event_ids: their ids
    :return: [{id, topic, project, status, description, summary: {...}}, ...]
    """
    if not event_ids:
        return []
    found = yield from graphql(EVENTS, {"ids": list(event_ids), "count": len(event_ids)})
    nodes = [edge["node"] for edge in found["events"]["edges"]]
    return [{**node, "summary": json.loads(node["summary"])} for node in nodes]


def look_at_events(event_ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where events stand, by one request for all but those that lists don't show.

    :param event_ids: their ids
    """
    found = {one["id"]: _seen_event(one) for one in (yield from events(event_ids))}
    for event_id in event_ids:
        if event_id not in found:
            found[event_id] = yield from _look_at_event(event_id)
    return found


def _look_at_event(event_id: str) -> Flow[Seen]:
    try:
        return _seen_event((yield from event(event_id)))
    except NotFound:
        return GONE


def _seen_event(event: Mapping[str, Any]) -> Seen:
    facts = {name: event[name] for name in ("topic", "project", "description", "summary")}
    return Seen(event["status"], event["status"] in ENDS, facts)
