"""AssemblylineLookUpHashesOperator against the sandbox."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline.operators import AssemblylineLookUpHashesOperator
from self_hosted.core.http.errors import ConcurrencyQuotaError
from self_hosted.sandbox.assemblyline.analysis.analyzer import analyze
from tests.assemblyline.conftest import upload
from tests.context import context, executed

UNKNOWN = "ab" * 32


def digest(content: str, kind: str = "sha256") -> str:
    return hashlib.new(kind, content.encode(), usedforsecurity=False).hexdigest()


def look_up(hashes, *, ti_fields=None, **arguments):
    """Return the result of the operator, in a worker or deferred."""
    waiting = {"task_id": "look_up", "deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}

    def build():
        return AssemblylineLookUpHashesOperator(**{"hashes": hashes, **waiting, **arguments})

    return executed(build, context(build(), **(ti_fields or {})))


@pytest.fixture
def analysed(served, hook):
    """``analysed("RIG-SCORE:350")`` returns the id of a completed submission."""
    served.seed({"delay": 0})

    def submit(content):
        sid = hook.submit(upload(content), {})["sid"]
        assert hook.is_submission_completed(sid)
        return sid

    return submit


def submissions(served):
    return served.tables()["submissions"]


def test_the_result_shows_the_worst_of_several_files(served, analysed):
    analysed("RIG-SCORE:10")
    bad = analysed("RIG-SCORE:1200")
    result = look_up([digest("RIG-SCORE:10"), digest("RIG-SCORE:1200", "md5"), UNKNOWN])
    found = result.pop("hashes")
    assert result == {
        "count": 3,
        "known": 2,
        "malicious": 1,
        "unknown": [UNKNOWN],
        "pending": [],
        "verdict": "malicious",
        "max_score": 1200,
        "sid": bad,
        "url": f"{served.base_url}/submission/detail/{bad}",
    }
    assert [report["verdict"] for report in found] == ["info", "malicious", None]
    assert found[2]["url"] == f"{served.base_url}/file/detail/{UNKNOWN}"
    assert not any(report["submitted"] for report in found)
    assert len(submissions(served)) == 2


def test_a_single_hash_may_be_a_text_and_a_template(served, analysed):
    analysed("RIG-SCORE:10")
    task: Any = AssemblylineLookUpHashesOperator(task_id="a", hashes="{{ sha256 }}", max_age="{{ age }}")
    task.render_template_fields({"sha256": digest("RIG-SCORE:10"), "age": "1d"}, jinja_env=task.get_template_env())
    assert task.execute(context(task))["verdict"] == "info"


@pytest.mark.usefixtures("conn_id")
def test_an_unknown_file_is_a_result_unless_it_fails_the_task():
    result = look_up(UNKNOWN)
    assert (result["known"], result["verdict"], result["sid"]) == (0, None, None)
    with pytest.raises(AirflowFailException, match="1 of 1 files are unknown, such as abab"):
        look_up(UNKNOWN, fail_on_unknown="true")


@pytest.mark.parametrize("limit", [{"fail_on_verdict": "suspicious"}, {"fail_on_score": "350"}])
def test_a_file_that_reaches_a_limit_fails_the_task(analysed, limit):
    analysed("RIG-SCORE:10")
    analysed("RIG-SCORE:350")
    hashes = [digest("RIG-SCORE:10"), digest("RIG-SCORE:350")]
    with pytest.raises(AirflowFailException, match=rf"{hashes[1]} is suspicious, with a score of 350: http.*/detail/"):
        look_up(hashes, **limit)
    assert look_up(hashes, fail_on_verdict="malicious")["verdict"] == "suspicious"


def test_a_malicious_verdict_of_a_source_reaches_the_limit(served, conn_id):
    item = {"confirmed": True, "data": {}, "description": "bad", "malicious": True}
    served.seed({"hash_sources": {"x.vt": {UNKNOWN: [item]}}})
    assert look_up(UNKNOWN, sources="x.vt")["malicious"] == 1
    with pytest.raises(AirflowFailException, match=f"{UNKNOWN} is malicious"):
        look_up(UNKNOWN, sources="x.vt", fail_on_verdict="malicious")


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_known_file_without_a_recent_result_is_submitted(served, hook, deferrable):
    content = "RIG-SCORE:350"
    served.seed({"delay": 0})  # an analysis that ends later would store its results later
    hook.delete_submission(hook.submit(upload(content), {})["sid"])  # the file remains
    served.product.state["results"] = type(served.product.state["results"])()
    served.seed({"delay": 0.1})
    hashes = [digest(content, "sha1"), UNKNOWN]
    result = look_up(hashes, max_age="1m", submit_if_unknown=True, deferrable=deferrable, metadata={"k": "v"})
    first, second = result["hashes"]
    assert (first["verdict"], first["submitted"], first["known"]) == ("suspicious", True, True)
    assert (second["submitted"], second["verdict"], result["unknown"]) == (False, None, [UNKNOWN])
    assert result["sid"] == first["sid"]
    assert "doubtful" not in first
    document = served.product.store.submissions[first["sid"]].document
    assert document["metadata"]["k"] == "v"


def test_a_file_with_a_result_is_not_submitted(served, analysed):
    analysed("RIG-SCORE:10")
    assert look_up(digest("RIG-SCORE:10"), submit_if_unknown=True)["hashes"][0]["submitted"] is False
    assert len(submissions(served)) == 1


@pytest.mark.parametrize("nothing", [[], "[]", ()])
def test_no_hashes_are_an_empty_result(served, conn_id, nothing):
    assert look_up(nothing, submit_if_unknown=True) == {
        "count": 0,
        "known": 0,
        "malicious": 0,
        "unknown": [],
        "pending": [],
        "verdict": None,
        "max_score": None,
        "sid": None,
        "url": served.base_url,
        "hashes": [],
    }
    assert served.product.quotas.api_calls == 0


@pytest.fixture
def unrated(served, hook, monkeypatch):
    """``unrated("x")`` returns the hash of a file that the server has, without a result."""
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", (0.01,))

    def store(content):
        served.product.store.analyses[digest(content)] = analyze(io.BytesIO(content.encode()))
        served.product.store.files[digest(content)] = {
            "sha256": digest(content),
            "seen": {"last": "2026-11-24T10:00:00Z"},
        }
        return digest(content)

    return store


def test_a_retry_makes_no_second_submission(served, unrated):
    hashes = [unrated("RIG-SLEEP:0.1 a"), unrated("RIG-SLEEP:0.1 b")]
    served.seed({"delay": 0.1})
    tries = {"max_tries": 1}
    first = look_up(hashes, submit_if_unknown=True, ti_fields={**tries, "try_number": 1}, retries=1)
    second = look_up(hashes, submit_if_unknown=True, ti_fields={**tries, "try_number": 2}, retries=1)
    assert [report["sid"] for report in first["hashes"]] == [report["sid"] for report in second["hashes"]]
    assert len(submissions(served)) == 2


def test_a_retry_waits_for_the_submissions_of_the_killed_try(served, unrated):
    hashes = [unrated("a"), unrated("b")]
    served.seed({"delay": 3600})
    task = AssemblylineLookUpHashesOperator(task_id="task", hashes=hashes, submit_if_unknown=True, deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task))
    for submission in served.product.store.submissions.values():
        submission.completed_at = 0
        submission.document["state"] = "submitted"
    result = look_up(hashes, submit_if_unknown=True, ti_fields={"try_number": 2})
    assert result["unknown"] == []
    assert len(submissions(served)) == 2


def test_a_duplicate_hash_is_submitted_once(served, unrated):
    sha256 = unrated("x")
    served.seed({"index_lag": 60})
    assert look_up([sha256, sha256.upper()], submit_if_unknown=True, deferrable=False)["count"] == 1
    assert len(submissions(served)) == 1


def test_a_lost_response_makes_no_second_submission(served, unrated):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    assert look_up(unrated("x"), submit_if_unknown=True)["hashes"][0]["submitted"] is True
    assert len(submissions(served)) == 1


def test_the_end_of_the_wait_cancels_all_submissions(served, unrated):
    hashes = [unrated("RIG-SLEEP:3600 a"), unrated("RIG-SLEEP:3600 b")]
    with pytest.raises(Exception, match="timed out after"):
        look_up(hashes, submit_if_unknown=True, wait_timeout=0.3)
    assert submissions(served) == []


def test_all_files_share_one_deadline_for_the_quota(served, unrated, connect):
    connect("assemblyline_default", served.connection(extra={"retry_timeout": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.5})
    with pytest.raises(ConcurrencyQuotaError):
        look_up([unrated(content) for content in "abcde"], submit_if_unknown=True, wait_timeout=2)


def test_a_quota_that_stays_full_is_left_to_the_retries(served, unrated, connect):
    connect("assemblyline_default", served.connection(extra={"retry_timeout": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 3600})
    with pytest.raises(ConcurrencyQuotaError):
        look_up([unrated("a"), unrated("b")], submit_if_unknown=True, wait_timeout=0.1)


@pytest.mark.usefixtures("conn_id")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hashes": "xyz"}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'xyz'"),
        ({"hashes": [], "fail_on_empty": True}, "hashes: nothing is selected, and fail_on_empty is set"),
        ({"hashes": ""}, "give hashes; none is set. An empty list is valid"),
        ({"hashes": [f"{number:064x}" for number in range(501)]}, "hashes must be at most 500, not 501: map the task"),
        ({"hashes": 7}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not '7'"),
        ({"max_age": "old"}, "max_age must be a time span"),
        ({"sources": "x.vt"}, "sources: unknown x.vt"),
        ({"submit_if_unknown": "maybe"}, "submit_if_unknown must be true or false"),
        ({"fail_on_unknown": "maybe"}, "fail_on_unknown must be true or false"),
        ({"fail_on_verdict": "bad"}, "fail_on_verdict must be one of"),
        ({"submission_params": {"prio": 1}}, "submission_params: unknown prio"),
    ],
)
def test_an_invalid_argument_of_a_look_up_is_named(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        look_up(**{"hashes": UNKNOWN, **arguments})


def test_dag_parsing_sends_no_request():
    AssemblylineLookUpHashesOperator(task_id="a", hashes="{{ z }}", assemblyline_conn_id="nosuch")
