"""Tests of rudder/api/compliance.py: what is asked, and when it is enough."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.flow import Request
from self_hosted.rudder import api
from self_hosted.rudder.api.compliance import Kind
from tests.rudder.conftest import each, rudders_cases, success


def result_of(flow: Any, answer: Any) -> tuple[Request, Any]:
    """What is asked, and what is made of the answer."""
    request = next(flow)
    assert isinstance(request, Request)
    with pytest.raises(StopIteration) as end:
        flow.send(success(request, answer))
    return request, end.value.value


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_one_thing_is_asked_for_without_its_details(kind: Kind) -> None:
    request, found = result_of(api.compliance(kind, "x+1"), {f"{kind}s": [{"id": "x+1", "compliance": 50.0}]})
    assert request.target == f"/compliance/{kind}s/x%2B1?level=1"
    assert found["compliance"] == 50


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_all_may_take_its_time(kind: Kind) -> None:
    request, found = result_of(api.compliances(kind), {f"{kind}s": [{"id": "x"}, {"id": "y"}]})
    assert (request.target, request.slow) == (f"/compliance/{kind}s?level=1", True)
    assert [one["id"] for one in found] == ["x", "y"]


@pytest.mark.parametrize(
    ("compliance", "applying", "threshold", "enough"),
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
def test_what_is_applying_counts_as_if_it_came_to_nothing(
    compliance: float, applying: float, threshold: float, enough: bool
) -> None:
    details = {"applying": applying} if applying else {}
    assert api.reached({"compliance": compliance, "complianceDetails": details}, threshold) is enough


@pytest.mark.parametrize(("threshold", "words"), [(100, "100"), (99.5, "99.5")])
def test_the_key_of_a_compliance_is_readable_and_can_be_taken_apart(threshold: float, words: str) -> None:
    key = api.compliance_key("rule", "x+1", threshold)
    assert key == f"rule/x+1/{words}"
    assert api.compliance_of(key) == ("rule", "x+1", threshold)


@pytest.mark.parametrize("key", ["rule/a/b/100", "node/n1/50"])
def test_an_id_may_hold_what_separates_the_parts(key: str) -> None:
    assert api.compliance_key(*api.compliance_of(key)) == key


@pytest.mark.parametrize(
    "case",
    each([
        case
        for case in rudders_cases("compliance", "rules")
        if "compliance/rules" in case["path"] or case["path"].endswith("rules/compliance")
    ]),
)
def test_rudders_own_answers_tell_whether_it_is_enough(case: dict[str, Any] | None) -> None:
    assert case is not None
    for found in case["response"]["data"]["rules"]:
        assert found["mode"] == "full-compliance"
        assert api.reached(found, 100) is (found["compliance"] == 100)
