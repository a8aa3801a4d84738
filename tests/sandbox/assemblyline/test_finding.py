"""Finding and deleting submissions of the stand-in."""

from __future__ import annotations

import hashlib

import pytest

from tests.sandbox.assemblyline.asking import found, message


def test_submissions_are_found_by_id_and_metadata(served, call, submit):
    sids = [submit("x", f'{{"metadata": {{"a.b": "v {n}"}}}}').json()["api_response"]["sid"] for n in range(3)]
    assert found(call, f'sid:("{sids[0]}" OR "{sids[2]}")', fl="sid", sort="times.submitted asc")["items"] == [
        {"sid": sids[0]},
        {"sid": sids[2]},
    ]
    assert [item["sid"] for item in found(call, 'metadata.a.b:"v 1"')["items"]] == [sids[1]]
    assert found(call, "*", rows=1)["total"] == 3
    assert call("GET", "search/submission/?query=*&rows=2").json()["api_response"]["rows"] == 2


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
def test_clauses_fields_of_lists_dates_and_existence_are_understood(served, call, submit, query, number):
    served.seed({"delay": 0})
    submit("x", '{"metadata": {"a": "b"}}')
    submit("y", '{"metadata": {"c": "d AND e:(f)"}}')
    assert found(call, "*")["total"] == 2  # completes them
    assert found(call, query)["total"] == number


def test_parts_of_fields_can_be_asked_for_and_those_without_a_value_are_left_out(served, call, submit):
    submit("x", '{"metadata": {"a": "b", "c": "d"}, "params": {"description": "e"}}')
    fields = "sid,metadata.a,params.psid,params.description,files.size,times.completed"
    [item] = found(call, "*", fl=fields)["items"]
    assert item.pop("sid")
    assert item == {"metadata": {"a": "b"}, "params": {"description": "e"}, "files": [{"size": 1}]}


def test_files_are_known_by_when_they_were_handed_in_last(call, submit):
    submit("x")
    [file] = call("POST", "search/file/", json={"query": "seen.last:[now-1m TO now]"}).json()["api_response"]["items"]
    submit("x")
    [again] = call("POST", "search/file/", json={"query": "*"}).json()["api_response"]["items"]
    assert file["sha256"] == hashlib.sha256(b"x").hexdigest()
    assert (again["seen"]["first"], again["seen"]["count"]) == (file["seen"]["first"], 2)
    assert again["seen"]["last"] > file["seen"]["last"]


def test_an_unknown_index_is_one_that_only_administrators_may_search(call):
    assert call("POST", "search/nosuch/", json={"query": "*"}).status_code == 403


def test_the_search_index_lags_on_demand(served, call, submit):
    served.seed({"index_lag": 60})
    sid = submit("x").json()["api_response"]["sid"]
    assert found(call, f'sid:"{sid}"')["items"] == []
    assert call("GET", f"submission/{sid}/").ok


def test_a_deleted_submission_is_gone(served, call, submit):
    served.seed({"delay": 0})
    sid = submit("x").json()["api_response"]["sid"]
    assert call("DELETE", f"submission/{sid}/").json()["api_response"] == {"success": True}
    assert message(call("DELETE", f"submission/{sid}/")) == (404, f"There is no submission with sid: {sid}")
    assert message(call("GET", f"submission/{sid}/")) == (404, f"Submission ID {sid} does not exists.")


def test_a_submission_deleted_while_it_is_analysed_comes_back_marked(served, call, submit):
    served.seed({"delay": 0.2})
    sid = submit("RIG-SCORE:900").json()["api_response"]["sid"]
    assert call("DELETE", f"submission/{sid}/").ok
    assert call("GET", f"submission/{sid}/").status_code == 404
    assert found(call, f'sid:"{sid}"')["items"] == []
    served.product.submissions[sid].completed_at = 0
    document = call("GET", f"submission/{sid}/").json()["api_response"]
    assert (document["state"], document["max_score"], document["to_be_deleted"]) == ("completed", 0, True)
