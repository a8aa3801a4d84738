"""The operators that search and look hashes up, against the stand-in."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline.operators import AssemblylineHashLookupOperator, AssemblylineSearchOperator
from self_hosted.core.errors import Broken, QuotaInUse
from self_hosted.core.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.scan import scan
from tests.assemblyline.conftest import upload
from tests.context import context, executed

NOBODYS = "ab" * 32


def digest(words: str, kind: str = "sha256") -> str:
    return hashlib.new(kind, words.encode(), usedforsecurity=False).hexdigest()


def run(operator, arguments, **of_ti):
    """Run an operator in a worker, or deferred."""
    return executed(
        lambda: operator(task_id="task", **arguments), context(operator(task_id="task", **arguments), **of_ti)
    )


def searched(**arguments):
    return run(AssemblylineSearchOperator, {"index": "submission", "query": "*", **arguments})


def looked_up(hashes, *, tries=None, **arguments):
    waiting = {"deferrable": False, "poll_interval": 0.02, "wait_timeout": 20}
    return run(AssemblylineHashLookupOperator, {"hashes": hashes, **waiting, **arguments}, **(tries or {}))


@pytest.fixture
def seven(served, hook):
    """Seven submissions, with scores 0 to 6, completed."""
    served.seed({"delay": 0})
    for number in range(7):
        hook.submit(upload(f"RIG-SCORE:{number}"), {})
    assert hook.search_result("submission", {"query": "*"})["total"] == 7


# Searching


@pytest.mark.usefixtures("seven")
def test_all_that_is_found_goes_to_a_file_one_object_a_line(served, tmp_path):
    output = str(tmp_path / "deep" / "found.jsonl")
    result = searched(query="max_score:>=2", fields="sid, max_score", sort="max_score asc", output_file=output)
    url = f"{served.base_url}/search/submission?query=max_score%3A%3E%3D2"
    assert result == {"index": "submission", "count": 5, "output_file": output, "more": False, "url": url}
    rows = [json.loads(line) for line in (tmp_path / "deep" / "found.jsonl").read_text().splitlines()]
    assert [row["max_score"] for row in rows] == [2, 3, 4, 5, 6]
    assert set(rows[0]) == {"sid", "max_score"}


@pytest.mark.usefixtures("seven")
def test_without_a_file_the_rows_are_the_result(served):
    arguments = {"filters": ["max_score:>=1", "NOT max_score:3"], "fields": ["max_score"], "sort": "max_score desc"}
    result = searched(**arguments)
    assert result["rows"] == [{"max_score": score} for score in (6, 5, 4, 2, 1)]
    assert (result["count"], result["more"]) == (5, False)


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(("limit", "count", "more"), [(3, 3, True), ("3", 3, True), (7, 7, False), (8, 7, False)])
@pytest.mark.parametrize("into_file", [True, False])
def test_a_limit_is_kept_and_it_is_said_whether_there_is_more(tmp_path, limit, count, more, into_file):
    output = str(tmp_path / "found.jsonl") if into_file else None
    result = searched(limit=limit, output_file=output, sort="max_score desc", fields="max_score")
    assert (result["count"], result["more"]) == (count, more)
    if into_file:
        assert len((tmp_path / "found.jsonl").read_text().splitlines()) == count


@pytest.mark.usefixtures("seven")
def test_an_object_store_is_written_to_as_well(tmp_path):
    assert searched(output_file=f"file://{tmp_path}/found.jsonl")["count"] == 7
    assert len((tmp_path / "found.jsonl").read_text().splitlines()) == 7


@pytest.mark.usefixtures("conn_id")
def test_nothing_found_is_an_empty_file(tmp_path):
    assert searched(output_file=str(tmp_path / "found.jsonl"))["count"] == 0
    assert (tmp_path / "found.jsonl").stat().st_size == 0


@pytest.mark.usefixtures("seven")
def test_a_search_that_breaks_off_leaves_no_file_that_looks_whole_and_is_left_to_the_retries(
    served, tmp_path, monkeypatch
):
    monkeypatch.setattr("self_hosted.assemblyline.api.PAGE", 3)
    served.seed({"searches": {"keep_alive": 0}})
    (tmp_path / "found.jsonl").write_text("of yesterday\n")
    with pytest.raises(Broken, match="over before its last page"):
        searched(output_file=str(tmp_path / "found.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["found.jsonl"]
    assert (tmp_path / "found.jsonl").read_text() == "of yesterday\n"


@pytest.mark.usefixtures("conn_id")
def test_the_link_leads_to_the_search(served):
    task = AssemblylineSearchOperator(task_id="a", index="file", query="size:>1")
    told = context(task)
    task.execute(told)
    assert told["ti"].xcoms[LINK_KEY] == f"{served.base_url}/search/file?query=size%3A%3E1"


@pytest.mark.usefixtures("conn_id")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"index": "files"}, "index must be one of alert"),
        ({"index": []}, "index must be one of alert"),
        ({"query": ""}, "query must be a Lucene query"),
        ({"query": "a:("}, r"Failed to parse query \[a:\(\]"),
        ({"filters": 7}, "filters must be a text or a list of texts"),
        ({"fields": {"a": 1}}, "fields must be a text or a list of texts"),
        ({"sort": "sid"}, "sort must be text"),
        ({"limit": "many"}, "limit must be a whole number"),
        ({"limit": 0}, "limit must be a whole number, 1 or more"),
        ({"limit": 1001}, "limit must be 1000 or less without output_file"),
        ({"use_archive": "perhaps"}, "use_archive must be true or false"),
    ],
)
def test_a_wrong_argument_of_a_search_is_named(arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        searched(**arguments)


# Looking up


@pytest.fixture
def analysed(served, hook):
    """``analysed("RIG-SCORE:350")``: the submission's id, completed."""
    served.seed({"delay": 0})

    def submit(words):
        sid = hook.submit(upload(words), {})["sid"]
        assert hook.is_completed(sid)
        return sid

    return submit


def submissions(served):
    return served.tables()["submissions"]


def test_the_worst_of_several_files_is_told_first(served, analysed):
    analysed("RIG-SCORE:10")
    bad = analysed("RIG-SCORE:1200")
    result = looked_up([digest("RIG-SCORE:10"), digest("RIG-SCORE:1200", "md5"), NOBODYS])
    found = result.pop("hashes")
    assert result == {
        "count": 3,
        "known": 2,
        "malicious": 1,
        "unknown": [NOBODYS],
        "verdict": "malicious",
        "max_score": 1200,
        "sid": bad,
        "url": f"{served.base_url}/submission/detail/{bad}",
    }
    assert [one["verdict"] for one in found] == ["info", "malicious", None]
    assert found[2]["url"] == f"{served.base_url}/file/detail/{NOBODYS}"
    assert not any(one["submitted"] for one in found)
    assert len(submissions(served)) == 2


def test_one_hash_may_be_given_as_text_and_templated(served, analysed):
    analysed("RIG-SCORE:10")
    task: Any = AssemblylineHashLookupOperator(task_id="a", hashes="{{ sha256 }}", max_age="{{ age }}")
    task.render_template_fields({"sha256": digest("RIG-SCORE:10"), "age": "1d"}, jinja_env=task.get_template_env())
    assert task.execute(context(task))["verdict"] == "info"


@pytest.mark.usefixtures("conn_id")
def test_that_nothing_is_known_is_a_result_unless_it_is_to_fail():
    result = looked_up(NOBODYS)
    assert (result["known"], result["verdict"], result["sid"]) == (0, None, None)
    with pytest.raises(AirflowFailException, match="nothing is known of 1 of 1 files, such as that of abab"):
        looked_up(NOBODYS, fail_on_unknown="true")


@pytest.mark.parametrize("limit", [{"fail_on_verdict": "suspicious"}, {"fail_on_score": "350"}])
def test_a_file_that_is_bad_enough_fails_the_task_at_once(analysed, limit):
    analysed("RIG-SCORE:10")
    analysed("RIG-SCORE:350")
    hashes = [digest("RIG-SCORE:10"), digest("RIG-SCORE:350")]
    with pytest.raises(AirflowFailException, match=rf"{hashes[1]} is suspicious, with a score of 350: http.*/detail/"):
        looked_up(hashes, **limit)
    assert looked_up(hashes, fail_on_verdict="malicious")["verdict"] == "suspicious"


def test_what_a_source_calls_malicious_fails_a_task_that_is_to_fail_on_it(served, conn_id):
    item = {"confirmed": True, "data": {}, "description": "bad", "malicious": True}
    served.seed({"hash_sources": {"x.vt": {NOBODYS: [item]}}})
    assert looked_up(NOBODYS, sources="x.vt")["malicious"] == 1
    with pytest.raises(AirflowFailException, match=f"{NOBODYS} is malicious"):
        looked_up(NOBODYS, sources="x.vt", fail_on_verdict="malicious")


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_is_known_but_has_no_result_that_counts_is_submitted_and_waited_for(served, hook, deferrable):
    words = "RIG-SCORE:350"
    hook.delete_submission(hook.submit(upload(words), {})["sid"])  # what remains is the file
    served.product.kept["results"] = type(served.product.kept["results"])()
    served.seed({"delay": 0.1})
    asked = [digest(words, "sha1"), NOBODYS]
    result = looked_up(asked, max_age="1m", submit_if_unknown=True, deferrable=deferrable, metadata={"k": "v"})
    first, second = result["hashes"]
    assert (first["verdict"], first["submitted"], first["known"]) == ("suspicious", True, True)
    assert (second["submitted"], second["verdict"], result["unknown"]) == (False, None, [NOBODYS])
    assert result["sid"] == first["sid"]
    assert "doubtful" not in first
    document = served.product.submissions[first["sid"]].document
    assert document["metadata"]["k"] == "v"


def test_what_is_known_is_not_submitted(served, analysed):
    analysed("RIG-SCORE:10")
    assert looked_up(digest("RIG-SCORE:10"), submit_if_unknown=True)["hashes"][0]["submitted"] is False
    assert len(submissions(served)) == 1


@pytest.fixture
def unjudged(served, hook, monkeypatch):
    """``unjudged("x")``: the hash of a file that the server has, and nothing found in it."""
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", (0.01,))

    def known(words):
        served.product.known[digest(words)] = scan(io.BytesIO(words.encode()))
        served.product.files[digest(words)] = {"sha256": digest(words), "seen": {"last": "2026-11-24T10:00:00Z"}}
        return digest(words)

    return known


def test_a_retry_submits_nothing_a_second_time(served, unjudged):
    hashes = [unjudged("RIG-SLEEP:0.1 a"), unjudged("RIG-SLEEP:0.1 b")]
    served.seed({"delay": 0.1})
    tries = {"max_tries": 1}
    first = looked_up(hashes, submit_if_unknown=True, tries={**tries, "try_number": 1}, retries=1)
    second = looked_up(hashes, submit_if_unknown=True, tries={**tries, "try_number": 2}, retries=1)
    assert [one["sid"] for one in first["hashes"]] == [one["sid"] for one in second["hashes"]]
    assert len(submissions(served)) == 2


def test_a_retry_waits_for_what_the_killed_try_submitted(served, unjudged):
    hashes = [unjudged("a"), unjudged("b")]
    served.seed({"delay": 3600})
    task = AssemblylineHashLookupOperator(task_id="task", hashes=hashes, submit_if_unknown=True, deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task))
    for one in served.product.submissions.values():
        one.completed_at = 0
        one.document["state"] = "submitted"
    result = looked_up(hashes, submit_if_unknown=True, tries={"try_number": 2})
    assert result["unknown"] == []
    assert len(submissions(served)) == 2


def test_a_hash_that_is_there_twice_is_submitted_once(served, unjudged):
    sha256 = unjudged("x")
    served.seed({"index_lag": 60})
    assert looked_up([sha256, sha256.upper()], submit_if_unknown=True, deferrable=False)["count"] == 1
    assert len(submissions(served)) == 1


def test_a_lost_answer_makes_no_second_submission(served, unjudged):
    served.fail("drop", method="POST", path="/api/v4/submit/")
    assert looked_up(unjudged("x"), submit_if_unknown=True)["hashes"][0]["submitted"] is True
    assert len(submissions(served)) == 1


def test_the_end_of_the_wait_ends_all_submissions(served, unjudged):
    hashes = [unjudged("RIG-SLEEP:3600 a"), unjudged("RIG-SLEEP:3600 b")]
    with pytest.raises(Exception, match="waited in vain"):
        looked_up(hashes, submit_if_unknown=True, wait_timeout=0.3)
    assert submissions(served) == []


def test_all_of_them_together_wait_for_places_no_longer_than_the_task_may(served, unjudged, connect):
    connect("assemblyline_default", served.connection(extra={"retry_budget": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.5})
    with pytest.raises(QuotaInUse):
        looked_up([unjudged(words) for words in "abcde"], submit_if_unknown=True, wait_timeout=2)


def test_a_place_that_does_not_become_free_is_left_to_the_retries(served, unjudged, connect):
    connect("assemblyline_default", served.connection(extra={"retry_budget": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 3600})
    with pytest.raises(QuotaInUse):
        looked_up([unjudged("a"), unjudged("b")], submit_if_unknown=True, wait_timeout=0.1)


@pytest.mark.usefixtures("conn_id")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hashes": "xyz"}, "hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not 'xyz'"),
        ({"hashes": []}, "hashes must be 1 to 500, not 0"),
        ({"hashes": [f"{number:064x}" for number in range(501)]}, "hashes must be 1 to 500, not 501: map the task"),
        ({"hashes": 7}, "hashes must be a text or a list of texts"),
        ({"max_age": "old"}, "max_age must be a span"),
        ({"sources": "x.vt"}, "there is no x.vt on this server"),
        ({"submit_if_unknown": "maybe"}, "submit_if_unknown must be true or false"),
        ({"fail_on_unknown": "maybe"}, "fail_on_unknown must be true or false"),
        ({"fail_on_verdict": "bad"}, "fail_on_verdict must be one of"),
        ({"submission_params": {"prio": 1}}, "Assemblyline takes no prio"),
        ({"name": "n"}, "name is of no use"),
    ],
)
def test_a_wrong_argument_of_a_look_up_is_named(arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        looked_up(**{"hashes": NOBODYS, **arguments})


def test_nothing_is_asked_while_a_dag_is_parsed():
    AssemblylineSearchOperator(task_id="a", index="{{ x }}", query="{{ y }}", assemblyline_conn_id="nosuch")
    AssemblylineHashLookupOperator(task_id="b", hashes="{{ z }}", assemblyline_conn_id="nosuch")
