"""Search, deletion, lists and verdicts of submissions."""

from __future__ import annotations

import hashlib

import pytest

from tests.sandbox.assemblyline.api import FULL_KEY


def test_submissions_are_found_by_id_and_metadata(call, submit, search):
    sids = [submit("x", metadata={"a.b": f"v {number}"})["sid"] for number in range(3)]
    page = search(f'sid:("{sids[0]}" OR "{sids[2]}")', fl="sid", sort="times.submitted asc")
    assert page["items"] == [{"sid": sids[0]}, {"sid": sids[2]}]
    assert [item["sid"] for item in search('metadata.a.b:"v 1"')["items"]] == [sids[1]]
    assert search("*", rows=1)["total"] == 3
    assert call("GET", "search/submission/?query=*&rows=2").response["rows"] == 2


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("query", "number"),
    [
        ('metadata.a:"b" AND state:completed', 1),
        ('metadata.a:"b" AND state:submitted', 0),
        ("metadata.a:*", 1),
        ("metadata.nosuch:*", 0),
        ("times.completed:[now-1d TO now]", 2),
        ("times.completed:[* TO now-1m]", 0),
        (f'files.sha256:("{hashlib.sha256(b"x").hexdigest()}" OR "other")', 1),
        ('metadata.c:"d AND e:(f)"', 1),
    ],
)
def test_queries_match_current_documents(submit, search, query, number):
    submit("x", metadata={"a": "b"})
    submit("y", metadata={"c": "d AND e:(f)"})
    assert search("*")["total"] == 2  # updates the documents
    assert search(query)["total"] == number


def test_nested_fields_can_be_selected_and_those_without_a_value_are_omitted(submit, search):
    submit("x", metadata={"a": "b", "c": "d"}, params={"description": "e"})
    [item] = search("*", fl="sid,metadata.a,params.psid,params.description,files.size,times.completed")["items"]
    assert item.pop("sid")
    assert item == {"metadata": {"a": "b"}, "params": {"description": "e"}, "files": [{"size": 1}]}


def test_the_index_lag_delays_searches_only(served, call, submit, search):
    served.seed({"index_lag": 60})
    sid = submit("x")["sid"]
    assert search(f'sid:"{sid}"')["items"] == []
    assert call("GET", f"submission/{sid}/").status == 200


@pytest.mark.usefixtures("fast")
def test_a_deleted_submission_is_not_found(call, submit):
    sid = submit("x")["sid"]
    assert call("DELETE", f"submission/{sid}/").response == {"success": True}
    assert call("DELETE", f"submission/{sid}/").error == (404, f"There is no submission with sid: {sid}")
    assert call("GET", f"submission/{sid}/").error == (404, f"Submission ID {sid} does not exists.")


def test_a_submission_deleted_during_its_analysis_returns_marked_after_completion(served, call, submit, search):
    served.seed({"delay": 60})
    sid = submit("RIG-SCORE:900")["sid"]
    assert call("DELETE", f"submission/{sid}/").status == 200
    assert call("GET", f"submission/{sid}/").status == 404
    assert search(f'sid:"{sid}"')["items"] == []
    served.product.store.submissions[sid].completed_at = 0
    document = call("GET", f"submission/{sid}/").response
    assert (document["state"], document["max_score"], document["to_be_deleted"]) == ("completed", 0, True)


def test_a_verdict_also_applies_to_the_alerts(served, call, submit):
    served.seed({"delay": 0})
    sid = submit("RIG-SCORE:600", params={"generate_alert": True})["sid"]
    assert call("GET", f"alert/{sid}/").response["verdict"]["malicious"] == []
    assert call("PUT", f"submission/verdict/{sid}/malicious/").response == {"success": True}
    assert call("GET", f"alert/{sid}/").response["verdict"]["malicious"] == ["admin"]
    assert call("PUT", f"submission/verdict/{sid}/fine/").error == (400, "'fine' is not a valid verdict.")
    message = "There are no submission with id: none"
    assert call("PUT", "submission/verdict/none/malicious/").error == (404, message)


@pytest.mark.usefixtures("fast")
def test_only_administrators_list_the_submissions_of_other_users(call, submit):
    submit("x")
    message = "Your username does not match requested username"
    assert call("GET", "submission/list/user/user/").error == (403, message)
    assert call("GET", "submission/list/user/user/", FULL_KEY).response["total"] == 0
    assert call("GET", "submission/list/user/none/", FULL_KEY).error == (404, "User none does not exists.")
    assert call("GET", "submission/list/user/admin/").response["total"] == 1
    assert call("GET", "submission/list/group/ALL/", params={"query": "max_score:>5"}).response["total"] == 0


@pytest.mark.usefixtures("fast")
def test_ontologies_have_no_envelope(call, send, submit):
    sid = submit("RIG-SCORE:5")["sid"]
    [line] = send("GET", f"ontology/submission/{sid}/").text.splitlines()
    assert '"results":{"score":5}' in line
    assert call("GET", "ontology/submission/nosuch/").error == (404, "There is no submission with sid: nosuch")
