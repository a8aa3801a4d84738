"""Events: AYON's history, and its queue of jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from self_hosted.ayon.api import graphql
from self_hosted.ayon.api.shapes import Event, EventList, ListedEvent
from self_hosted.core.arguments import check_id, check_ids, require_json
from self_hosted.core.http.errors import ConflictError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject, check_shape

log = get_logger(__name__)

TOPIC = re.compile(r"[a-zA-Z][a-zA-Z0-9_.*]{2,64}")
RESERVED_TOPIC = "server."  # AYON's servers act on some of these, such as server.restart_requested
EVENTS_QUERY = """query ($ids: [String!], $count: Int) {
  events(ids: $ids, first: $count) { edges { node { id topic project status description summary } } }
}"""


class _Stored(TypedDict):
    id: str


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


def dispatch(
    topic: str,
    event_hash: str,
    *,
    description: str = "",
    project: str | None = None,
    summary: Mapping[str, Any] | None = None,
) -> Flow[str | None]:
    """Store an event, exactly once: AYON rejects a second one with the same hash (``POST /api/events``).

    :param topic: letters, digits, ``_``, ``.`` and ``*``, beginning with a letter; not of the form "server.…"
    :param event_hash: identifies the event in the whole studio
    :param description: one line for people
    :param project: name of the project that the event belongs to; None = the studio
    :param summary: small JSON object
    :return: id of the event; None if it was stored by an earlier call
    :raises PermissionDeniedError: if the user is neither a manager nor a service
    """
    if not TOPIC.fullmatch(check_id("topic", topic)) or topic.startswith(RESERVED_TOPIC):
        raise ValueError(f"topic must be a topic such as 'airflow.done', and none of the server's own, not {topic!r}")
    require_json("summary", summary)
    if project is not None:
        check_id("project", project)
    body = {"topic": topic, "hash": check_id("event_hash", event_hash), "description": description}
    optional = {"project": project, "summary": summary and dict(summary)}
    given = {name: value for name, value in optional.items() if value}
    try:
        reply = yield Request("POST", "/api/events", json={**body, **given}, idempotent=True)
    except ConflictError:
        log.info("Event %s: an earlier call stored it", event_hash)
        return None
    event_id = check_shape(reply, reply.json(), _Stored)["id"]
    log.info("Event %s: stored, topic %s", event_id, topic)
    return event_id


def _read_event(reply: Reply, node: ListedEvent) -> dict[str, Any]:
    try:
        summary = json.loads(node["summary"])
    except (ValueError, RecursionError):
        raise reply.malformed("unexpected response: the summary of an event is not JSON") from None
    check_shape(reply, summary, JsonObject, "summary")
    return {**node, "summary": summary, "description": reply.clean(node["description"])}
