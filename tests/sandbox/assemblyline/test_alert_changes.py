"""Changes of single alerts and of all alerts that match a query."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import OTHER_USER_KEY

pytestmark = pytest.mark.usefixtures("fast")
INVALID_QUERY = {"q": 'a:"'}
CHANGES = [
    ("POST", "label", ["x"]),
    ("DELETE", "label", ["x"]),
    ("POST", "priority", "LOW"),
    ("POST", "status", "TRIAGE"),
    ("GET", "ownership", None),
]


@pytest.fixture
def seed(served):
    """``seed({"alert_id": "a"})``: add alerts."""
    return lambda *alerts: served.seed({"alerts": {"alerts": list(alerts)}})


# One alert


@pytest.mark.parametrize(("method", "name", "body"), CHANGES)
def test_an_unknown_alert_cannot_be_changed(call, method, name, body):
    reply = call(method, f"alert/{name}/nosuch/", json=body)
    assert reply == (404, "Alert ID nosuch not found", {"success": False})


def test_labels_are_stored_in_upper_case_and_a_text_is_a_list_of_characters(call, seed):
    seed({"alert_id": "a"})
    for body in (["x", "X", "y z"], "no"):
        assert call("POST", "alert/label/a/", json=body) == (200, "", {"success": True})
    assert call("GET", "alert/a/").response["label"] == ["X", "Y Z", "N", "O"]
    assert call("DELETE", "alert/label/a/", json=["n", "o", "q"]).response == {"success": True}
    assert call("GET", "alert/a/").response["label"] == ["X", "Y Z"]
    assert call("POST", "alert/label/a/", json=[1]).error == (500, "Internal Server Error")


@pytest.mark.parametrize(("name", "value"), [("priority", "high"), ("status", "non-malicious")])
def test_priority_and_status_are_case_insensitive_and_unknown_values_are_rejected(call, seed, name, value):
    seed({"alert_id": "a"})
    assert call("POST", f"alert/{name}/a/", json=value).response == {"success": True}
    assert call("GET", "alert/a/").response[name] == value.upper()
    assert call("POST", f"alert/{name}/a/", json="x") == (400, f"Invalid {name} received.", {"success": False})


def test_a_change_without_effect_adds_no_event_to_a_single_alert(call, seed):
    seed({"alert_id": "a"})
    for _ in range(2):
        call("POST", "alert/label/a/", json=["x"])
        call("POST", "alert/status/a/", json="TRIAGE")
        call("DELETE", "alert/label/a/", json=["q"])
    events = call("GET", "alert/a/").response["events"]
    assert [(event["labels"], event["status"], event["entity_id"]) for event in events] == [
        (["X"], None, "admin"),
        ([], "TRIAGE", "admin"),
    ]


def test_an_alert_with_an_owner_cannot_be_taken_even_by_its_owner(call, seed):
    seed({"alert_id": "a"})
    assert call("GET", "alert/ownership/a/").response == {"success": True}
    error = (403, "Alert is already owned by admin", {"success": False})
    assert call("GET", "alert/ownership/a/") == error
    assert call("GET", "alert/ownership/a/", OTHER_USER_KEY) == error


def test_a_verdict_applies_to_the_submission_and_to_all_of_its_alerts(call, ingest):
    options = {"params": {"generate_alert": True}}
    first, second = ingest("RIG-SCORE:600", **options), ingest("RIG-SCORE:600", **options)
    for verdict in ("malicious", "non_malicious"):
        assert call("PUT", f"alert/verdict/{first}/{verdict}/") == (200, "", {"success": True})
    alert = call("GET", f"alert/{second}/").response
    assert alert["verdict"] == {"malicious": [], "non_malicious": ["admin"]}
    assert call("GET", f"submission/{alert['sid']}/").response["verdict"] == alert["verdict"]
    assert call("PUT", f"alert/verdict/{first}/bad/").error == (400, "'bad' is not a valid verdict.")
    assert call("PUT", "alert/verdict/nosuch/malicious/").error == (404, "There are no alert with id: nosuch")


def test_a_verdict_fails_until_searches_find_the_alert(served, call, seed):
    served.seed({"index_lag": 60})
    seed({"alert_id": "a"})
    assert call("PUT", "alert/verdict/a/malicious/").response == {"success": False}
    served.product.state["alerts"]["indexed_at"]["a"] = 0
    assert call("PUT", "alert/verdict/a/malicious/").response == {"success": True}


# Many alerts


def test_a_batch_without_a_query_changes_all_alerts_including_new_ones(call, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    assert call("POST", "alert/all/batch/", json={"labels": ["x"]}).response == {"success": 2}
    query = {"q": "", "fq": ["", "alert_id:a"]}
    assert call("POST", "alert/all/batch/", params=query, json={"labels": []}).response == {"success": 1}


def test_a_batch_adds_an_event_even_if_it_has_no_effect(call, seed):
    seed({"alert_id": "a", "status": "TRIAGE"})
    body = {"status": "triage", "priority": "low", "labels": ["x"], "removed_labels": ["y"]}
    for _ in range(2):
        assert call("POST", "alert/all/batch/", params={"q": "alert_id:a"}, json=body).response == {"success": 1}
    alert = call("GET", "alert/a/").response
    assert (alert["status"], alert["priority"], alert["label"]) == ("TRIAGE", "LOW", ["X"])
    assert [(event["labels"], event["labels_removed"]) for event in alert["events"]] == [(["X"], ["Y"])] * 2


@pytest.mark.parametrize(("method", "name", "body"), [*CHANGES, ("POST", "all", {"status": "TRIAGE"})])
def test_a_batch_returns_the_number_of_alerts_and_reports_no_invalid_query(call, seed, method, name, body):
    seed({"alert_id": "a"}, {"alert_id": "b"}, {"alert_id": "c"})
    path = f"alert/{name}/batch/"
    assert call(method, path, params={"q": "alert_id:(a OR b)"}, json=body).response == {"success": 2}
    assert call(method, path, params={"q": "alert_id:nosuch"}, json=body).response == {"success": 0}
    assert call(method, path, params=INVALID_QUERY, json=body) == (200, "", {"success": False})


def test_a_batch_takes_only_alerts_without_an_owner(call, seed):
    seed({"alert_id": "a", "owner": "user"}, {"alert_id": "b"})
    assert call("GET", "alert/ownership/batch/").response == {"success": 1}
    assert call("GET", "alert/a/").response["owner"] == "user"


@pytest.mark.parametrize(
    ("body", "message"),
    [({"priority": "x"}, "Priority X not in priorities"), ({"status": "x"}, "Status 'X' not in statuses")],
)
def test_a_batch_has_its_own_messages_for_unknown_values(call, body, message):
    assert call("POST", "alert/all/batch/", json=body) == (400, message, {"success": False})


def test_changing_everything_of_a_single_alert_is_an_internal_error(call, seed):
    seed({"alert_id": "a"})
    assert call("POST", "alert/all/a/", json={"status": "TRIAGE"}) == (500, "Internal Server Error", {})
