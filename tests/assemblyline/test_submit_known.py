"""Submitting what the server fetches or has, against the stand-in: a URL, a hash, what was submitted before."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import (
    AssemblylineResubmitOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from tests.context import context, executed
from tests.core.conftest import Store

WORDS = "RIG-SCORE:350"
URL: Any = AssemblylineSubmitUrlOperator
HASH: Any = AssemblylineSubmitHashOperator
RESUBMIT: Any = AssemblylineResubmitOperator
either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """All tests here have the default connection."""


def run(kind: Any, told: Any = None, **arguments: Any) -> Any:
    usual = {"task_id": "scan", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 20}
    return executed(lambda: kind(**{**usual, **arguments}), told)


def documents(served: Any) -> list[dict[str, Any]]:
    return [one.document for one in served.product.submissions.values()]


def digest(kind: str) -> str:
    return hashlib.new(kind, WORDS.encode(), usedforsecurity=False).hexdigest()


@either_way
def test_a_url_is_analysed_and_names_its_submission(served, deferrable):
    result = run(URL, url="hxxps[:]//suspicious[.]example/a", deferrable=deferrable, metadata={"case": 7})
    assert (result["state"], result["verdict"]) == ("completed", "info")
    [made] = documents(served)
    assert made["files"][0]["name"] == "https://suspicious.example/a"
    assert made["metadata"]["case"] == "7"


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_known_file_is_analysed_by_its_hash_whatever_kind_it_is(served, submitted, kind):
    submitted(WORDS)
    result = run(HASH, hash=digest(kind).upper(), name="again.txt")
    assert result["max_score"] == 350
    assert documents(served)[-1]["files"][0]["name"] == "again.txt"


def test_an_unknown_file_fails_at_once(served):
    with pytest.raises(AirflowFailException, match="SHA256 does not exist in Assemblyline"):
        run(HASH, hash=digest("sha256"))


@pytest.mark.parametrize("kind", [URL, HASH, RESUBMIT])
def test_a_retry_finds_the_submission_of_the_try_before(served, submitted, kind):
    sid = submitted(WORDS)
    arguments = {URL: {"url": "http://a.example"}, HASH: {"hash": digest("sha256")}, RESUBMIT: {"sid": sid}}[kind]
    for attempt in (1, 2):
        told = context(kind(task_id="scan", retries=1, **arguments), max_tries=1, try_number=attempt)
        run(kind, told, retries=1, **arguments)
    assert len(documents(served)) == 2


@pytest.mark.parametrize("kind", [URL, HASH, RESUBMIT])
def test_a_lost_answer_makes_no_second_submission(served, submitted, kind):
    sid = submitted(WORDS)
    served.fail("drop", method="POST", path="/api/v4/submit/")
    run(kind, **{URL: {"url": "http://a.example"}, HASH: {"hash": digest("md5")}, RESUBMIT: {"sid": sid}}[kind])
    assert len(documents(served)) == 2


def test_services_that_failed_are_told_in_one_line(served, write, caplog, capsys):
    result = run(AssemblylineSubmitFileOperator, file=write("RIG-FAIL"))
    logged = caplog.text + capsys.readouterr().out
    assert f"1 services failed on submission {result['sid']}" in logged
    assert logged.count("services failed") == 1


# Anew


@either_way
def test_a_submission_is_made_anew_with_its_name_params_and_metadata(served, submitted, deferrable):
    options = {"name": "a.exe", "metadata": {"case": "7"}, "params": {"priority": 321, "generate_alert": True}}
    sid = submitted(WORDS, **options)
    result = run(RESUBMIT, sid=sid, deferrable=deferrable)
    assert result["sid"] != sid
    assert result["max_score"] == 350
    old, new = documents(served)
    assert new["files"] == old["files"]
    assert (new["metadata"]["case"], new["params"]["priority"], new["params"]["generate_alert"]) == ("7", 321, True)
    assert new["metadata"][api.TAG] != old["metadata"][api.TAG]


def test_what_is_given_goes_before_what_is_taken_over(served, submitted):
    sid = submitted(WORDS, metadata={"case": "7", "kept": "x"}, params={"priority": 321, "ttl": 3})
    run(RESUBMIT, sid=sid, name="b.exe", metadata={"case": "8"}, submission_params={"priority": 5})
    new = documents(served)[-1]
    assert new["files"][0]["name"] == "b.exe"
    assert (new["metadata"]["case"], new["metadata"]["kept"]) == ("8", "x")
    assert (new["params"]["priority"], new["params"]["ttl"]) == (5, 3)


def test_what_was_ingested_is_made_anew_without_the_id_of_its_ingest(served, ingested, hook):
    ingest_id = ingested(WORDS)
    run(RESUBMIT, sid=hook.ingested_submissions([ingest_id])[ingest_id]["sid"])
    assert "ingest_id" not in documents(served)[-1]["metadata"]


@pytest.mark.parametrize("dynamic", [True, "True"])
def test_a_file_is_made_anew_for_dynamic_analysis(served, submitted, dynamic):
    sid = submitted(WORDS)
    run(RESUBMIT, sha256=digest("sha256"), dynamic=dynamic)
    assert documents(served)[-1]["params"]["services"]["selected"] == ["Dynamic Analysis"]
    run(RESUBMIT, context(RESUBMIT(task_id="b"), run_id="b"), sid=sid, dynamic=dynamic)
    assert "Antivirus" in documents(served)[-1]["params"]["services"]["selected"]
    assert "Dynamic Analysis" in documents(served)[-1]["params"]["services"]["selected"]


def test_with_a_profile_the_services_are_those_of_the_profile(served, submitted):
    sid = submitted(WORDS, params={"services": {"selected": ["Antivirus"]}, "priority": 321})
    run(RESUBMIT, sid=sid, submission_profile="static")
    new = documents(served)[-1]
    assert new["params"]["services"]["selected"] != ["Antivirus"]
    assert new["params"]["priority"] == 321


def test_a_start_that_was_interrupted_makes_no_second_one(served, submitted, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", (0.01, 0.2))
    served.seed({"index_lag": 0.15})
    arguments = {"sid": submitted(WORDS), "retries": 1}
    told = context(RESUBMIT(task_id="scan", **arguments))
    told["task_state_store"] = Store()
    task = RESUBMIT(task_id="scan", **arguments)
    monkeypatch.setattr(task, "key_of", _killed)  # the submission is made, and its worker is gone before it is stored
    with pytest.raises(KeyboardInterrupt):
        task.execute(told)
    run(RESUBMIT, told, **arguments)
    assert len(documents(served)) == 2


def _killed(started: dict[str, Any]) -> str:
    raise KeyboardInterrupt


def test_a_submission_that_is_not_there_fails_at_once():
    with pytest.raises(AirflowFailException, match="Submission ID nosuch does not exists"):
        run(RESUBMIT, sid="nosuch")


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        (URL, {"url": "no address"}, "'no address' is no url"),
        (URL, {"url": ""}, "url must be text, and not empty"),
        (URL, {"url": "http://a.example", "name": "a"}, "name is of no use"),
        (URL, {"url": "http://a.example", "submission_params": {"prio": 1}}, "Assemblyline takes no prio"),
        (HASH, {"hash": "abc"}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'abc'"),
        (HASH, {"hash": None}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not None"),
        (HASH, {"hash": "ab" * 32, "fail_on_score": "many"}, "fail_on_score must be a whole number"),
        (HASH, {"hash": "ab" * 32, "submission_profile": "nosuch"}, "Select one of"),
        (RESUBMIT, {}, "give either sid or sha256"),
        (RESUBMIT, {"sid": "a", "sha256": "ab" * 32}, "give either sid or sha256"),
        (RESUBMIT, {"sha256": "abc"}, "'abc' is no sha256"),
        (RESUBMIT, {"sha256": "ab" * 32, "dynamic": "perhaps"}, "dynamic must be true or false, not 'perhaps'"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_submitted(served, kind, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(kind, **arguments)
    assert documents(served) == []


def test_of_several_files_none_is_taken_for_all():
    document = {"sid": "s1", "files": [{"name": "a"}, {"name": "b"}], "params": {}, "metadata": {}}
    with pytest.raises(ValueError, match="submission s1 has 2 files; submit each by its sha256"):
        api.copied_options(document)
