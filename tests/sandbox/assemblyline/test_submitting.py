"""Submitting to the stand-in, and submitting anew; its quotas."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from self_hosted.sandbox.assemblyline.scan import EICAR, scan
from tests.sandbox.assemblyline.asking import message


@pytest.mark.parametrize(
    ("words", "score", "files", "errors"),
    [
        ("nothing", 0, 1, 0),
        ("RIG-SCORE:-5", -5, 1, 0),
        ("RIG-SCORE:300", 300, 1, 0),
        ("RIG-FAIL RIG-SCORE:300", 0, 1, 1),
        ("RIG-CHILD:RIG-SCORE:700\nRIG-CHILD:b", 700, 3, 0),
        ("RIG-CHILD:same\nRIG-CHILD:same", 0, 2, 0),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + EICAR + b"!$H+H*", 1000, 1, 0),
        (b"PK\x03\x04 but no archive", 0, 1, 1),
    ],
)
def test_what_is_written_in_a_file_decides_what_is_found(served, call, submit, words, score, files, errors):
    served.seed({"delay": 0})
    sid = submit(words).json()["api_response"]["sid"]
    found = call("GET", f"submission/{sid}/").json()["api_response"]
    assert found["state"] == "completed"
    assert (found["max_score"], found["file_count"], found["error_count"]) == (score, files, errors)


def test_archives_are_opened_and_archives_within_them():
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.txt", "RIG-SCORE:650")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("folder/", "")
        archive.writestr("folder/b.txt", "RIG-SCORE:10")
    findings = scan(outer)
    assert (len(findings.scores), findings.max_score) == (4, 650)


def test_the_state_moves_with_time(served, call, submit):
    sid = submit("RIG-SLEEP:60 RIG-SCORE:5").json()["api_response"]["sid"]
    assert call("GET", f"submission/is_completed/{sid}/").json()["api_response"] is False
    document = call("GET", f"submission/{sid}/").json()["api_response"]
    assert (document["state"], document["max_score"], document["times"]["completed"]) == ("submitted", 0, None)


def test_unknown_params_and_profiles_are_ignored_silently(submit):
    reply = submit("x", '{"params": {"foo": 1, "priority": 7}, "submission_profile": "nosuch"}')
    assert reply.status_code == 200
    params = reply.json()["api_response"]["params"]
    assert "foo" not in params
    assert params["priority"] == 7


def test_metadata_becomes_flat_text(submit):
    reply = submit("x", '{"metadata": {"a": {"b": 1}, "c": true}}')
    assert reply.json()["api_response"]["metadata"] == {"a.b": "1", "c": "true"}


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"data": "x"}, (400, "Invalid content type")),
        ({"json": {}}, (400, "Missing file to scan. No binary or fetching method provided.")),
        ({"files": {"bin": ("a", b"")}}, (400, "File empty.")),
        ({"files": {"bin": ("a", b"x" * 11)}}, (413, "File too big to be scanned (11 > 10).")),
        ({"json": {"plaintext": "x" * 11}}, (413, "File too big to be scanned (11 > 10).")),
        (
            {"json": {"sha256": "a" * 64}},
            (404, "SHA256 does not exist in Assemblyline and no external sources are available."),
        ),
    ],
)
def test_what_cannot_be_scanned_is_refused(served, call, request_, answer):
    served.seed({"configuration": {"submission.max_file_size": 10}})
    assert message(call("POST", "submit/", **request_)) == answer


def test_ignore_size_lifts_the_limit(served, submit):
    served.seed({"configuration": {"submission.max_file_size": 1}})
    assert submit("too large", '{"params": {"ignore_size": true}}').ok


def test_text_and_base64_are_taken_as_json(call):
    for body in ({"plaintext": "hello", "name": "a"}, {"base64": "aGVsbG8="}):
        document = call("POST", "submit/", json=body).json()["api_response"]
        assert document["files"][0]["size"] == 5


def test_daily_and_concurrent_quotas_are_told_apart_by_words_only(served, submit, call):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 60})
    assert submit("x").ok
    assert message(submit("y")) == (503, "You've exceeded your maximum concurrent submission quota of 1")
    served.seed({"quotas": {"concurrent_submissions": 0, "daily_submissions": 1}})
    assert message(submit("y")) == (503, "You've reached your daily maximum submission quota of 1")
    served.seed({"quotas": {"daily_api_calls": 1}})
    assert call("GET", "user/whoami/").headers["x-remaining-quota-api"] == "0"
    refused = call("GET", "user/whoami/")
    assert message(refused) == (503, "You've exceeded your daily maximum API calls quota of 1")
    assert call("GET", "help/configuration/").ok


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("hxxps[:]//a[.]example/x", "https://a.example/x"),
        ("hxxp[://]a.example", "http://a.example"),
        ("nonsense", "nonsense"),
    ],
)
def test_any_text_is_taken_for_a_url_and_names_the_submission(call, address, name):
    document = call("POST", "submit/", json={"url": address, "name": "ignored"}).json()["api_response"]
    assert document["files"][0]["name"] == name


@pytest.mark.parametrize(("text", "status"), [("YWJj", 200), ("Y W J j", 200), ("YWJjZ", 400)])
def test_base64_is_read_leniently_as_far_as_that_goes(call, text, status):
    assert call("POST", "submit/", json={"base64": text}).status_code == status


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_file_is_known_by_its_hashes_in_lower_case_only(call, submit, kind):
    submit("x")
    digest = hashlib.new(kind, b"x", usedforsecurity=False).hexdigest()
    document = call("POST", "submit/", json={kind: digest}).json()["api_response"]
    assert document["files"] == [{"name": digest, "sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}]
    words = f"{kind.upper()} does not exist in Assemblyline and no external sources are available."
    assert message(call("POST", "submit/", json={kind: digest.upper()})) == (404, words)


def test_a_known_file_outlives_its_submissions(served, call, submit):
    served.seed({"delay": 0})
    document = submit("RIG-SCORE:5").json()["api_response"]
    call("DELETE", f"submission/{document['sid']}/")
    assert call("POST", "submit/", json={"sha256": document["files"][0]["sha256"]}).ok


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "submit/resubmit/{sid}/", 200),
        ("GET", "submit/resubmit/nosuch/", 404),
        ("GET", "submit/dynamic/{sha256}/", 200),
        ("GET", "submit/dynamic/{sha256}/?copy_sid=nosuch", 200),
        ("GET", "submit/dynamic/nosuch/", 404),
        ("PUT", "submit/static/{sha256}/", 200),
        ("PUT", "submit/default/{sha256}/", 500),
        ("PUT", "submit/nosuch/nosuch/", 404),
    ],
)
def test_what_there_is_is_made_anew(served, call, submit, method, path, status):
    document = submit("x").json()["api_response"]
    reply = call(method, path.format(sid=document["sid"], sha256=document["files"][0]["sha256"]))
    assert reply.status_code == status
    assert len(served.tables()["submissions"]) == (2 if status == 200 else 1)


def test_what_is_made_anew_counts_as_a_submission(served, call, submit):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 60})
    sid = submit("x").json()["api_response"]["sid"]
    words = "You've exceeded your maximum concurrent submission quota of 1"
    assert message(call("GET", f"submit/resubmit/{sid}/")) == (503, words)
