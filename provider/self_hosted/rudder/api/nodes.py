"""Nodes: when their agents ran last."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.rudder.api.answers import first, unwrapped

INCLUDED = "minimal,state,lastRunDate"  # Rudder has no pages, and its default details of all nodes are a lot


def node(node_id: str) -> Flow[dict[str, Any]]:
    """One node, accepted or pending (``GET /nodes/{id}``).

    :param node_id: its id, not its host name
    :return: ``{id, hostname, status, state, lastRunDate}``; ``status`` is "accepted" or "pending", and ``lastRunDate``,
        which is left out of a node that never ran, is when its last run began, by the node's own clock
    :raises NotFound: when there is no such node, or the account may not see it
    """
    return first((yield Request("GET", url_path("nodes", node_id), query={"include": INCLUDED})), "nodes")


def nodes(node_ids: Collection[str] | None = None) -> Flow[list[dict[str, Any]]]:
    """Accepted nodes (``GET /nodes``).

    :param node_ids: only those of them with these ids; all if None
    :return: each as `node` has it
    """
    return (yield from _listed("/nodes", node_ids))


def pending_nodes(node_ids: Collection[str] | None = None) -> Flow[list[dict[str, Any]]]:
    """Nodes that wait to be accepted (``GET /nodes/pending``).

    :param node_ids: only those of them with these ids; all if None
    :return: each as `node` has it
    """
    return (yield from _listed("/nodes/pending", node_ids))


def last_run(node: Mapping[str, Any]) -> datetime | None:
    """When the last run of a node's agent began, by the node's own clock; None before the first.

    :param node: as `node` returns it
    """
    return moment_of(node["lastRunDate"]) if node.get("lastRunDate") else None


def run_key(node_id: str, since: datetime) -> str:
    """What stands for a run of a node's agent that is waited for; `run_of` reads it.

    :param node_id: the node
    :param since: the run must have begun later
    """
    return f"{node_id}/{since.astimezone(UTC).isoformat()}"


def run_of(key: str) -> tuple[str, datetime]:
    """Node and moment, from what `run_key` made."""
    node_id, _, since = key.rpartition("/")
    return node_id, moment_of(since)


def moment_of(given: str | datetime) -> datetime:
    """A moment, given as such or in ISO 8601.

    :raises ValueError: when it is no moment, or does not tell its time zone
    """
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given).strip())
    if moment.tzinfo is None:
        raise ValueError(f"{given!r} does not tell its time zone")
    return moment


def node_page(base_url: str, node_id: str) -> str:
    """Where Rudder's web interface shows a node.

    :param base_url: the connection's base URL
    :param node_id: the node's id
    """
    return base_url + url_path("secure", "nodeManager", "node", node_id)


def _listed(path: str, node_ids: Collection[str] | None) -> Flow[list[dict[str, Any]]]:
    query = {"include": INCLUDED} if node_ids is None else {"include": INCLUDED, **_among(node_ids)}
    found: list[dict[str, Any]] = unwrapped((yield Request("GET", path, query=query)), "nodes")
    return found


def _among(node_ids: Collection[str]) -> dict[str, str]:
    """A search for nodes by their ids, policy servers included, which Rudder leaves out unless they are asked for."""
    words = "|".join(map(re.escape, sorted(node_ids)))  # Rudder matches the whole id
    criterion = {"objectType": "node", "attribute": "nodeId", "comparator": "regex", "value": words}
    return {"select": "nodeAndPolicyServer", "where": json.dumps([criterion])}
