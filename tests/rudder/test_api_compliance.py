"""Tests of rudder/api/compliance.py: requests, and whether a threshold is reached."""

from __future__ import annotations

import re
from typing import Any

import pytest

from self_hosted.rudder.api import compliance
from self_hosted.rudder.api.compliance import Kind
from self_hosted.rudder.api.shapes import Compliance
from tests.rudder.conftest import load_vendor_cases
from tests.rudder.flows import finish, first_request

FOUND = {"id": "x", "compliance": 50.0, "complianceDetails": {"error": 50.0, "successAlreadyOK": 50.0}}


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_one_object_is_read_without_details(kind: Kind) -> None:
    flow = compliance.get(kind, "x+1")
    request = first_request(flow)
    assert request.target == f"/compliance/{kind}s/x%2B1?level=1"
    assert finish(flow, request, {f"{kind}s": [{**FOUND, "id": "x+1"}]})["compliance"] == 50


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_list_of_compliance_is_a_long_running_request(kind: Kind) -> None:
    flow = compliance.list_all(kind)
    request = first_request(flow)
    assert (request.target, request.long_running) == (f"/compliance/{kind}s?level=1", True)
    listed = finish(flow, request, {f"{kind}s": [{**FOUND, "id": "x"}, {**FOUND, "id": "y"}]})
    assert [item["id"] for item in listed] == ["x", "y"]


@pytest.mark.parametrize(
    ("percent", "applying", "threshold", "expected"),
    [
        (100.0, 0, 100, True),
        (99.99, 0, 100, False),
        (100.0, 0.01, 100, False),
        (100.0, 10, 90, True),
        (100.0, 10, 90.01, False),
        (0.0, 100, 0.01, False),
        (66.66 + 33.33, 0, 99.99, True),
    ],
)
def test_pending_reports_count_as_not_compliant(
    percent: float, applying: float, threshold: float, expected: bool
) -> None:
    details = {"applying": applying} if applying else {}
    found: Compliance = {"id": "x", "compliance": percent, "complianceDetails": details}
    assert compliance.is_reached(found, threshold) is expected


def test_the_nodes_of_a_rule_are_those_that_report() -> None:
    flow = compliance.list_reporting_nodes("r1")
    request = first_request(flow)
    assert request.target == "/compliance/rules/r1?level=2"
    nodes = [{"id": "n1", "complianceDetails": {"error": 100}}, {"id": "n2", "complianceDetails": {"noReport": 100.0}}]
    assert finish(flow, request, {"rules": [{**FOUND, "nodes": nodes}]}) == ["n1"]


@pytest.mark.parametrize(("kind", "target_id"), [("group", "g"), ("rule", ""), ("rule", "tree"), ("node", "a b")])
def test_invalid_arguments_are_rejected_before_any_request(kind: Any, target_id: str) -> None:
    with pytest.raises(ValueError, match=r"(kind|target_id) must be"):
        next(compliance.get(kind, target_id))


def test_rudders_own_responses_show_whether_full_compliance_is_reached() -> None:
    cases = load_vendor_cases("compliance", "rules")
    paths = re.compile(r".*(compliance/rules.*|rules/compliance)")
    listed = [rule for case in cases if paths.fullmatch(case["path"]) for rule in case["response"]["data"]["rules"]]
    assert listed
    for rule in listed:
        assert rule["mode"] == "full-compliance", rule
        assert compliance.is_reached(rule, 100) is (rule["compliance"] == 100), rule
