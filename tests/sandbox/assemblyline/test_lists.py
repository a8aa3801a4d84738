"""Lists, bundles, retrohunts, archive and workflows of the stand-in, asked without our hook."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

import pytest
import requests

from self_hosted.sandbox.assemblyline.cart import packed, unpacked

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
READER = {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"}
FULL = {"X-User": "admin", "X-Apikey": "full:full-secret"}
SHA256 = "ab" * 32
SOURCE = {"name": "admin", "type": "user", "reason": ["a"]}
ENTRY = {"type": "file", "hashes": {"sha256": SHA256}, "sources": [SOURCE]}
HUNT = {
    "yara_signature": 'rule a { strings: $a = "evil \\"words\\"" condition: $a }',
    "description": "d",
    "indices": "hot",
    "classification": "TLP:C",
    "search_classification": "TLP:C",
    "ttl": 0,
}


@pytest.fixture
def served(_served):
    _served.reset()
    _served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0}, "archive": {"enabled": True}})
    return _served


@pytest.fixture
def call(served):
    """``call("GET", "badlist/abc/")``: status, message and response."""

    def send(method, path, headers=KEY, **body):
        answer = requests.request(method, f"{served.base_url}/api/v4/{path}", headers=headers, timeout=10, **body)
        envelope = answer.json()
        return answer.status_code, envelope["api_error_message"], envelope["api_response"]

    return send


@pytest.fixture
def submit(call):
    """``submit("words")``: the submission's id."""
    return lambda words: call("POST", "submit/", files={"bin": ("a.txt", words.encode())})[2]["sid"]


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("PUT", "badlist/", "badlist_manage"),
        ("DELETE", f"safelist/{SHA256}/", "safelist_manage"),
        ("POST", "bundle/", "submission_create"),
        ("PUT", "retrohunt/", "retrohunt_run"),
        ("PUT", "archive/a/", "archive_trigger"),
        ("PUT", "workflow/", "workflow_manage"),
    ],
)
def test_who_only_reads_changes_nothing(call, method, path, role):
    status, words, _ = call(method, path, READER, json={})
    assert (status, role in words) == (403, True)


@pytest.mark.parametrize("path", [f"badlist/{SHA256}/", "bundle/a/", "retrohunt/a/", "workflow/a/", "workflow/labels/"])
def test_each_call_counts_toward_the_daily_quota_also_one_that_finds_nothing(served, call, path):
    served.seed({"quotas": {"daily_api_calls": 1}})
    assert call("GET", path, READER)[0] != 503
    assert call("GET", path, READER)[:2] == (503, "You've exceeded your daily maximum API calls quota of 1")


# Lists


def test_the_badlist_may_be_seeded_and_is_shown_newest_first(served):
    served.seed({"badlist": [ENTRY, {**ENTRY, "hashes": {"md5": "cd" * 16}}]})
    assert [row["id"] for row in served.tables()["badlist"]] == ["cd" * 16, SHA256]


def test_what_comes_alone_and_what_comes_with_others_is_refused_in_different_ways(call):
    bad = {**ENTRY, "hashes": {"sha256": "AB" * 32}}
    assert call("PUT", "badlist/", json=bad)[:2] == (500, "Internal Server Error")
    status, words, response = call("PUT", "badlist/add_update_many/", json=[bad])
    assert (status, response) == (400, None)
    assert words == f"[sha256] '{'AB' * 32}' not match the validator: ^[a-f0-9]{{64}}$"
    assert call("PUT", "badlist/add_update_many/", json=ENTRY)[1] == "Could not get the list of hashes"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**ENTRY, "hashes": {}}, "No valid hash found"),
        ({"type": "tag", "tag": {"type": "a.b"}, "sources": [SOURCE]}, "Tag data not found"),
        ({"type": "signature", "sources": [SOURCE]}, "Signature data not found"),
    ],
)
def test_what_has_no_id_is_refused(call, entry, words):
    assert call("PUT", "safelist/", json=entry) == (400, words, None)


def test_enabled_counts_for_a_new_entry_that_comes_alone_only(call):
    for path, sent in (("badlist/", ENTRY), ("safelist/add_update_many/", [ENTRY])):
        off = [{**one, "enabled": False} for one in sent] if isinstance(sent, list) else {**sent, "enabled": False}
        assert call("PUT", path, json=off)[0] == 200
    assert [call("GET", f"{name}/{SHA256}/")[2]["enabled"] for name in ("badlist", "safelist")] == [False, True]
    call("PUT", "badlist/", json={**ENTRY, "enabled": True})
    assert call("GET", f"badlist/{SHA256}/")[2]["enabled"] is False


def test_who_manages_signatures_takes_off_whatever_it_is_and_is_always_told_success(call, served):
    served.seed({"badlist": [{**ENTRY, "sources": [{**SOURCE, "name": "somebody"}]}]})
    assert call("DELETE", f"badlist/{SHA256}/")[2] == {"success": True}
    assert len(served.tables()["badlist"]) == 1
    assert [call("DELETE", f"badlist/{SHA256}/", FULL)[2] for _ in range(2)] == [{"success": True}] * 2
    assert call("DELETE", f"badlist/{SHA256}/")[2] == {"success": False}
    assert served.tables()["badlist"] == []


def test_the_own_source_is_not_the_others(call, served):
    served.seed({"badlist": [{**ENTRY, "sources": [SOURCE, {**SOURCE, "name": "somebody"}]}]})
    path = f"badlist/source/{SHA256}/somebody/user/"
    assert call("DELETE", path)[:2] == (403, "You are not allowed to remove this source from this badlist item")
    assert call("DELETE", path, FULL)[2] == {"success": True}
    assert call("DELETE", f"badlist/source/{SHA256}/admin/user/")[1].startswith(
        "You are not allowed to remove the last"
    )


# Bundles


def test_a_cart_comes_out_as_it_went_in():
    header, content = unpacked(packed(b"content", {"name": "a"}))
    assert (header, content) == ({"name": "a"}, b"content")
    for broken in (b"", b"CART", packed(b"content", {})[:-3], b"X" + packed(b"content", {})[1:]):
        with pytest.raises(ValueError, match=r"\w"):
            unpacked(broken)


def test_a_bundle_may_come_bare_or_as_base64_too(served, call, submit):
    sid = submit("a")
    answer = requests.get(f"{served.base_url}/api/v4/bundle/{sid}/", headers=KEY, timeout=10)
    assert answer.headers["content-disposition"].endswith(f"{sid}.al_bundle")
    header, archive = unpacked(answer.content)
    assert header == {"al": {"type": "archive/bundle/al"}, "name": f"{sid}.tgz"}
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        results: Any = members.extractfile("results.json")
        found = json.loads(results.read())
    assert found["submission"]["metadata"]["bundle.source"] == "localhost"
    call("DELETE", f"submission/{sid}/")
    octets = {**KEY, "Content-Type": "application/octet-stream"}
    assert call("POST", "bundle/", octets, data=archive)[2] == {"success": True}
    assert call("POST", "bundle/", octets, data=answer.content)[0] == 409


def test_a_cart_of_another_kind_is_no_bundle(call):
    octets = {**KEY, "Content-Type": "application/octet-stream"}
    status, words, _ = call("POST", "bundle/", octets, data=packed(b"a", {"name": "a.exe"}))
    assert (status, words) == (400, "Not a valid CaRTed bundle, should be of type: archive/bundle/al")


# Retrohunts and the archive


@pytest.mark.parametrize(("method", "path"), [("PUT", "retrohunt/"), ("GET", "retrohunt/a/"), ("PUT", "archive/a/")])
def test_what_is_switched_off_is_unknown(served, call, method, path):
    served.seed({"retrohunt": {"enabled": False}, "archive": {"enabled": False}})
    assert call(method, path, json={})[:2] == (404, f"Api does not exist (/api/v4/{path})")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        (
            {"indices": "cold"},
            (400, "Index parameter set to cold, expected one of ['hot', 'archive', 'hot_and_archive']"),
        ),
        (
            {"yara_signature": "no rule"},
            (400, "400 Client Error: Bad Request for url: https://hauntedhouse:4443/search/"),
        ),
    ],
)
def test_a_retrohunt_that_cannot_begin_is_refused(call, changes, answer):
    assert call("PUT", "retrohunt/", json={**HUNT, **changes})[:2] == answer


def test_a_retrohunt_needs_all_its_arguments_and_the_server_fails_without_its_period(call):
    for name in HUNT:
        status, words, _ = call("PUT", "retrohunt/", json={key: HUNT[key] for key in HUNT if key != name})
        expected = (400, f"Missing required argument: '{name}'") if name != "ttl" else (500, "Internal Server Error")
        assert (status, words) == expected


def test_a_retrohunt_finds_nothing_before_it_is_finished(served, call, submit):
    submit('some evil "words"')
    served.seed({"retrohunt": {"seconds": 0.2}})
    key = call("PUT", "retrohunt/", json=HUNT)[2]["key"]
    assert call("GET", f"retrohunt/hits/{key}/")[2]["total"] == 0
    assert call("GET", f"retrohunt/{key}/")[2]["finished"] is False
    time.sleep(0.25)
    assert call("GET", f"retrohunt/hits/{key}/?fl=sha256&rows=1")[2]["total"] == 1
    assert call("GET", "retrohunt/?query=*")[2]["items"] == [{"key": key, "total_hits": 1}]
    assert served.tables()["retrohunt"][0]["finished"] is True


def test_what_is_not_there_is_told_in_different_words(call):
    words = {path: call("GET", f"retrohunt/{path}nosuch/")[1] for path in ("", "hits/", "errors/", "types/")}
    assert words == {
        "": "This retrohunt job does not exist...",
        "hits/": "This retrohunt job does not exist...",
        "errors/": "Not Found.",
        "types/": "Not Found.",
    }
    assert call("PUT", "archive/nosuch/")[1] == "The submission 'nosuch' was not found in the system"


def test_what_is_archived_is_marked_and_its_own_metadata_stay(call, submit):
    sid = submit("a")
    assert call("PUT", f"archive/{sid}/?delete_after", json={"a": "b"})[2] == {"action": "archive", "success": True}
    found = call("GET", f"submission/{sid}/")[2]
    assert (found["archived"], found["from_archive"], found["metadata"]["a"]) == (True, True, "b")


# Workflows


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"query": "*"}, "Name field is required"),
        ({"name": "a"}, "Query field is required"),
        ({"name": "a", "query": "a:[["}, "Query contains an error"),
    ],
)
def test_a_workflow_without_name_or_query_is_refused(call, sent, words):
    assert call("PUT", "workflow/", FULL, json=sent) == (400, words, {"success": False})


def test_a_value_that_there_is_not_is_refused_when_added_and_makes_a_change_fail(call):
    sent = {"name": "a", "query": "*", "priority": None, "status": None}
    status, words, _ = call("PUT", "workflow/", FULL, json={**sent, "status": "bad"})
    assert (status, words.startswith("[status] bad not in the possible values")) == (400, True)
    id_ = call("PUT", "workflow/", FULL, json={**sent, "labels": ["B", "A"]})[2]["workflow_id"]
    assert call("POST", f"workflow/{id_}/", FULL, json={**sent, "priority": "URGENT"})[0] == 500
    assert call("PUT", f"workflow/enable/{id_}/", FULL, json={})[1] == "Enabled field is required"
    assert sorted(call("GET", "workflow/labels/")[2]) == ["A", "B"]
