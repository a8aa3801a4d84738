"""Contract of other sources than files, and of resubmissions, on the fake server and on live ones."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.submissions import intake, resubmissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait

MISSING_SID = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def text() -> str:
    """The text of a file that no other test submits."""
    return f"{uuid.uuid4().hex} RIG-SCORE:10"


@pytest.fixture
def sha256(text) -> str:
    return digest("sha256", text)


def digest(kind: str, text: str) -> str:
    return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


def wait_for(hook, sid: str):
    return wait_in_worker(hook, waits.SUBMISSION, PendingWait(sid, time.time() + 60, 0.2))


@pytest.mark.parametrize("kind", ["plaintext", "base64"])
def test_texts_and_bytes_are_analysed_and_named_by_hash(hook, run_flow, text, sha256, kind):
    value = text if kind == "plaintext" else base64.b64encode(text.encode()).decode()
    document = run_flow(hook, intake.submit({kind: value}, {}))
    assert document["files"] == [{"name": sha256, "sha256": sha256, "size": len(text)}]
    assert wait_for(hook, document["sid"]).details["max_score"] == 10


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_known_file_is_submitted_by_hash_in_upper_or_lower_case(hook, run_flow, text, sha256, kind):
    wait_for(hook, run_flow(hook, intake.submit({"plaintext": text}, {}))["sid"])
    document = run_flow(hook, intake.submit({kind: digest(kind, text).upper()}, {"name": "again.txt"}))
    assert document["files"] == [{"name": "again.txt", "sha256": sha256, "size": len(text)}]
    assert wait_for(hook, document["sid"]).details["max_score"] == 10


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_an_unknown_file_is_not_found(hook, run_flow, text, kind):
    with pytest.raises(NotFoundError, match=f"{kind.upper()} does not exist in Assemblyline"):
        run_flow(hook, intake.submit({kind: digest(kind, text)}, {}))


def test_a_defanged_url_is_restored_and_names_its_submission(hook, run_flow, text):
    document = run_flow(hook, intake.submit({"url": f"hxxp[:]//exa[.]mple.com/{text[:32]}"}, {"name": "ignored"}))
    assert document["files"][0]["name"] == f"http://exa.mple.com/{text[:32]}"
    wait_for(hook, document["sid"])


def test_a_text_is_submitted_once_per_tag(hook, run_flow, text):
    first = run_flow(hook, intake.submit_once({"plaintext": text}, {}, text))
    wait_for(hook, first["sid"])
    assert run_flow(hook, intake.submit_once({"plaintext": text}, {}, text))["sid"] == first["sid"]


# Resubmissions


def test_a_resubmission_has_the_same_params_and_metadata(hook, run_flow, text):
    options = {"name": "a.txt", "metadata": {"case": "7"}, "params": {"priority": 321}}
    first = run_flow(hook, intake.submit({"plaintext": text}, options))
    wait_for(hook, first["sid"])
    again = run_flow(hook, resubmissions.create(first["sid"]))
    assert again["sid"] != first["sid"]
    assert again["files"] == first["files"]
    assert (again["metadata"]["case"], again["params"]["priority"]) == ("7", 321)
    assert again["params"]["description"] == "Resubmit a.txt for analysis"
    wait_for(hook, again["sid"])


def test_a_file_is_resubmitted_for_dynamic_analysis(hook, run_flow, text, sha256):
    first = run_flow(hook, intake.submit({"plaintext": text}, {"metadata": {"case": "7"}}))
    wait_for(hook, first["sid"])
    bare = run_flow(hook, resubmissions.create_for_dynamic_analysis(sha256))
    assert (bare["metadata"], bare["params"]["services"]["selected"]) == ({}, ["Dynamic Analysis"])
    assert bare["params"]["priority"] == 500
    copied = run_flow(hook, resubmissions.create_for_dynamic_analysis(sha256.upper(), copy_sid=first["sid"], name="n"))
    assert copied["metadata"]["case"] == "7"
    assert copied["params"]["services"]["selected"][-1] == "Dynamic Analysis"
    assert "Antivirus" in copied["params"]["services"]["selected"]
    assert copied["params"]["description"] == "Resubmit n for Dynamic Analysis"
    for document in (bare, copied):
        wait_for(hook, document["sid"])


def test_a_file_is_resubmitted_with_a_profile(hook, run_flow, text, sha256):
    first = run_flow(hook, intake.submit({"plaintext": text}, {"metadata": {"case": "7"}}))
    wait_for(hook, first["sid"])
    document = run_flow(hook, resubmissions.create_with_profile("static", sha256, copy_sid=first["sid"], name="n"))
    assert document["metadata"]["case"] == "7"
    assert document["params"]["description"] == "Resubmit n with Static Analysis [OFFLINE]"
    wait_for(hook, document["sid"])


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (lambda: resubmissions.create(MISSING_SID), f"Submission {MISSING_SID} does not exists"),
        (lambda: resubmissions.create_for_dynamic_analysis("ab" * 32), "cannot be found on the server"),
        (lambda: resubmissions.create_with_profile("static", "ab" * 32), "cannot be found on the server"),
        (
            lambda: resubmissions.create_for_dynamic_analysis("ab" * 32, copy_sid=MISSING_SID),
            f"Submission ID {MISSING_SID} does not exists",
        ),
    ],
)
def test_a_missing_object_is_not_resubmitted(hook, run_flow, flow, message):
    with pytest.raises(NotFoundError, match=message):
        run_flow(hook, flow())


@pytest.mark.parametrize("profile", ["default", "nosuch"])
def test_the_server_fails_on_an_unknown_profile(hook, run_flow, text, sha256, profile):
    wait_for(hook, run_flow(hook, intake.submit({"plaintext": text}, {}))["sid"])

    def flow():
        return (yield Request("PUT", f"/api/v4/submit/{profile}/{sha256}/"))

    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, flow())


def test_the_server_ignores_an_unknown_submission_to_copy_from(hook, run_flow, text, sha256):
    wait_for(hook, run_flow(hook, intake.submit({"plaintext": text}, {}))["sid"])

    def flow():
        reply = yield Request("GET", f"/api/v4/submit/dynamic/{sha256}/", {"copy_sid": MISSING_SID}, idempotent=False)
        return reply.json()["api_response"]["sid"]

    wait_for(hook, run_flow(hook, flow()))
