"""Compliance in the stand-in: what was reported, and what is applying."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, SHARE, rudders_cases
from tests.sandbox.rudder.asking import accept, found, pending, shown, update, words


def compliance(call, thing: str) -> dict[str, Any]:
    return shown(call("GET", f"/compliance/{thing}"), thing.partition("/")[0])


def test_compliance_is_that_of_what_was_reported_and_applying_beside_it(served: Served, call) -> None:
    served.seed({"reports": {ANTIVIRUS: {"share": 50, "takes": 3600}}})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert told["complianceDetails"]["applying"] > 99
    assert told["compliance"] in {0, 50}
    served.seed({"reports": {ANTIVIRUS: {"share": 50, "takes": 0}}})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert (told["compliance"], told["complianceDetails"]) == (50, {"successAlreadyOK": 50, "error": 50})


def test_after_a_change_a_rule_is_applying_until_it_is_reported(served: Served, call) -> None:
    served.seed({"apply_seconds": 0.3})
    update(call)
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]
    deadline = time.monotonic() + 5
    while "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]:
        assert time.monotonic() < deadline
    assert compliance(call, f"rules/{SHARE}")["compliance"] == 100


def test_a_change_request_that_is_deployed_is_a_change(served: Served, call) -> None:
    accept(call, pending(served, call))
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]


def test_nothing_is_reported_of_a_disabled_rule(call) -> None:
    told = compliance(call, f"rules/{SHARE}")
    assert (told["compliance"], told["complianceDetails"]) == (0, {"noReport": 100})


def test_nodes_have_a_compliance_once_they_are_accepted(call) -> None:
    assert compliance(call, f"nodes/{FILE_SERVER}")["compliance"] == 100
    assert found(call, "/compliance/nodes") == found(call)
    assert "is not known on Rudder" in words(call("GET", f"/compliance/nodes/{PENDING_NODE}"))


def test_a_missing_rule_has_no_compliance(call) -> None:
    assert "Rule with id 'nothing' was not found" in words(call("GET", "/compliance/rules/nothing"))


def test_a_server_may_tell_no_compliance(served: Served, call) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert (told["mode"], told["complianceDetails"]) == ("reports-disabled", {"reportsDisabled": 100})


def test_compliance_has_the_form_of_rudders_own_cases(call) -> None:
    cases = [case for case in rudders_cases("compliance") if case["path"].endswith("/rules/br6")]
    if not cases:
        pytest.skip("Rudder's own API cases are not at hand")
    (theirs,) = cases[0]["response"]["data"]["rules"]
    details = {"directives", "nodes"}  # of deeper levels than the stand-in shows
    assert set(compliance(call, f"rules/{ANTIVIRUS}")) == set(theirs) - details
    assert call("GET", f"/compliance/rules/{ANTIVIRUS}").json()["action"] == cases[0]["response"]["action"]


def test_rules_and_nodes_can_be_taken_away(served: Served, call) -> None:
    served.seed({"gone": [ANTIVIRUS, FILE_SERVER]})
    assert "was not found" in words(call("GET", f"/rules/{ANTIVIRUS}"))
    assert "was not found" in words(call("GET", f"/nodes/{FILE_SERVER}"))
