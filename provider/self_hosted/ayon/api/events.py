"""Events: AYON's history, and its queue of jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from self_hosted.ayon.api import graphql
from self_hosted.ayon.api.shapes import Event, EventList, ListedEvent
from self_hosted.core.arguments import check_id, check_ids
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.shape import JsonObject, check_shape

EVENTS_QUERY = """query ($ids: [String!], $count: Int) {
  events(ids: $ids, first: $count) { edges { node { id topic project status description summary } } }
}"""


def get(event_id: str) -> Flow[dict[str, Any]]:
    """Return one event (``GET /api/events/{id}``).

    :param event_id: its id
    :return: AYON's JSON: ``{id, topic, project, user, sender, status, description, summary: {...}, payload: {...}}``,
        the description shortened to 500 characters
    :raises NotFoundError: if there is no such event
    """
    reply = yield Request("GET", f"/api{url_path('events', check_id('event_id', event_id))}")
    event = check_shape(reply, reply.json(), Event)
    return {"project": None, **event, "description": reply.clean(event["description"])}


def list_by_ids(event_ids: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    """Return many events with one request (``POST /graphql``).

    Logs, and events that the studio's plan hides, are left out.

    :param event_ids: their ids
    :return: ``[{id, topic, project, status, description, summary: {...}}, ...]``, descriptions shortened to 500
        characters
    """
    ids = check_ids("event_ids", event_ids)
    if not ids:
        return []
    variables = {"ids": ids, "count": len(ids)}
    reply, data = yield from graphql.fetch(EVENTS_QUERY, variables, EventList)
    return [_read_event(reply, edge["node"]) for edge in data["events"]["edges"]]


def _read_event(reply: Reply, node: ListedEvent) -> dict[str, Any]:
    try:
        summary = json.loads(node["summary"])
    except (ValueError, RecursionError):
        raise reply.malformed("unexpected response: the summary of an event is not JSON") from None
    check_shape(reply, summary, JsonObject, "summary")
    return {**node, "summary": summary, "description": reply.clean(node["description"])}
