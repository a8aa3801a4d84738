"""Alerts of the stand-in, asked without our hook: the quirks they must have."""

from __future__ import annotations

import json
import time

import pytest
import requests

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
OTHER = {"X-User": "user", "X-Apikey": "sandbox:user-secret"}
READER = {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"}


@pytest.fixture
def served(served):
    served.seed({"delay": 0})
    return served


@pytest.fixture
def call(served):
    """``call("GET", "alert/list/", query)``: status, message and response."""

    def send(method, path, query=None, headers=KEY, **body):
        address = f"{served.base_url}/api/v4/{path}"
        answer = requests.request(method, address, headers=headers, params=query, timeout=10, **body)
        envelope = answer.json()
        return answer.status_code, envelope["api_error_message"], envelope["api_response"]

    return send


@pytest.fixture
def found(call):
    """``found({"q": ...})``: the ids that the list shows, with the youngest unless told otherwise."""

    def listed(**query):
        status, words, response = call("GET", "alert/list/", {"no_delay": "", **query})
        assert status == 200, words
        return [one["alert_id"] for one in response["items"]]

    return listed


@pytest.fixture
def hand_in(call):
    """``hand_in("ingest", "RIG-SCORE:600")``: the id of the ingest or the submission."""

    def send(how, words, metadata=None, **params):
        options = {"params": {"generate_alert": True, **params}, "metadata": metadata or {}}
        _, _, response = call(
            "POST", f"{how}/", data={"json": json.dumps(options)}, files={"bin": ("a.txt", words.encode())}
        )
        return response["ingest_id" if how == "ingest" else "sid"]

    return send


def seed(served, *alerts, **more):
    served.seed({"alerts": {"alerts": list(alerts), **more}})


# Raising


def test_an_ingest_with_a_high_score_raises_an_alert_that_has_its_id(call, hand_in):
    ingest_id = hand_in("ingest", "RIG-SCORE:600", {"case": "7"})
    status, _, alert = call("GET", f"alert/{ingest_id}/")
    assert status == 200
    assert alert["metadata"] == {"case": "7", "ingest_id": ingest_id}
    assert (alert["type"], alert["al"]["score"], alert["file"]["name"]) == ("INGEST", 600, "a.txt")
    assert (alert["owner"], alert["priority"], alert["status"], alert["label"]) == (None, None, None, [])
    assert alert["submission_relations"] == [{"child": alert["sid"], "parent": None}]


def test_the_alert_of_a_submission_has_its_id(call, hand_in):
    sid = hand_in("submit", "RIG-SCORE:500")
    _, _, alert = call("GET", f"alert/{sid}/")
    assert (alert["alert_id"], alert["sid"], alert["type"]) == (sid, sid, "USER")


def test_an_ingest_of_a_known_file_raises_one_too_on_the_first_submission(call, hand_in, found):
    first, again = hand_in("ingest", "RIG-SCORE:600"), hand_in("ingest", "RIG-SCORE:600")
    assert sorted(found()) == sorted([first, again])
    sids = {call("GET", f"alert/{key}/")[2]["sid"] for key in (first, again)}
    assert len(sids) == 1


@pytest.mark.parametrize(("words", "params"), [("RIG-SCORE:499", {}), ("RIG-SCORE:600", {"generate_alert": False})])
def test_nothing_is_raised_for_a_low_score_or_without_being_asked_for(hand_in, found, words, params):
    hand_in("ingest", words, **params)
    assert found() == []


def test_nothing_is_raised_while_it_is_analysed(served, hand_in, found):
    hand_in("ingest", "RIG-SCORE:600 RIG-SLEEP:60")
    assert found() == []


# Looking


def test_an_unknown_alert_is_not_found(call):
    assert call("GET", "alert/nosuch/") == (404, "This alert does not exists...", "")


def test_lists_hide_young_alerts_whatever_the_value_of_no_delay_is(served, call, found):
    seed(served, {"alert_id": "young"}, {"alert_id": "old", "reporting_ts": "2020-01-01T00:00:00Z"})
    assert [one["alert_id"] for one in call("GET", "alert/list/")[2]["items"]] == ["old"]
    assert found(no_delay="false") == ["young", "old"]
    seed(served, delay=0)
    assert len(call("GET", "alert/list/")[2]["items"]) == 2


def test_a_list_takes_filters_spans_pages_and_an_order(served, found):
    seed(
        served,
        {"alert_id": "a", "label": ["X"], "reporting_ts": "2026-01-01T00:00:00Z"},
        {"alert_id": "b", "label": ["X"], "reporting_ts": "2026-01-03T00:00:00Z"},
        {"alert_id": "c", "reporting_ts": "2026-01-02T00:00:00Z"},
    )
    assert found() == ["b", "c", "a"]
    assert found(q="label:X", fq="alert_id:(a OR c)") == ["a"]
    assert found(tc_start="2026-01-02T12:00:00Z") == ["c", "a"]
    assert found(tc_start="2026-01-03T12:00:00Z", tc="2d") == ["b", "c"]
    assert found(sort="alert_id asc", offset=1, rows=1) == ["b"]


def test_a_query_that_is_none_is_told_by_lists_and_fails_what_is_related(call):
    assert call("GET", "alert/list/", {"q": 'a:"'})[:2] == (400, 'SearchException: Failed to parse query [a:"]')
    assert call("GET", "alert/related/", {"q": 'a:"'})[:2] == (500, "Internal Server Error")
    words = "You need to at least provide a query to filter the data"
    assert call("GET", "alert/related/") == (400, words, [])


def test_related_are_the_ids_of_all_however_young(served, call):
    seed(served, {"alert_id": "a"}, {"alert_id": "b"})
    assert sorted(call("GET", "alert/related/", {"fq": "alert_id:*"})[2]) == ["a", "b"]


def test_groups_show_their_newest_and_whether_somebody_owned_the_like(served, call):
    files = [{"sha256": "aa", "name": "1"}, {"sha256": "aa", "name": "2"}, {"sha256": "bb", "name": "3"}]
    alerts = [
        {"alert_id": str(number), "file": file, "reporting_ts": f"2026-01-0{number + 1}T00:00:00Z"}
        for number, file in enumerate(files)
    ]
    seed(served, {**alerts[0], "owner": "admin"}, *alerts[1:])
    _, _, response = call("GET", "alert/grouped/file.sha256/")
    shown = [(one["alert_id"], one["group_count"], one["hint_owner"]) for one in response["items"]]
    assert shown == [("2", 1, False), ("1", 2, True)]
    assert response["counted_total"] == 3
    assert response["tc_start"] < "9"


def test_the_server_fails_to_group_by_a_list(served, call):
    seed(served, {"label": ["X"]})
    assert call("GET", "alert/grouped/label/", {"no_delay": ""})[:2] == (500, "Internal Server Error")


def test_counts_are_of_the_ten_most_frequent_values(served, call):
    seed(served, *({"label": [f"L{number}"], "priority": "LOW"} for number in range(12)))
    assert len(call("GET", "alert/labels/", {"no_delay": ""})[2]) == 10
    assert call("GET", "alert/priorities/", {"no_delay": ""})[2] == {"LOW": 12}
    assert call("GET", "alert/statuses/", {"no_delay": ""})[2] == {}
    assert call("GET", "alert/labels/")[2] == {}
    assert len(call("GET", "alert/statistics/", {"no_delay": ""})[2]) == 9


# Changing one


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "label", ["a"]),
        ("DELETE", "label", ["a"]),
        ("POST", "priority", "LOW"),
        ("POST", "status", "TRIAGE"),
        ("GET", "ownership", None),
    ],
)
def test_changes_need_an_alert_and_a_role(served, call, method, path, body):
    assert call(method, f"alert/{path}/nosuch/", json=body) == (404, "Alert ID nosuch not found", {"success": False})
    status, words, _ = call(method, f"alert/{path}/nosuch/", headers=READER, json=body)
    assert status == 403
    assert "requires one of the following roles: alert_manage" in words


def test_labels_are_kept_in_upper_case_and_a_text_is_taken_for_its_letters(served, call):
    seed(served, {"alert_id": "a"})
    for body in (["x", "X", "y z"], "no"):
        assert call("POST", "alert/label/a/", json=body) == (200, "", {"success": True})
    assert call("GET", "alert/a/")[2]["label"] == ["X", "Y Z", "N", "O"]
    assert call("DELETE", "alert/label/a/", json=["n", "o", "q"])[2] == {"success": True}
    assert call("GET", "alert/a/")[2]["label"] == ["X", "Y Z"]
    assert call("POST", "alert/label/a/", json=[1])[:2] == (500, "Internal Server Error")


@pytest.mark.parametrize("what", ["priority", "status"])
def test_words_are_taken_in_any_case_and_unknown_ones_refused(served, call, what):
    seed(served, {"alert_id": "a"})
    word = {"priority": "high", "status": "non-malicious"}[what]
    assert call("POST", f"alert/{what}/a/", json=word)[2] == {"success": True}
    assert call("GET", "alert/a/")[2][what] == word.upper()
    assert call("POST", f"alert/{what}/a/", json="x") == (400, f"Invalid {what} received.", {"success": False})


def test_what_makes_no_difference_leaves_no_trace_in_the_history_of_one(served, call):
    seed(served, {"alert_id": "a"})
    for _ in range(2):
        call("POST", "alert/label/a/", json=["x"])
        call("POST", "alert/status/a/", json="TRIAGE")
        call("DELETE", "alert/label/a/", json=["q"])
    events = call("GET", "alert/a/")[2]["events"]
    assert [(one["labels"], one["status"], one["entity_id"]) for one in events] == [
        (["X"], None, "admin"),
        ([], "TRIAGE", "admin"),
    ]


def test_an_alert_is_taken_once_even_by_its_owner(served, call):
    seed(served, {"alert_id": "a"})
    assert call("GET", "alert/ownership/a/")[2] == {"success": True}
    refused = (403, "Alert is already owned by admin", {"success": False})
    assert call("GET", "alert/ownership/a/") == call("GET", "alert/ownership/a/", headers=OTHER) == refused


def test_a_verdict_is_one_of_two_and_goes_to_the_submission_and_all_its_alerts(call, hand_in):
    first, again = hand_in("ingest", "RIG-SCORE:600"), hand_in("ingest", "RIG-SCORE:600")
    for verdict in ("malicious", "non_malicious"):
        assert call("PUT", f"alert/verdict/{first}/{verdict}/") == (200, "", {"success": True})
    alert = call("GET", f"alert/{again}/")[2]
    assert alert["verdict"] == {"malicious": [], "non_malicious": ["admin"]}
    assert call("GET", f"submission/{alert['sid']}/")[2]["verdict"] == alert["verdict"]
    assert call("PUT", f"alert/verdict/{first}/bad/")[:2] == (400, "'bad' is not a valid verdict.")
    assert call("PUT", "alert/verdict/nosuch/malicious/")[:2] == (404, "There are no alert with id: nosuch")


def test_a_verdict_has_no_success_until_the_index_has_the_alert(served, call):
    served.seed({"index_lag": 0.3})
    seed(served, {"alert_id": "a"})
    assert call("PUT", "alert/verdict/a/malicious/")[2] == {"success": False}
    time.sleep(0.3)
    assert call("PUT", "alert/verdict/a/malicious/")[2] == {"success": True}


# Changing many


def test_a_batch_without_a_query_changes_all_however_young(served, call):
    seed(served, {"alert_id": "a"}, {"alert_id": "b"})
    assert call("POST", "alert/all/batch/", json={"labels": ["x"]})[2] == {"success": 2}
    assert call("POST", "alert/all/batch/", {"q": "", "fq": ["", "alert_id:a"]}, json={"labels": []})[2] == {
        "success": 1
    }


def test_a_batch_notes_in_each_history_what_made_no_difference_too(served, call):
    seed(served, {"alert_id": "a", "status": "TRIAGE"})
    body = {"status": "triage", "priority": "low", "labels": ["x"], "removed_labels": ["y"]}
    for _ in range(2):
        assert call("POST", "alert/all/batch/", {"q": "alert_id:a"}, json=body)[2] == {"success": 1}
    alert = call("GET", "alert/a/")[2]
    assert (alert["status"], alert["priority"], alert["label"]) == ("TRIAGE", "LOW", ["X"])
    assert [(one["labels"], one["labels_removed"]) for one in alert["events"]] == [(["X"], ["Y"])] * 2


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("POST", "label", ["x"]),
        ("DELETE", "label", ["x"]),
        ("POST", "priority", "LOW"),
        ("POST", "status", "TRIAGE"),
        ("GET", "ownership", None),
        ("POST", "all", {"status": "TRIAGE"}),
    ],
)
def test_every_batch_counts_what_it_found_and_hides_that_it_could_not_read_the_query(served, call, method, name, body):
    seed(served, {"alert_id": "a"}, {"alert_id": "b"}, {"alert_id": "c"})
    path = f"alert/{name}/batch/"
    assert call(method, path, {"q": "alert_id:(a OR b)"}, json=body)[2] == {"success": 2}
    assert call(method, path, {"q": "alert_id:nosuch"}, json=body)[2] == {"success": 0}
    assert call(method, path, {"q": 'a:"'}, json=body) == (200, "", {"success": False})


def test_a_batch_takes_what_nobody_owns(served, call):
    seed(served, {"alert_id": "a", "owner": "user"}, {"alert_id": "b"})
    assert call("GET", "alert/ownership/batch/")[2] == {"success": 1}
    assert call("GET", "alert/a/")[2]["owner"] == "user"


@pytest.mark.parametrize(
    ("body", "words"),
    [({"priority": "x"}, "Priority X not in priorities"), ({"status": "x"}, "Status 'X' not in statuses")],
)
def test_a_batch_refuses_unknown_words_in_words_of_its_own(call, body, words):
    assert call("POST", "alert/all/batch/", json=body) == (400, words, {"success": False})


def test_changing_all_of_one_never_worked(served, call):
    seed(served, {"alert_id": "a"})
    assert call("POST", "alert/all/a/", json={"status": "TRIAGE"}) == (500, "Internal Server Error", {})
