"""Compliance at the fake Rudder server."""

from __future__ import annotations

from typing import Any

from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, SHARE, load_vendor_cases
from tests.sandbox.rudder.client import (
    accept,
    enable_rule,
    error_message,
    first_item,
    list_node_ids,
    open_change_request,
)


def compliance(call, path: str) -> dict[str, Any]:
    return first_item(call("GET", f"/compliance/{path}"), path.partition("/")[0])


def test_compliance_ignores_reports_that_are_still_missing(served: Served, call) -> None:
    served.seed({"reports": {ANTIVIRUS: {"compliant_percent": 50, "duration_seconds": 3600}}})
    result = compliance(call, f"rules/{ANTIVIRUS}")
    assert result["complianceDetails"]["applying"] > 99
    assert result["compliance"] in {0, 50}
    served.seed({"reports": {ANTIVIRUS: {"compliant_percent": 50, "duration_seconds": 0}}})
    result = compliance(call, f"rules/{ANTIVIRUS}")
    assert (result["compliance"], result["complianceDetails"]) == (50, {"successAlreadyOK": 50, "error": 50})


def test_a_changed_rule_is_applying_until_all_reports_are_in(served: Served, call) -> None:
    served.seed({"apply_seconds": 3600})
    enable_rule(call)
    assert compliance(call, f"rules/{SHARE}")["complianceDetails"]["applying"] > 50
    served.seed({"advance_seconds": 1800})
    assert compliance(call, f"rules/{SHARE}")["complianceDetails"]["applying"] <= 50
    served.seed({"advance_seconds": 1800})
    result = compliance(call, f"rules/{SHARE}")
    assert (result["compliance"], result["complianceDetails"]) == (100, {"successAlreadyOK": 100})


def test_a_deployed_change_request_restarts_the_reports(served: Served, call) -> None:
    served.seed({"apply_seconds": 3600})
    accept(call, open_change_request(served, call))
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]


def test_a_disabled_rule_has_no_reports(call) -> None:
    result = compliance(call, f"rules/{SHARE}")
    assert (result["compliance"], result["complianceDetails"]) == (0, {"noReport": 100})


def test_only_accepted_nodes_have_a_compliance(call) -> None:
    assert compliance(call, f"nodes/{FILE_SERVER}")["compliance"] == 100
    assert list_node_ids(call, "/compliance/nodes") == list_node_ids(call)
    assert "is not known on Rudder" in error_message(call("GET", f"/compliance/nodes/{PENDING_NODE}"))


def test_a_missing_rule_has_no_compliance(call) -> None:
    assert "Rule with id 'nothing' was not found" in error_message(call("GET", "/compliance/rules/nothing"))


def test_reports_may_be_disabled(served: Served, call) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    result = compliance(call, f"rules/{ANTIVIRUS}")
    assert (result["mode"], result["complianceDetails"]) == ("reports-disabled", {"reportsDisabled": 100})


def test_compliance_has_the_fields_of_rudders_own_test_cases(call) -> None:
    cases = [case for case in load_vendor_cases("compliance") if case["path"].endswith("/rules/br6")]
    (theirs,) = cases[0]["response"]["data"]["rules"]
    details = {"directives", "nodes"}  # deeper levels, which the fake server does not have
    assert set(compliance(call, f"rules/{ANTIVIRUS}")) == set(theirs) - details
    assert call("GET", f"/compliance/rules/{ANTIVIRUS}").json()["action"] == cases[0]["response"]["action"]


def test_seeds_remove_rules_and_nodes(served: Served, call) -> None:
    served.seed({"removed": [ANTIVIRUS, FILE_SERVER]})
    assert "was not found" in error_message(call("GET", f"/rules/{ANTIVIRUS}"))
    assert "was not found" in error_message(call("GET", f"/nodes/{FILE_SERVER}"))
