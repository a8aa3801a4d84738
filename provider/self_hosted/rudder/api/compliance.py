"""Compliance: how far nodes are in the state that rules define."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.rudder.errors import unwrap, unwrap_first

Kind = Literal["rule", "node"]
REPORTS_DISABLED = "reports-disabled"  # the mode of a server that computes no compliance
WITHOUT_DETAILS = {"level": 1}  # leaves out directives, components and nodes


def get(kind: Kind, target_id: str) -> Flow[dict[str, Any]]:
    """Return the compliance of one rule or node (``GET /compliance/rules/{id}``, ``GET /compliance/nodes/{id}``).

    :param kind: "rule" or "node"
    :param target_id: its id
    :return: Rudder's JSON: ``id``, ``name``, ``compliance``, ``mode``, ``complianceDetails``, ... ``compliance`` is the
        compliant percentage of the reports that arrived; ``complianceDetails`` has the percentages above zero by kind
        of report, of all reports, with ``applying`` for pending and ``noReport`` for missing ones
    :raises NotFoundError: if there is no such rule or node, or the account may not see it
    """
    request = Request("GET", url_path("compliance", f"{kind}s", target_id), query=WITHOUT_DETAILS)
    return unwrap_first((yield request), f"{kind}s")


def list_all(kind: Kind) -> Flow[list[dict[str, Any]]]:
    """Return the compliance of all rules except system rules, or of all nodes.

    Endpoints: ``GET /compliance/rules``, ``GET /compliance/nodes``.

    :param kind: "rule" or "node"
    :return: each as `get` returns it
    """
    request = Request("GET", url_path("compliance", f"{kind}s"), query=WITHOUT_DETAILS, long_running=True)
    compliance: list[dict[str, Any]] = unwrap((yield request), f"{kind}s")
    return compliance


def is_reached(compliance: Mapping[str, Any], threshold: float) -> bool:
    """Whether a compliance reaches a threshold, whatever the pending reports will contain.

    :param compliance: the result of `get`
    :param threshold: percent
    """
    # Rudder leaves out pending reports: with one report of a hundred, compliance may be 100
    certain = float(compliance["compliance"]) * (100 - get_applying(compliance)) / 100
    return round(certain, 2) >= threshold


def get_applying(compliance: Mapping[str, Any]) -> float:
    """Return the percentage of pending reports.

    :param compliance: the result of `get`
    """
    return float(compliance["complianceDetails"].get("applying", 0))
