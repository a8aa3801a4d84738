"""Compliance: how far nodes are in the state that rules define."""

from __future__ import annotations

from typing import Literal, get_args

from self_hosted.core.arguments import parse_choice
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.rudder.api.ids import check_object_id
from self_hosted.rudder.api.shapes import Compliance
from self_hosted.rudder.errors import unwrap_first, unwrap_list

Kind = Literal["rule", "node"]
REPORTS_DISABLED = "reports-disabled"  # the mode of a server that computes no compliance
WITHOUT_DETAILS = {"level": 1}  # leaves out directives, components and nodes
WITH_NODES = {"level": 2}


def get(kind: Kind, target_id: str) -> Flow[Compliance]:
    """Return the compliance of one rule or node (``GET /compliance/rules/{id}``, ``GET /compliance/nodes/{id}``).

    :param kind: "rule" or "node"
    :param target_id: its id
    :return: Rudder's JSON: ``id``, ``name``, ``compliance``, ``mode``, ``complianceDetails``, ... ``compliance`` is the
        compliant percentage of the reports that arrived; ``complianceDetails`` has the percentages above zero by kind
        of report, of all reports, with ``applying`` for pending and ``noReport`` for missing ones
    :raises NotFoundError: if there is no such rule or node, or the account may not see it
    """
    request = Request("GET", _path(kind, target_id), query=WITHOUT_DETAILS)
    reply = yield request
    return _clean_details(reply, unwrap_first(reply, f"{kind}s", Compliance))


def list_all(kind: Kind) -> Flow[list[Compliance]]:
    """Return the compliance of all rules except system rules, or of all nodes.

    Endpoints: ``GET /compliance/rules``, ``GET /compliance/nodes``.

    :param kind: "rule" or "node"
    :return: each as `get` returns it
    """
    request = Request("GET", _path(kind), query=WITHOUT_DETAILS, long_running=True)
    reply = yield request
    return [_clean_details(reply, found) for found in unwrap_list(reply, f"{kind}s", Compliance)]


def list_reporting_nodes(rule_id: str) -> Flow[list[str]]:
    """Return the ids of the nodes whose reports make up the compliance of a rule (``GET /compliance/rules/{id}``).

    :param rule_id: its id
    """
    reply = yield Request("GET", _path("rule", rule_id), query=WITH_NODES, long_running=True)
    nodes = unwrap_first(reply, "rules", Compliance).get("nodes", [])
    return [node["id"] for node in nodes if node.get("complianceDetails", {}).get("noReport", 0) < 100]


def is_reached(compliance: Compliance, threshold: float) -> bool:
    """Whether a compliance reaches a threshold, whatever the pending reports will contain.

    :param compliance: the result of `get`
    :param threshold: percent
    """
    # Rudder leaves out pending reports: with one report of a hundred, compliance may be 100
    certain = float(compliance["compliance"]) * (100 - get_applying(compliance)) / 100
    return round(certain, 2) >= threshold


def get_applying(compliance: Compliance) -> float:
    """Return the percentage of pending reports.

    :param compliance: the result of `get`
    """
    return float(compliance["complianceDetails"].get("applying", 0))


def _clean_details(reply: Reply, found: Compliance) -> Compliance:
    """Return the compliance; the kinds of report are keys of results."""
    details = {reply.clean(kind): percent for kind, percent in found["complianceDetails"].items()}
    return {**found, "complianceDetails": details}


def _path(kind: Kind, target_id: str | None = None) -> str:
    collection = f"{parse_choice('kind', kind, get_args(Kind))}s"
    if target_id is None:
        return url_path("compliance", collection)
    return url_path("compliance", collection, check_object_id("target_id", target_id, kind))
