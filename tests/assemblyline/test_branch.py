"""AssemblylineVerdictBranchOperator in a DAG, against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowFailException,
    BaseOperator,
    DownstreamTasksSkipped,
    TaskGroup,
)

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineVerdictBranchOperator
from self_hosted.core.http.errors import NotReadyError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.context import context

PATHS = {"malicious": "contain", "suspicious": "review", "safe": "release"}
TASKS = {"contain", "review", "release", "detonate", "rescan"}


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    served.seed({"delay": 0})


def follow(submission, **arguments):
    """Return the tasks that the branch continues with, and the URL of its link."""
    with DAG("d", schedule=None):
        branch = AssemblylineVerdictBranchOperator(task_id="branch", submission=submission, **{**PATHS, **arguments})
        for name in TASKS:
            branch >> BaseOperator(task_id=name)
        with TaskGroup("group") as group:
            BaseOperator(task_id="first") >> BaseOperator(task_id="second")
        branch >> group
    task_context = context(branch)
    task_context["ti"].task = branch
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        branch.execute(task_context)
    # Airflow names tasks with or without the index of a mapped one, by its version
    names = {task if isinstance(task, str) else task[0] for task in skipped.value.tasks}
    return {*TASKS, "group.first"} - names, task_context["ti"].xcoms.get(LINK_KEY)


def result(verdict, score=0, errors=0):
    return {"sid": "s", "verdict": verdict, "max_score": score, "error_count": errors}


@pytest.mark.parametrize(
    ("verdict", "path"),
    [
        ("malicious", "contain"),
        ("highly_suspicious", "contain"),
        ("suspicious", "review"),
        ("info", "release"),
        ("safe", "release"),
    ],
)
def test_the_result_of_a_task_needs_no_request(served, monkeypatch, verdict, path):
    def fail(*_):
        raise AssertionError("no request is needed")

    monkeypatch.setattr(AssemblylineHook, "run", fail)
    assert follow(result(verdict)) == ({path}, f"{served.base_url}/submission/detail/s")


def test_the_result_of_a_task_may_be_rendered_by_a_template():
    assert follow(str(result("suspicious")))[0] == {"review"}


@pytest.mark.parametrize(
    ("values", "limits", "path"),
    [
        ({"verdict": "info", "malicious": "False"}, {}, "release"),
        ({"verdict": "info", "malicious": "0"}, {}, "release"),
        ({"verdict": "info", "malicious": "2"}, {}, "contain"),
        ({"verdict": "info", "malicious": "True"}, {}, "contain"),
        ({"verdict": "info", "error_count": "0"}, {"error_path": "rescan"}, "release"),
        ({"verdict": "info", "error_count": "1"}, {"error_path": "rescan"}, "rescan"),
        ({"max_score": "60"}, {"suspicious_from": 50, "malicious_from": 100}, "review"),
    ],
)
def test_the_values_of_a_result_may_be_rendered_by_templates(values, limits, path):
    assert follow({"sid": "s", "max_score": "0", **values}, **limits)[0] == {path}


def test_a_score_that_a_template_did_not_find_is_read_from_the_server(submitted):
    sid = submitted("RIG-SCORE:300")
    assert follow({"sid": sid, "verdict": "None", "max_score": "None"})[0] == {"review"}


@pytest.mark.parametrize(("score", "path"), [(1000, "contain"), (700, "detonate"), (300, "review"), (0, "release")])
def test_the_submission_of_an_id_is_rated_by_the_bands_of_the_server(submitted, score, path):
    sid = submitted(f"RIG-SCORE:{score}")
    assert follow(sid, highly_suspicious="detonate")[0] == {path}


def test_other_bands_give_another_verdict(served, submitted):
    served.seed({"configuration": {"submission.verdicts.malicious": 10}})
    assert follow(submitted("RIG-SCORE:10"))[0] == {"contain"}


def test_a_document_without_a_verdict_is_rated_by_the_bands_of_the_server(hook, submitted):
    sid = submitted("RIG-SCORE:300")
    assert follow(hook.get_submission(sid))[0] == {"review"}
    assert follow({"sid": sid})[0] == {"review"}


@pytest.mark.parametrize(("score", "path"), [(100, "contain"), (99, "review"), (50, "review"), (49, "release")])
def test_own_limits_replace_the_bands(score, path):
    assert follow(result("malicious", score), suspicious_from="50", malicious_from=100)[0] == {path}


def test_the_badlist_outweighs_the_score():
    looked_up = {**result("info", 5), "known": 1, "malicious": 1}
    assert follow(looked_up)[0] == {"contain"}
    assert follow({**looked_up, "max_score": None}, suspicious_from=50, malicious_from=100)[0] == {"contain"}
    assert follow({**looked_up, "malicious": 0})[0] == {"release"}


def test_the_verdict_of_a_user_is_not_the_verdict_of_the_server(submitted):
    sid = submitted("RIG-SCORE:300")
    assert follow({"sid": sid, "verdict": "non_malicious", "changed": True})[0] == {"review"}


def test_own_limits_need_only_an_id(submitted):
    assert follow(submitted("RIG-SCORE:60"), suspicious_from=50, malicious_from=100)[0] == {"review"}


def test_it_continues_with_several_tasks_and_groups(submitted):
    assert follow(result("malicious"), malicious=["contain", "group"])[0] == {"contain", "group.first"}


@pytest.mark.parametrize(
    ("verdict", "errors", "path"),
    [("safe", 1, "rescan"), ("info", 2, "rescan"), ("safe", 0, "release"), ("malicious", 1, "contain")],
)
def test_failed_services_lead_to_the_error_path_instead_of_safe(verdict, errors, path):
    assert follow(result(verdict, errors=errors), error_path="rescan")[0] == {path}


def test_an_optional_path_may_be_an_empty_list_that_a_template_rendered():
    assert follow(result("safe", errors=1), error_path="[]")[0] == {"release"}
    assert follow(result("highly_suspicious"), highly_suspicious="[]")[0] == {"contain"}


def test_failed_services_change_nothing_without_an_error_path(submitted):
    assert follow(submitted("RIG-FAIL"))[0] == {"release"}
    assert follow(submitted("RIG-FAIL"), error_path="rescan")[0] == {"rescan"}


def test_a_running_submission_is_left_to_the_retries(submitted):
    branch = AssemblylineVerdictBranchOperator(task_id="branch", submission=submitted("RIG-SLEEP:60"), **PATHS)
    with pytest.raises(NotReadyError, match="not completed"):
        branch.execute(context(branch))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"submission": " "}, "submission must be the id of a submission, or the result of a task"),
        ({"submission": ""}, "submission is missing or empty: .*; set unknown"),
        ({"submission": "None"}, "submission is missing or empty: .*; set unknown"),
        ({"submission": {}}, "submission must be an id, or the result of a task with a sid"),
        ({"submission": None}, "submission is missing or empty: .*; set unknown"),
        ({"submission": []}, "submission is missing or empty: .*; set unknown"),
        ({"submission": "{'verdict': 'safe'}"}, "submission must be an id, or the result of a task with a sid"),
        ({"submission": {"sid": "None", "verdict": "safe"}}, "submission must be an id"),
        ({"submission": {"sid": "s", "max_score": "high"}}, "submission: max_score must be a whole number"),
        ({"submission": {"sid": "s", "malicious": "perhaps"}}, "submission: malicious must be true or false"),
        ({"safe": []}, "safe must be the id of a downstream task"),
        ({"malicious": 5.5}, "malicious must be a text or a list"),
        ({"error_path": 5.5}, "error_path must be a text or a list"),
        ({"highly_suspicious": 5.5}, "highly_suspicious must be a text or a list"),
        ({"malicious_from": 5}, "set both suspicious_from and malicious_from"),
        ({"malicious_from": "high", "suspicious_from": 5}, "malicious_from must be a whole number"),
        (
            {"malicious_from": 5, "suspicious_from": 6},
            r"suspicious_from \(6\) must not be more than malicious_from \(5\)",
        ),
    ],
)
def test_an_invalid_argument_is_named(arguments, message):
    branch = AssemblylineVerdictBranchOperator(task_id="branch", **{"submission": "s", **PATHS, **arguments})
    with pytest.raises(AirflowFailException, match=message):
        branch.execute(context(branch))


UNKNOWN_FILE = {"hash": "h", "known": False, "malicious": False, "verdict": None, "safelisted": None, "sid": None}
BULK = {"total": 2, "completed": 2, "with_failed_services": 0, "worst": result("info", 5), "failed": 0}
LOOK_UP = {"count": 2, "malicious": 0, "unknown": [], "pending": [], "verdict": "info", "max_score": 5, "sid": "s"}
LOOK_UP = {**LOOK_UP, "hashes": [{"hash": "h"}]}


@pytest.mark.parametrize(
    ("submission", "path"),
    [
        (None, "detonate"),
        ("None", "detonate"),
        ([], "detonate"),
        (UNKNOWN_FILE, "detonate"),
        ({**UNKNOWN_FILE, "malicious": True}, "contain"),
        ({**UNKNOWN_FILE, "safelisted": True}, "release"),
        ([result("safe"), UNKNOWN_FILE], "detonate"),
        ([result("suspicious"), UNKNOWN_FILE], "review"),
        ([result("safe"), result("suspicious", 400)], "review"),
        (str([result("safe"), result("malicious", 1000)]), "contain"),
        (BULK, "release"),
        ({**BULK, "worst": result("suspicious", 400)}, "review"),
        ({**BULK, "completed": 1}, "detonate"),
        ({**BULK, "completed": "0", "worst": "None"}, "detonate"),
        ({**BULK, "total": 0, "completed": 0, "worst": None}, "detonate"),
        (LOOK_UP, "release"),
        ({**LOOK_UP, "unknown": ["h"]}, "detonate"),
        ({**LOOK_UP, "pending": ["s"]}, "detonate"),
        ({**LOOK_UP, "verdict": "suspicious", "unknown": ["h"]}, "review"),
        ({**LOOK_UP, "verdict": None, "sid": None, "malicious": 1}, "contain"),
        ({**LOOK_UP, "verdict": None, "max_score": None, "sid": None}, "release"),
        ({**LOOK_UP, "verdict": None, "sid": None, "hashes": [], "count": 0}, "detonate"),
        ([{"file": "a", "skipped": "the file is empty"}], "detonate"),
        ([{"file": "a", "error": "timed out"}], "detonate"),
    ],
)
def test_a_file_without_a_verdict_has_a_path_of_its_own(submission, path):
    assert follow(submission, unknown="detonate")[0] == {path}


def test_without_the_path_a_file_without_a_verdict_fails_the_task():
    branch = AssemblylineVerdictBranchOperator(task_id="branch", submission=UNKNOWN_FILE, **PATHS)
    with pytest.raises(AirflowFailException, match="a file has no verdict; set unknown"):
        branch.execute(context(branch))


def test_safelisted_files_stay_safe_with_own_limits():
    looked_up = {**LOOK_UP, "verdict": None, "max_score": None, "sid": None}
    assert follow(looked_up, suspicious_from=1, malicious_from=2)[0] == {"release"}


def test_several_submissions_share_the_error_path():
    assert follow([result("safe"), result("safe", errors=1)], error_path="rescan")[0] == {"rescan"}
    assert follow({**BULK, "with_failed_services": 1}, error_path="rescan")[0] == {"rescan"}


def test_an_ingest_without_a_wait_is_looked_up(ingested, served):
    ingest_id = ingested("RIG-SCORE:400")
    assert follow({"ingest_id": ingest_id, "sha256": None, "state": "submitted"})[0] == {"review"}
    unknown = {"ingest_id": "0123456789abcdefABCDEF", "sha256": "ab" * 32}
    assert follow(unknown, unknown="detonate") == ({"detonate"}, served.base_url)
