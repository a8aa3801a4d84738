"""What must hold on the stand-in and on a real server when something else than a file is submitted, or anew."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import SUBMISSION
from self_hosted.core.errors import Broken, NotFound
from self_hosted.core.flow import Request
from self_hosted.core.wait import Waiter, wait

NO_SUCH = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def words() -> str:
    """Of a file that no other test submits."""
    return f"{uuid.uuid4().hex} RIG-SCORE:10"


@pytest.fixture
def sha256(words) -> str:
    return digest("sha256", words)


def digest(kind: str, words: str) -> str:
    return hashlib.new(kind, words.encode(), usedforsecurity=False).hexdigest()


def completed(hook, sid: str):
    return wait(hook, SUBMISSION, Waiter(sid, time.time() + 30, 0.2))


@pytest.mark.parametrize("kind", ["plaintext", "base64"])
def test_text_and_bytes_are_analysed_and_named_by_their_hash(hook, ask, words, sha256, kind):
    value = words if kind == "plaintext" else base64.b64encode(words.encode()).decode()
    document = ask(hook, api.submit({kind: value}, {}))
    assert document["files"] == [{"name": sha256, "sha256": sha256, "size": len(words)}]
    assert completed(hook, document["sid"]).facts["max_score"] == 10


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_known_file_is_submitted_by_its_hash_in_any_case(hook, ask, words, sha256, kind):
    completed(hook, ask(hook, api.submit({"plaintext": words}, {}))["sid"])
    document = ask(hook, api.submit({kind: digest(kind, words).upper()}, {"name": "again.txt"}))
    assert document["files"] == [{"name": "again.txt", "sha256": sha256, "size": len(words)}]
    assert completed(hook, document["sid"]).facts["max_score"] == 10


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_an_unknown_file_is_not_found(hook, ask, words, kind):
    with pytest.raises(NotFound, match=f"{kind.upper()} does not exist in Assemblyline"):
        ask(hook, api.submit({kind: digest(kind, words)}, {}))


def test_a_url_is_put_right_and_names_its_submission(hook, ask, words):
    document = ask(hook, api.submit({"url": f"hxxp[:]//exa[.]mple.com/{words[:32]}"}, {"name": "ignored"}))
    assert document["files"][0]["name"] == f"http://exa.mple.com/{words[:32]}"
    completed(hook, document["sid"])


def test_text_is_submitted_once_under_a_tag(hook, ask, words):
    first = ask(hook, api.submit_once({"plaintext": words}, {}, words))
    completed(hook, first["sid"])
    assert ask(hook, api.submit_once({"plaintext": words}, {}, words))["sid"] == first["sid"]


# Submitting anew


def test_a_submission_is_made_anew_with_its_params_and_metadata(hook, ask, words):
    options = {"name": "a.txt", "metadata": {"case": "7"}, "params": {"priority": 321}}
    first = ask(hook, api.submit({"plaintext": words}, options))
    completed(hook, first["sid"])
    again = ask(hook, api.resubmit(first["sid"]))
    assert again["sid"] != first["sid"]
    assert again["files"] == first["files"]
    assert (again["metadata"]["case"], again["params"]["priority"]) == ("7", 321)
    assert again["params"]["description"] == "Resubmit a.txt for analysis"
    completed(hook, again["sid"])


def test_a_file_is_made_anew_for_dynamic_analysis(hook, ask, words, sha256):
    first = ask(hook, api.submit({"plaintext": words}, {"metadata": {"case": "7"}}))
    completed(hook, first["sid"])
    bare = ask(hook, api.resubmit_for_dynamic(sha256))
    assert (bare["metadata"], bare["params"]["services"]["selected"]) == ({}, ["Dynamic Analysis"])
    assert bare["params"]["priority"] == 500
    copied = ask(hook, api.resubmit_for_dynamic(sha256.upper(), copy_sid=first["sid"], name="n"))
    assert copied["metadata"]["case"] == "7"
    assert copied["params"]["services"]["selected"][-1] == "Dynamic Analysis"
    assert "Antivirus" in copied["params"]["services"]["selected"]
    assert copied["params"]["description"] == "Resubmit n for Dynamic Analysis"
    for document in (bare, copied):
        completed(hook, document["sid"])


def test_a_file_is_made_anew_with_a_profile(hook, ask, words, sha256):
    first = ask(hook, api.submit({"plaintext": words}, {"metadata": {"case": "7"}}))
    completed(hook, first["sid"])
    document = ask(hook, api.resubmit_with_profile("static", sha256, copy_sid=first["sid"], name="n"))
    assert document["metadata"]["case"] == "7"
    assert document["params"]["description"] == "Resubmit n with Static Analysis [OFFLINE]"
    completed(hook, document["sid"])


@pytest.mark.parametrize(
    ("flow", "sentence"),
    [
        (lambda: api.resubmit(NO_SUCH), f"Submission {NO_SUCH} does not exists"),
        (lambda: api.resubmit_for_dynamic("ab" * 32), "cannot be found on the server"),
        (lambda: api.resubmit_with_profile("static", "ab" * 32), "cannot be found on the server"),
        (lambda: api.resubmit_for_dynamic("ab" * 32, copy_sid=NO_SUCH), f"Submission ID {NO_SUCH} does not exists"),
    ],
)
def test_what_is_not_there_is_not_made_anew(hook, ask, flow, sentence):
    with pytest.raises(NotFound, match=sentence):
        ask(hook, flow())


@pytest.mark.parametrize("profile", ["default", "nosuch"])
def test_the_server_fails_on_a_profile_that_is_not_its_own(hook, ask, words, sha256, profile):
    completed(hook, ask(hook, api.submit({"plaintext": words}, {}))["sid"])

    def flow():
        return (yield Request("PUT", f"/api/v4/submit/{profile}/{sha256}/"))

    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, flow())


def test_an_unknown_submission_to_copy_from_is_ignored_by_the_server(hook, ask, words, sha256):
    completed(hook, ask(hook, api.submit({"plaintext": words}, {}))["sid"])

    def flow():
        reply = yield Request("GET", f"/api/v4/submit/dynamic/{sha256}/", {"copy_sid": NO_SUCH}, repeatable=False)
        return reply.json()["api_response"]["sid"]

    completed(hook, ask(hook, flow()))
