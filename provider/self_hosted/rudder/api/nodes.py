"""Nodes: their state, and when their agents last ran."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import datetime

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.timestamps import read_timestamp
from self_hosted.rudder.api.ids import check_object_id
from self_hosted.rudder.api.shapes import Node
from self_hosted.rudder.errors import clean_texts, unwrap_first, unwrap_list

SHOWN_TEXTS = ("status", "state", "lastRunDate")
INCLUDED = "minimal,state,lastRunDate"  # Rudder has no pagination, and its default details of all nodes are large


def get(node_id: str) -> Flow[Node]:
    """Return one node, accepted or pending (``GET /nodes/{id}``).

    :param node_id: its id, not its host name
    :return: Rudder's JSON: ``id``, ``hostname``, ``status``, ``state``, ``lastRunDate``. ``status`` is "accepted" or
        "pending". ``lastRunDate`` is the start of its last run by the node's own clock; absent before the first run
    :raises NotFoundError: if there is no such node, or the account may not see it
    """
    path = url_path("nodes", check_object_id("node_id", node_id, "node"))
    reply = yield Request("GET", path, query={"include": INCLUDED})
    return clean_texts(reply, unwrap_first(reply, "nodes", Node), SHOWN_TEXTS)


def list_accepted(node_ids: Collection[str] | None = None) -> Flow[list[Node]]:
    """Return accepted nodes (``GET /nodes``).

    :param node_ids: only nodes with these ids; None = all
    :return: each as `get` returns it
    """
    return (yield from _list("/nodes", node_ids))


def list_pending(node_ids: Collection[str] | None = None) -> Flow[list[Node]]:
    """Return nodes that wait to be accepted (``GET /nodes/pending``).

    :param node_ids: only nodes with these ids; None = all
    :return: each as `get` returns it
    """
    return (yield from _list("/nodes/pending", node_ids))


def get_last_run(node: Node) -> datetime | None:
    """Return the start of the last run of a node's agent, by the node's own clock; None before the first run.

    :param node: the result of `get`
    :raises ServerError: if the time is malformed
    """
    last_run = node.get("lastRunDate")
    try:
        return read_timestamp(last_run) if last_run else None
    except ValueError:
        raise ServerError(f"unexpected response: lastRunDate of node {node['id']}: not a time: {last_run!r}") from None


def page_url(base_url: str, node_id: str) -> str:
    """Return the page of a node in Rudder's web interface.

    :param base_url: the connection's base URL
    :param node_id: its id
    """
    return base_url + url_path("secure", "nodeManager", "node", node_id)


def _list(path: str, node_ids: Collection[str] | None) -> Flow[list[Node]]:
    query = {"include": INCLUDED} if node_ids is None else {"include": INCLUDED, **_search_by_ids(node_ids)}
    reply = yield Request("GET", path, query=query)
    return [clean_texts(reply, node, SHOWN_TEXTS) for node in unwrap_list(reply, "nodes", Node)]


def _search_by_ids(node_ids: Collection[str]) -> dict[str, str]:
    """Return a search for nodes, policy servers included, which Rudder leaves out by default."""
    if isinstance(node_ids, str):
        raise ValueError(f"node_ids must be a list of ids, not {node_ids!r}")
    ids = sorted(check_object_id("node_ids", node_id, "node") for node_id in node_ids)
    pattern = "|".join(map(re.escape, ids))  # Rudder matches the whole id
    criterion = {"objectType": "node", "attribute": "nodeId", "comparator": "regex", "value": pattern}
    return {"select": "nodeAndPolicyServer", "where": json.dumps([criterion])}
