"""Compliance: how far nodes are in the state that rules want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.rudder.api.answers import first, unwrapped

Kind = Literal["rule", "node"]
REPORTS_DISABLED = "reports-disabled"
ALONE = {"level": 1}  # without what directives, components and nodes have to do with it


def compliance(kind: Kind, thing_id: str) -> Flow[dict[str, Any]]:
    """The compliance of one rule or node (``GET /compliance/rules/{id}``, ``GET /compliance/nodes/{id}``).

    :param kind: "rule" or "node"
    :param thing_id: its id
    :return: ``{id, name, compliance, mode, complianceDetails, ...}``. ``compliance`` is the percentage that is as
        wanted among what was reported; ``complianceDetails`` has the percentages above zero by kind of report, among
        all, with ``applying`` for what is to be reported still and ``noReport`` for what should have been
    :raises NotFound: when there is no such rule or node, or the account may not see it
    """
    return first((yield Request("GET", url_path("compliance", f"{kind}s", thing_id), query=ALONE)), f"{kind}s")


def compliances(kind: Kind) -> Flow[list[dict[str, Any]]]:
    """The compliance of all rules but the system's, or of all nodes (``GET /compliance/rules``, ``.../nodes``).

    :param kind: "rule" or "node"
    :return: each as `compliance` has it
    """
    found: list[dict[str, Any]] = unwrapped(
        (yield Request("GET", url_path("compliance", f"{kind}s"), query=ALONE, slow=True)), f"{kind}s"
    )
    return found


def reached(found: Mapping[str, Any], threshold: float) -> bool:
    """Whether a compliance is as much as wanted, whatever comes of what is still to be reported.

    :param found: as `compliance` returns it
    :param threshold: percent
    """
    # Rudder leaves out what is still applying: with one report of a hundred, compliance may be 100
    certain = float(found["compliance"]) * (100 - applying(found)) / 100
    return round(certain, 2) >= threshold


def applying(found: Mapping[str, Any]) -> float:
    """What percentage is still to be reported.

    :param found: as `compliance` returns it
    """
    return float(found["complianceDetails"].get("applying", 0))


def compliance_key(kind: Kind, thing_id: str, threshold: float) -> str:
    """What stands for a compliance that is waited for; `compliance_of` reads it.

    :param kind: "rule" or "node"
    :param thing_id: its id
    :param threshold: percent
    """
    return f"{kind}/{thing_id}/{threshold:g}"


def compliance_of(key: str) -> tuple[Kind, str, float]:
    """Kind, id and threshold, from what `compliance_key` made."""
    thing, _, threshold = key.rpartition("/")
    kind, _, thing_id = thing.partition("/")
    return "node" if kind == "node" else "rule", thing_id, float(threshold)
