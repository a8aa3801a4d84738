"""The operators that submit a URL, a hash or an earlier submission, against the sandbox."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api.submissions import idempotency, resubmissions
from self_hosted.assemblyline.operators import (
    AssemblylineResubmitOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from tests.context import context, executed
from tests.core.conftest import Store

CONTENT = "RIG-SCORE:350"
URL: Any = AssemblylineSubmitUrlOperator
HASH: Any = AssemblylineSubmitHashOperator
RESUBMIT: Any = AssemblylineResubmitOperator
in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


def run(operator: Any, task_context: Any = None, **arguments: Any) -> Any:
    usual = {"task_id": "scan", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}
    return executed(lambda: operator(**{**usual, **arguments}), task_context)


def documents(served: Any) -> list[dict[str, Any]]:
    return [one.document for one in served.product.store.submissions.values()]


def digest(kind: str) -> str:
    return hashlib.new(kind, CONTENT.encode(), usedforsecurity=False).hexdigest()


@in_worker_and_deferred
def test_a_url_is_analysed_and_names_its_submission(served, deferrable):
    result = run(URL, url="hxxps[:]//suspicious[.]example/a", deferrable=deferrable, metadata={"case": 7})
    assert (result["state"], result["verdict"]) == ("completed", "info")
    [made] = documents(served)
    assert made["files"][0]["name"] == "https://suspicious.example/a"
    assert made["metadata"]["case"] == "7"


def test_a_name_of_a_url_may_be_a_template_without_a_value(served):
    task = URL(task_id="scan", url="https://suspicious.example/a", name="{{ params.get('name', '') }}")
    task.render_template_fields({"params": {}})
    task.validate()


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_known_file_is_analysed_by_any_kind_of_hash(served, submitted, kind):
    submitted(CONTENT)
    result = run(HASH, hash=digest(kind).upper(), name="again.txt")
    assert result["max_score"] == 350
    assert documents(served)[-1]["files"][0]["name"] == "again.txt"


def test_an_unknown_file_fails_at_once(served):
    with pytest.raises(AirflowFailException, match="SHA256 does not exist in Assemblyline"):
        run(HASH, hash=digest("sha256"))


@pytest.mark.parametrize("kind", [URL, HASH, RESUBMIT])
def test_a_retry_finds_the_submission_of_the_earlier_try(served, submitted, kind):
    sid = submitted(CONTENT)
    arguments = {URL: {"url": "http://a.example"}, HASH: {"hash": digest("sha256")}, RESUBMIT: {"sid": sid}}[kind]
    for attempt in (1, 2):
        task_context = context(kind(task_id="scan", retries=1, **arguments), max_tries=1, try_number=attempt)
        run(kind, task_context, retries=1, **arguments)
    assert len(documents(served)) == 2


@pytest.mark.parametrize("kind", [URL, HASH, RESUBMIT])
def test_a_lost_response_makes_no_second_submission(served, submitted, kind):
    sid = submitted(CONTENT)
    served.fail("drop", method="POST", path="/api/v4/submit/")
    run(kind, **{URL: {"url": "http://a.example"}, HASH: {"hash": digest("md5")}, RESUBMIT: {"sid": sid}}[kind])
    assert len(documents(served)) == 2


def test_failed_services_are_logged_in_one_line(served, write, caplog, capsys):
    result = run(AssemblylineSubmitFileOperator, file=write("RIG-FAIL"))
    logged = caplog.text + capsys.readouterr().out
    assert f"1 services failed on submission {result['sid']}" in logged
    assert logged.count("services failed") == 1


# Resubmit


def test_a_resubmission_copies_name_params_and_metadata(served, submitted):
    options = {"name": "a.exe", "metadata": {"case": "7"}, "params": {"priority": 321, "generate_alert": True}}
    sid = submitted(CONTENT, **options)
    result = run(RESUBMIT, sid=sid)
    assert result["sid"] != sid
    assert result["max_score"] == 350
    old, new = documents(served)
    assert new["files"] == old["files"]
    assert (new["metadata"]["case"], new["params"]["priority"], new["params"]["generate_alert"]) == ("7", 321, True)
    assert new["metadata"][idempotency.METADATA_KEY] != old["metadata"][idempotency.METADATA_KEY]


def test_arguments_take_precedence_over_copied_options(served, submitted):
    sid = submitted(CONTENT, metadata={"case": "7", "kept": "x"}, params={"priority": 321, "ttl": 3})
    run(RESUBMIT, sid=sid, name="b.exe", metadata={"case": "8"}, submission_params={"priority": 5})
    new = documents(served)[-1]
    assert new["files"][0]["name"] == "b.exe"
    assert (new["metadata"]["case"], new["metadata"]["kept"]) == ("8", "x")
    assert (new["params"]["priority"], new["params"]["ttl"]) == (5, 3)


def test_the_id_of_an_ingest_is_not_copied(served, ingested, hook):
    ingest_id = ingested(CONTENT)
    run(RESUBMIT, sid=hook.get_ingested_submissions([ingest_id])[ingest_id]["sid"])
    assert "ingest_id" not in documents(served)[-1]["metadata"]


@pytest.mark.parametrize("dynamic", [True, "True"])
def test_a_file_is_resubmitted_for_dynamic_analysis(served, submitted, dynamic):
    sid = submitted(CONTENT)
    run(RESUBMIT, sha256=digest("sha256"), dynamic=dynamic)
    assert documents(served)[-1]["params"]["services"]["selected"] == ["Dynamic Analysis"]
    run(RESUBMIT, context(RESUBMIT(task_id="b"), run_id="b"), sid=sid, dynamic=dynamic)
    assert "Antivirus" in documents(served)[-1]["params"]["services"]["selected"]
    assert "Dynamic Analysis" in documents(served)[-1]["params"]["services"]["selected"]


def test_with_a_profile_the_services_are_those_of_the_profile(served, submitted):
    sid = submitted(CONTENT, params={"services": {"selected": ["Antivirus"]}, "priority": 321})
    run(RESUBMIT, sid=sid, submission_profile="static")
    new = documents(served)[-1]
    assert new["params"]["services"]["selected"] != ["Antivirus"]
    assert new["params"]["priority"] == 321


def test_an_interrupted_submit_makes_no_second_submission(served, submitted, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", (0.01, 0.2))
    served.seed({"index_lag": 0.15})
    arguments = {"sid": submitted(CONTENT), "retries": 1}
    task_context = context(RESUBMIT(task_id="scan", **arguments))
    task_context["task_state_store"] = Store()
    task = RESUBMIT(task_id="scan", **arguments)
    monkeypatch.setattr(task, "external_ids", _kill)  # the worker is killed before it saves the submission
    with pytest.raises(KeyboardInterrupt):
        task.execute(task_context)
    run(RESUBMIT, task_context, **arguments)
    assert len(documents(served)) == 2


def _kill(submitted: dict[str, Any]) -> list[str]:
    raise KeyboardInterrupt


def test_an_unknown_submission_fails_at_once():
    with pytest.raises(AirflowFailException, match="Submission ID nosuch does not exists"):
        run(RESUBMIT, sid="nosuch")


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (URL, {"url": "no address"}, "url must start like https://example.com, not 'no address'"),
        (URL, {"url": ""}, "url must be a text"),
        (URL, {"url": "http://a.example", "name": "a"}, "name cannot be set"),
        (URL, {"url": "http://a.example", "submission_params": {"prio": 1}}, "submission_params: unknown prio"),
        (HASH, {"hash": "abc"}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'abc'"),
        (HASH, {"hash": None}, "hash must be a text, not None"),
        (HASH, {"hash": "ab" * 32, "fail_on_score": "many"}, "fail_on_score must be a whole number"),
        (HASH, {"hash": "ab" * 32, "submission_profile": "nosuch"}, "Select one of"),
        (RESUBMIT, {}, "give exactly one of sid, sha256"),
        (RESUBMIT, {"sid": "a", "sha256": "ab" * 32}, "give exactly one of sid, sha256"),
        (RESUBMIT, {"sha256": "abc"}, "sha256 must be 64 hexadecimal digits, not 'abc'"),
        (RESUBMIT, {"sha256": "ab" * 32, "dynamic": "perhaps"}, "dynamic must be true or false, not 'perhaps'"),
    ],
)
def test_an_invalid_argument_is_named_before_anything_is_submitted(served, kind, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(kind, **arguments)
    assert documents(served) == []


def test_a_submission_of_several_files_cannot_be_copied():
    document: Any = {"sid": "s1", "files": [{"name": "a"}, {"name": "b"}], "params": {}, "metadata": {}}
    with pytest.raises(ValueError, match="submission s1 has 2 files; submit each by its sha256"):
        resubmissions.copy_options(document)
