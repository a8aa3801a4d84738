"""Tests of rudder/api/compliance.py: requests, and whether a threshold is reached."""

from __future__ import annotations

import re

import pytest

from self_hosted.rudder.api import compliance
from self_hosted.rudder.api.compliance import Kind
from tests.rudder.conftest import load_vendor_cases
from tests.rudder.flows import finish, first_request


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_one_object_is_read_without_details(kind: Kind) -> None:
    flow = compliance.get(kind, "x+1")
    request = first_request(flow)
    assert request.target == f"/compliance/{kind}s/x%2B1?level=1"
    assert finish(flow, request, {f"{kind}s": [{"id": "x+1", "compliance": 50.0}]})["compliance"] == 50


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_list_of_compliance_is_a_long_running_request(kind: Kind) -> None:
    flow = compliance.list_all(kind)
    request = first_request(flow)
    assert (request.target, request.long_running) == (f"/compliance/{kind}s?level=1", True)
    listed = finish(flow, request, {f"{kind}s": [{"id": "x"}, {"id": "y"}]})
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
    assert compliance.is_reached({"compliance": percent, "complianceDetails": details}, threshold) is expected


def test_rudders_own_responses_show_whether_full_compliance_is_reached() -> None:
    cases = load_vendor_cases("compliance", "rules")
    paths = re.compile(r".*(compliance/rules.*|rules/compliance)")
    listed = [rule for case in cases if paths.fullmatch(case["path"]) for rule in case["response"]["data"]["rules"]]
    assert listed
    for rule in listed:
        assert rule["mode"] == "full-compliance", rule
        assert compliance.is_reached(rule, 100) is (rule["compliance"] == 100), rule
