"""A submission with the tag of a request is only its own if it has the same content."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest

from self_hosted.assemblyline.api.submissions import idempotency, ingests, intake
from self_hosted.assemblyline.api.submissions.contents import CHUNK_BYTES, Content
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Upload
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of, tagged

OWN, OTHER = tagged("own"), tagged("other", text="flagged")
SHA256 = OWN["files"][0]["sha256"]
TLSH = f"T1{'A' * 70}"
URL_DOCUMENT = tagged(files=[{"name": "http://a.example/x", "sha256": "ab" * 32}])
DONE = {"success": True}


def matches(source: Any, document: dict[str, Any], *replies: Any) -> bool:
    flow = Content(source).matches(document)
    if replies:
        return bool(result_of(flow, *replies)[0])
    with pytest.raises(StopIteration) as end:  # without a request
        next(flow)
    return bool(end.value.value)


def upload(data: bytes) -> Upload:
    return Upload("a.txt", lambda: io.BytesIO(data), len(data))


# Sources


@pytest.mark.parametrize(
    "source",
    [UPLOAD, {"plaintext": "hello"}, {"base64": "aGVsbG8="}, {"sha256": SHA256.upper()}, None],
    ids=["file", "plaintext", "base64", "sha256", "any"],
)
def test_the_same_content_matches(source):
    assert matches(source, OWN)


@pytest.mark.parametrize(
    "source",
    [upload(b"hello."), {"plaintext": "hello."}, {"base64": "aGVsbG8u"}, {"sha256": "ab" * 32}],
    ids=["file", "plaintext", "base64", "sha256"],
)
def test_another_content_does_not_match(source):
    assert not matches(source, OWN)


def test_a_large_file_is_hashed_as_a_whole():
    data = b"a" * (CHUNK_BYTES + 1)
    document = tagged(files=[{"name": "a", "sha256": hashlib.sha256(data).hexdigest()}])
    assert matches(upload(data), document)
    assert not matches(upload(data + b"a"), document)


@pytest.mark.parametrize(
    "url", ["http://a.example/x", "hxxp[:]//a[.]example/x", "hxxp://A{dot}example/x/", r"hxp://a\.example/x"]
)
def test_a_defanged_url_is_the_same(url):
    assert matches({"url": url}, URL_DOCUMENT)


@pytest.mark.parametrize("url", ["https://a.example/x", "http://a.example/y", "fxp://a.example/x"])
def test_another_url_does_not_match(url):
    assert not matches({"url": url}, URL_DOCUMENT)


@pytest.mark.parametrize(("kind", "value"), [("md5", "a" * 32), ("sha1", "a" * 40), ("tlsh", TLSH)])
def test_other_hashes_are_read_from_the_file(kind, value):
    assert matches({kind: value}, OWN, reply({"sha256": SHA256, kind: value}))
    assert not matches({kind: value}, OWN, reply({"sha256": SHA256, kind: value.replace("a", "b").replace("A", "B")}))


@pytest.mark.parametrize("response", [reply({"sha256": SHA256}), NotFoundError("expired")], ids=["no hash", "no file"])
def test_a_hash_that_the_server_does_not_show_leaves_the_decision_to_the_tag(response):
    assert matches({"tlsh": TLSH}, OWN, response)


@pytest.mark.parametrize("start", [b"CART", b"# Assemblyline URI file\nuri: x"])
def test_a_file_that_the_server_rewrites_leaves_the_decision_to_the_tag(start):
    assert matches(upload(start + b"..."), OWN)


def test_a_submission_of_several_files_does_not_match():
    assert not matches(UPLOAD, {**OWN, "files": [*OWN["files"], *OTHER["files"]]})


# What is found


def test_a_submission_of_another_file_is_left_alone_and_the_file_is_submitted():
    replies = items(OTHER), reply(OTHER), reply(CONFIGURATION), reply({"sid": "new"})
    result, steps = result_of(intake.submit_once(UPLOAD, {}, "t1"), *replies)
    assert (result["sid"], result["doubtful"]) == ("new", False)
    [reason] = result["left_alone"]
    hashes = f"{OTHER['files'][0]['sha256']}, not {SHA256}"
    assert reason == (
        f"submission other has the tag of this submission, but another content ({hashes}); it is left alone"
    )
    assert [step.method for step in steps] == ["POST", "GET", "GET", "POST"]


def test_a_submission_of_another_file_is_reported_once():
    replies = items(OTHER), reply(OTHER), items(OTHER, OWN), reply(OTHER), reply(OWN)
    result, _ = result_of(intake.submit_once(UPLOAD, {}, "t1", previous_attempt_unknown=True), *replies)
    assert (result["sid"], result["doubtful"], len(result["left_alone"])) == ("own", True, 1)


def test_of_two_submissions_the_one_of_the_same_file_counts():
    found, _ = result_of(idempotency.get("t1", UPLOAD), items(OTHER, OWN), reply(OTHER), reply(OWN))
    assert found == OWN


def test_without_a_source_the_oldest_counts():
    assert result_of(idempotency.get("t1"), items(OTHER, OWN), reply(OTHER))[0] == OTHER


@pytest.mark.parametrize("submit", [intake.submit, lambda *_: intake.submit_fail_fast(UPLOAD, {}, "t1")])
def test_a_lost_response_is_not_read_back_as_a_submission_of_another_file(submit):
    replies = OutcomeUnknownError("lost"), items(OTHER), reply(OTHER), items(OTHER, OWN), reply(OTHER), reply(OWN)
    result, steps = result_of(submit(UPLOAD, {"metadata": {"airflow_task": "t1"}}), *replies)
    assert result["sid"] == "own"
    assert sum(getattr(step, "path", "") == "/api/v4/submit/" for step in steps) == 1


def test_of_many_tags_the_submissions_of_other_files_are_left_out():
    rows = [OTHER, OWN, tagged("foreign", "t2", "flagged"), tagged("third", "t3", "flagged")]
    requests = {"t1": Content(UPLOAD), "t2": Content(UPLOAD), "t3": Content(None)}
    found, [request] = result_of(idempotency.get_many(requests), items(*rows))
    assert {tag: document["sid"] for tag, document in found.items()} == {"t1": "own", "t3": "third"}
    assert "files.sha256" in request.json["fl"]


def test_an_ingest_of_another_file_is_left_alone_and_the_file_is_ingested():
    other, own = (
        {**document, "metadata": {**document["metadata"], "ingest_id": document["sid"]}} for document in (OTHER, OWN)
    )
    replies = items(other), reply(CONFIGURATION), reply({"ingest_id": "new"})
    assert result_of(ingests.create_once(UPLOAD, {}, "t1"), *replies)[0] == "new"
    assert result_of(ingests.create_once(UPLOAD, {}, "t1"), items(other, own))[0] == "own"


# Duplicates


def test_only_submissions_of_the_same_request_are_deleted():
    others = {
        "twin": tagged("twin"),
        "other file": tagged("other file", text="flagged"),
        "other user": tagged("other user", params={"submitter": "eve"}),
        "other services": tagged("other services", params={"submitter": "bo", "services": {"selected": ["A"]}}),
    }
    copy = tagged("copy", params={"description": "Resubmit a"})
    replies = [items(OWN, *others.values(), copy), reply(OWN)]
    for sid, document in others.items():
        replies += [reply(document), *([reply(DONE)] if sid == "twin" else [])]
    deleted, steps = result_of(idempotency.end_duplicates("t1", "own"), *replies)
    assert deleted == ["twin"]
    assert [step.path for step in steps if step.method == "DELETE"] == ["/api/v4/submission/twin/"]


def test_a_duplicate_that_is_deleted_meanwhile_is_no_error():
    replies = (
        items(OWN, tagged("a"), tagged("b")),
        reply(OWN),
        NotFoundError("gone"),
        reply(tagged("b")),
        NotFoundError(""),
    )
    assert result_of(idempotency.end_duplicates("t1", "own"), *replies)[0] == ["b"]


def test_nothing_is_deleted_if_the_submission_itself_is_gone():
    deleted, steps = result_of(idempotency.end_duplicates("t1", "own"), items(tagged("a")), NotFoundError("gone"))
    assert deleted == []
    assert "DELETE" not in {step.method for step in steps}


def test_duplicates_of_many_tags_are_deleted():
    rows = [OWN, tagged("twin"), tagged("s2", "t2"), tagged("s3", "t3"), tagged("flagged", "t3", "flagged")]
    details = [OWN, tagged("twin"), DONE, tagged("s3", "t3"), tagged("flagged", "t3", "flagged")]
    flow = idempotency.end_all_duplicates({"t1": "own", "t2": "s2", "t3": "s3"})
    deleted, steps = result_of(flow, items(*rows), *map(reply, details))
    assert deleted == ["twin"]
    assert len(steps) == 6
