"""Compliance at the fake Rudder server."""

from __future__ import annotations

from typing import Any

import pytest

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
    served.seed({"generation_seconds": 60, "apply_seconds": 3600})
    enable_rule(call)
    served.seed({"advance_seconds": 60})
    assert compliance(call, f"rules/{SHARE}")["complianceDetails"]["applying"] > 50
    served.seed({"advance_seconds": 1800})
    assert compliance(call, f"rules/{SHARE}")["complianceDetails"]["applying"] <= 50
    served.seed({"advance_seconds": 1800})
    result = compliance(call, f"rules/{SHARE}")
    assert (result["compliance"], result["complianceDetails"]) == (100, {"successAlreadyOK": 100})


def test_compliance_is_the_old_one_until_policies_are_generated(served: Served, call) -> None:
    served.seed({"generation_seconds": 60, "apply_seconds": 3600})
    call("POST", f"/rules/{ANTIVIRUS}", json={"directives": ["antivirus-other"]})
    assert compliance(call, f"rules/{ANTIVIRUS}")["complianceDetails"] == {"successAlreadyOK": 100}
    served.seed({"advance_seconds": 60})
    assert compliance(call, f"rules/{ANTIVIRUS}")["complianceDetails"]["applying"] > 50


def test_a_disabled_rule_keeps_its_compliance_until_policies_are_generated(served: Served, call) -> None:
    served.seed({"generation_seconds": 60})
    call("POST", f"/rules/{ANTIVIRUS}", json={"enabled": False})
    assert compliance(call, f"rules/{ANTIVIRUS}")["compliance"] == 100
    served.seed({"generate": True})
    assert compliance(call, f"rules/{ANTIVIRUS}")["complianceDetails"] == {}


def test_an_update_of_policies_ends_the_generation(served: Served, call) -> None:
    served.seed({"generation_seconds": 86400, "apply_seconds": 3600})
    enable_rule(call)
    assert compliance(call, f"rules/{SHARE}")["complianceDetails"] == {}
    assert call("POST", "/system/update/policies").status_code == 200
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]


def test_a_deployed_change_request_restarts_the_reports(served: Served, call) -> None:
    served.seed({"apply_seconds": 3600})
    accept(call, open_change_request(served, call))
    served.seed({"generate": True})
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]


def test_a_disabled_rule_has_no_reports(call) -> None:
    result = compliance(call, f"rules/{SHARE}")
    assert (result["compliance"], result["complianceDetails"]) == (0, {})


def test_only_accepted_nodes_have_a_compliance(call) -> None:
    assert compliance(call, f"nodes/{FILE_SERVER}")["compliance"] == 100
    assert list_node_ids(call, "/compliance/nodes") == list_node_ids(call)
    assert "is not known on Rudder" in error_message(call("GET", f"/compliance/nodes/{PENDING_NODE}"))


def test_a_missing_rule_has_no_compliance(call) -> None:
    assert "Rule with id 'nothing' was not found" in error_message(call("GET", "/compliance/rules/nothing"))


def test_the_level_limits_the_details(call) -> None:
    def keys(kind: str, item_id: str, level: int) -> set[str]:
        return set(first_item(call("GET", f"/compliance/{kind}/{item_id}", params={"level": level}), kind))

    assert keys("rules", ANTIVIRUS, 2) - keys("rules", ANTIVIRUS, 1) == {"directives", "nodes"}
    assert keys("nodes", FILE_SERVER, 2) - keys("nodes", FILE_SERVER, 0) == {"rules"}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"level": "abc"}, "must be an integer, was: 'abc'"),
        ({"precision": "abc"}, "must be an integer, was: 'abc'"),
        ({"precision": "9"}, "valid values are 0 to 5"),
        ({"precision": "-1"}, "valid values are 0 to 5"),
    ],
)
@pytest.mark.parametrize("kind", ["rules", "nodes"])
def test_invalid_parameters_of_compliance_are_errors(call, params: dict[str, str], problem: str, kind: str) -> None:
    assert problem in error_message(call("GET", f"/compliance/{kind}", params=params))


def test_the_precision_rounds_percentages(served: Served, call) -> None:
    served.seed({"reports": {ANTIVIRUS: {"details": {"successAlreadyOK": 66.666, "error": 33.334}}}})
    result = first_item(call("GET", f"/compliance/rules/{ANTIVIRUS}", params={"precision": 0}))
    assert result["complianceDetails"] == {"successAlreadyOK": 67, "error": 33}


def test_the_nodes_of_a_rule_are_those_of_its_targets(served: Served, call) -> None:
    def nodes_of(*targets: str) -> set[str]:
        served.seed({"rules": [{"id": "r", "displayName": "R", "targets": list(targets)}]})
        return {node["id"] for node in compliance(call, "rules/r")["nodes"]}

    everything = set(list_node_ids(call))
    assert nodes_of("special:all") == everything
    assert nodes_of("special:all_policyServers") == nodes_of("policyServer:root") == {"root"}
    assert nodes_of("group:a") == nodes_of("special:all_exceptPolicyServers") == everything - {"root"}
    assert nodes_of() == set()


def test_reports_may_be_disabled(served: Served, call) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    result = compliance(call, f"rules/{ANTIVIRUS}")
    assert (result["mode"], result["complianceDetails"]) == ("reports-disabled", {"reportsDisabled": 100})


def test_compliance_has_the_fields_of_rudders_own_test_cases(call) -> None:
    cases = [case for case in load_vendor_cases("compliance") if case["path"].endswith("/rules/br6")]
    (theirs,) = cases[0]["response"]["data"]["rules"]
    ours = compliance(call, f"rules/{ANTIVIRUS}")
    assert set(ours) == set(theirs)
    assert set(ours["nodes"][0]) == set(theirs["nodes"][0])
    assert set(ours["directives"][0]) == set(theirs["directives"][0])
    assert call("GET", f"/compliance/rules/{ANTIVIRUS}").json()["action"] == cases[0]["response"]["action"]


def test_seeds_remove_rules_and_nodes(served: Served, call) -> None:
    served.seed({"removed": [ANTIVIRUS, FILE_SERVER]})
    assert "was not found" in error_message(call("GET", f"/rules/{ANTIVIRUS}"))
    assert "Node is missing" in error_message(call("GET", f"/nodes/{FILE_SERVER}"))
