"""The operator that goes on by a verdict, in a DAG, against the stand-in."""

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
from self_hosted.core.errors import Overdue
from self_hosted.core.operator import LINK_KEY
from tests.context import context

PATHS = {"malicious": "contain", "suspicious": "review", "safe": "release"}
TASKS = {"contain", "review", "release", "detonate", "rescan"}


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    served.seed({"delay": 0})


def followed(submission, **arguments):
    """The tasks that are gone on with, and the button's address."""
    with DAG("d", schedule=None):
        branch = AssemblylineVerdictBranchOperator(task_id="branch", submission=submission, **{**PATHS, **arguments})
        for name in TASKS:
            branch >> BaseOperator(task_id=name)
        with TaskGroup("group") as group:
            BaseOperator(task_id="first") >> BaseOperator(task_id="second")
        branch >> group
    told = context(branch)
    told["ti"].task = branch
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        branch.execute(told)
    # Airflow names tasks with or without the index of a mapped one, by its version
    names = {one if isinstance(one, str) else one[0] for one in skipped.value.tasks}
    return {*TASKS, "group.first"} - names, told["ti"].xcoms.get(LINK_KEY)


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
def test_the_result_of_a_task_is_enough(served, monkeypatch, verdict, path):
    def asked(*_):
        raise AssertionError("nobody needs to be asked")

    monkeypatch.setattr(AssemblylineHook, "run", asked)
    assert followed(result(verdict)) == ({path}, f"{served.base_url}/submission/detail/s")


@pytest.mark.parametrize(("score", "path"), [(1000, "contain"), (700, "detonate"), (300, "review"), (0, "release")])
def test_an_id_is_asked_for_and_judged_by_the_servers_bands(submitted, score, path):
    sid = submitted(f"RIG-SCORE:{score}")
    assert followed(sid, highly_suspicious="detonate")[0] == {path}


def test_a_server_with_other_bands_judges_otherwise(served, submitted):
    served.seed({"configuration": {"submission.verdicts.malicious": 10}})
    assert followed(submitted("RIG-SCORE:10"))[0] == {"contain"}


def test_a_document_without_a_verdict_is_judged_by_the_server(hook, submitted):
    sid = submitted("RIG-SCORE:300")
    assert followed(hook.submission(sid))[0] == {"review"}
    assert followed({"sid": sid})[0] == {"review"}


@pytest.mark.parametrize(("score", "path"), [(100, "contain"), (99, "review"), (50, "review"), (49, "release")])
def test_limits_of_ones_own_replace_the_bands(score, path):
    assert followed(result("malicious", score), suspicious_from="50", malicious_from=100)[0] == {path}


def test_what_a_look_up_says_of_a_file_on_the_badlist_stands_whatever_its_score():
    looked_up = {**result("info", 5), "known": 1, "malicious": 1}
    assert followed(looked_up)[0] == {"contain"}
    assert followed({**looked_up, "max_score": None}, suspicious_from=50, malicious_from=100)[0] == {"contain"}
    assert followed({**looked_up, "malicious": 0})[0] == {"release"}


def test_what_a_person_says_of_a_submission_is_no_verdict_of_the_server(submitted):
    sid = submitted("RIG-SCORE:300")
    assert followed({"sid": sid, "verdict": "non_malicious", "changed": True})[0] == {"review"}


def test_limits_are_held_against_the_score_of_the_server_when_only_an_id_is_known(submitted):
    assert followed(submitted("RIG-SCORE:60"), suspicious_from=50, malicious_from=100)[0] == {"review"}


def test_several_tasks_and_groups_are_gone_on_with(submitted):
    assert followed(result("malicious"), malicious=["contain", "group"])[0] == {"contain", "group.first"}


@pytest.mark.parametrize(
    ("verdict", "errors", "path"),
    [("safe", 1, "rescan"), ("info", 2, "rescan"), ("safe", 0, "release"), ("malicious", 1, "contain")],
)
def test_failed_services_make_nothing_safe(verdict, errors, path):
    assert followed(result(verdict, errors=errors), error_path="rescan")[0] == {path}


def test_failed_services_change_nothing_unless_told_so(submitted):
    assert followed(submitted("RIG-FAIL"))[0] == {"release"}
    assert followed(submitted("RIG-FAIL"), error_path="rescan")[0] == {"rescan"}


def test_what_is_not_completed_is_left_to_retries(submitted):
    branch = AssemblylineVerdictBranchOperator(task_id="branch", submission=submitted("RIG-SLEEP:60"), **PATHS)
    with pytest.raises(Overdue, match="not completed"):
        branch.execute(context(branch))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"submission": ""}, "submission must be the result"),
        ({"submission": None}, "submission must be the result"),
        ({"submission": {}}, "submission must be the result"),
        ({"submission": "{'sid': 's'}"}, "text of a result"),
        ({"safe": []}, "safe must be the id of a task"),
        ({"malicious": 5}, "malicious must be a text or a list"),
        ({"malicious_from": 5}, "give both"),
        ({"malicious_from": "high", "suspicious_from": 5}, "malicious_from must be a whole number"),
        ({"malicious_from": 5, "suspicious_from": 6}, "must not be more than malicious_from"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    branch = AssemblylineVerdictBranchOperator(task_id="branch", **{"submission": "s", **PATHS, **arguments})
    with pytest.raises(AirflowFailException, match=words):
        branch.execute(context(branch))
