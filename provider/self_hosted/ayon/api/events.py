"""Events: AYON's history, and its queue of jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from self_hosted.ayon.api import graphql
from self_hosted.core.http.flow import Flow, Request, url_path

EVENTS_QUERY = """query ($ids: [String!], $count: Int) {
  events(ids: $ids, first: $count) { edges { node { id topic project status description summary } } }
}"""


def get(event_id: str) -> Flow[dict[str, Any]]:
    """Return one event (``GET /api/events/{id}``).

    :param event_id: its id
    :return: AYON's JSON: ``{id, topic, project, user, sender, status, description, summary: {...}, payload: {...}}``
    :raises NotFoundError: if there is no such event
    """
    return (yield Request("GET", f"/api{url_path('events', event_id)}")).json()  # type: ignore[no-any-return]


def list_by_ids(event_ids: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    """Return many events with one request (``POST /graphql``).

    Logs, and events that the studio's plan hides, are left out.

    :param event_ids: their ids
    :return: ``[{id, topic, project, status, description, summary: {...}}, ...]``
    """
    if not event_ids:
        return []
    data = yield from graphql.query(EVENTS_QUERY, {"ids": list(event_ids), "count": len(event_ids)})
    nodes = [edge["node"] for edge in data["events"]["edges"]]
    return [{**node, "summary": json.loads(node["summary"])} for node in nodes]
