"""Nodes: their state, and when their agents last ran."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from self_hosted.core.arguments import read_timestamp
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.rudder.errors import unwrap, unwrap_first

INCLUDED = "minimal,state,lastRunDate"  # Rudder has no pagination, and its default details of all nodes are large


def get(node_id: str) -> Flow[dict[str, Any]]:
    """Return one node, accepted or pending (``GET /nodes/{id}``).

    :param node_id: its id, not its host name
    :return: Rudder's JSON: ``id``, ``hostname``, ``status``, ``state``, ``lastRunDate``. ``status`` is "accepted" or
        "pending". ``lastRunDate`` is the start of its last run by the node's own clock; absent before the first run
    :raises NotFoundError: if there is no such node, or the account may not see it
    """
    return unwrap_first((yield Request("GET", url_path("nodes", node_id), query={"include": INCLUDED})), "nodes")


def list_accepted(node_ids: Collection[str] | None = None) -> Flow[list[dict[str, Any]]]:
    """Return accepted nodes (``GET /nodes``).

    :param node_ids: only nodes with these ids; None = all
    :return: each as `get` returns it
    """
    return (yield from _list("/nodes", node_ids))


def list_pending(node_ids: Collection[str] | None = None) -> Flow[list[dict[str, Any]]]:
    """Return nodes that wait to be accepted (``GET /nodes/pending``).

    :param node_ids: only nodes with these ids; None = all
    :return: each as `get` returns it
    """
    return (yield from _list("/nodes/pending", node_ids))


def get_last_run(node: Mapping[str, Any]) -> datetime | None:
    """Return the start of the last run of a node's agent, by the node's own clock; None before the first run.

    :param node: the result of `get`
    """
    return read_timestamp(node["lastRunDate"]) if node.get("lastRunDate") else None


def page_url(base_url: str, node_id: str) -> str:
    """Return the page of a node in Rudder's web interface.

    :param base_url: the connection's base URL
    :param node_id: its id
    """
    return base_url + url_path("secure", "nodeManager", "node", node_id)


def _list(path: str, node_ids: Collection[str] | None) -> Flow[list[dict[str, Any]]]:
    query = {"include": INCLUDED} if node_ids is None else {"include": INCLUDED, **_search_by_ids(node_ids)}
    nodes: list[dict[str, Any]] = unwrap((yield Request("GET", path, query=query)), "nodes")
    return nodes


def _search_by_ids(node_ids: Collection[str]) -> dict[str, str]:
    """Return a search for nodes, policy servers included, which Rudder leaves out by default."""
    pattern = "|".join(map(re.escape, sorted(node_ids)))  # Rudder matches the whole id
    criterion = {"objectType": "node", "attribute": "nodeId", "comparator": "regex", "value": pattern}
    return {"select": "nodeAndPolicyServer", "where": json.dumps([criterion])}
