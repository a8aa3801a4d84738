"""Submission, resubmission, and the simulated analysis."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from self_hosted.sandbox.assemblyline.analysis.analyzer import EICAR, analyze


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("content", "score", "files", "errors"),
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
def test_markers_in_a_file_determine_its_results(call, submit, content, score, files, errors):
    document = call("GET", f"submission/{submit(content)['sid']}/").response
    assert document["state"] == "completed"
    assert (document["max_score"], document["file_count"], document["error_count"]) == (score, files, errors)


def test_archives_in_archives_are_extracted():
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.txt", "RIG-SCORE:650")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.writestr("folder/", "")
        archive.writestr("folder/b.txt", "RIG-SCORE:10")
    result = analyze(outer)
    assert (len(result.scores), result.max_score) == (4, 650)


def test_a_running_submission_has_no_results(call, submit):
    sid = submit("RIG-SLEEP:60 RIG-SCORE:5")["sid"]
    assert call("GET", f"submission/is_completed/{sid}/").response is False
    document = call("GET", f"submission/{sid}/").response
    assert (document["state"], document["max_score"], document["times"]["completed"]) == ("submitted", 0, None)


def test_unknown_options_are_ignored(submit):
    params = {"foo": 1, "priority": 7, "services": {"selected": ["NoSuch"]}, "classification": "nonsense"}
    document = submit("x", params=params, submission_profile="nosuch")
    assert "foo" not in document["params"]
    assert document["params"]["priority"] == 7
    assert document["params"]["services"]["selected"] == ["NoSuch"]
    assert document["classification"] == "TLP:C"


def test_metadata_is_flattened_and_converted_to_text(submit):
    assert submit("x", metadata={"a": {"b": 1}, "c": True})["metadata"] == {"a.b": "1", "c": "true"}


@pytest.mark.parametrize(
    ("options", "error"),
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
def test_an_invalid_file_is_rejected(served, call, options, error):
    served.seed({"configuration": {"submission.max_file_size": 10}})
    assert call("POST", "submit/", **options).error == error


def test_ignore_size_lifts_the_limit(served, upload):
    served.seed({"configuration": {"submission.max_file_size": 1}})
    assert upload("submit/", "too large", params={"ignore_size": True}).status == 200


@pytest.mark.parametrize("body", [{"plaintext": "hello", "name": "a"}, {"base64": "aGVsbG8="}, {"base64": "aGVs bG8="}])
def test_a_file_may_be_text_or_base64(call, body):
    assert call("POST", "submit/", json=body).response["files"][0]["size"] == 5


def test_invalid_base64_is_rejected(call):
    assert call("POST", "submit/", json={"base64": "YWJjZ"}).status == 400


def test_daily_and_concurrent_quotas_differ_only_in_their_messages(served, upload, call):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 60})
    sid = upload("submit/", "x").response["sid"]
    concurrent = (503, "You've exceeded your maximum concurrent submission quota of 1")
    assert upload("submit/", "y").error == concurrent
    assert call("GET", f"submit/resubmit/{sid}/").error == concurrent
    served.seed({"quotas": {"concurrent_submissions": 0, "daily_submissions": 1}})
    assert upload("submit/", "y").error == (503, "You've reached your daily maximum submission quota of 1")


def test_the_rest_of_a_daily_quota_is_in_a_header(served, send, call):
    served.seed({"quotas": {"daily_api_calls": 1}})
    assert send("GET", "user/whoami/").headers["x-remaining-quota-api"] == "0"
    assert call("GET", "user/whoami/").error == (503, "You've exceeded your daily maximum API calls quota of 1")
    assert call("GET", "help/configuration/").status == 200


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("hxxps[:]//a[.]example/x", "https://a.example/x"),
        ("hxxp[://]a.example", "http://a.example"),
        ("nonsense", "nonsense"),
    ],
)
def test_any_text_is_accepted_as_a_url_and_is_the_name_of_the_submission(call, url, name):
    document = call("POST", "submit/", json={"url": url, "name": "ignored"}).response
    assert document["files"][0]["name"] == name


@pytest.mark.parametrize("hash_type", ["sha256", "sha1", "md5"])
def test_a_file_is_found_by_its_hashes_in_lower_case_only(call, submit, hash_type):
    submit("x")
    digest = hashlib.new(hash_type, b"x", usedforsecurity=False).hexdigest()
    document = call("POST", "submit/", json={hash_type: digest}).response
    assert document["files"] == [{"name": digest, "sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}]
    message = f"{hash_type.upper()} does not exist in Assemblyline and no external sources are available."
    assert call("POST", "submit/", json={hash_type: digest.upper()}).error == (404, message)


@pytest.mark.usefixtures("fast")
def test_a_file_remains_available_after_the_deletion_of_its_submissions(call, submit):
    document = submit("RIG-SCORE:5")
    call("DELETE", f"submission/{document['sid']}/")
    assert call("POST", "submit/", json={"sha256": document["files"][0]["sha256"]}).status == 200


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
def test_existing_submissions_and_files_can_be_resubmitted(served, call, submit, method, path, status):
    document = submit("x")
    assert call(method, path.format(sid=document["sid"], sha256=document["files"][0]["sha256"])).status == status
    assert len(served.tables()["submissions"]) == (2 if status == 200 else 1)
