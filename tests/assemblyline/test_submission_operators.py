"""The operators that set a verdict and delete submissions, against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api.submissions import submissions, verdicts
from self_hosted.assemblyline.errors import parse_error
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.operators import AssemblylineDeleteSubmissionOperator, AssemblylineSetVerdictOperator
from self_hosted.core.http.errors import OutcomeUnknownError, PermanentError, ServerError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.flows import reply, result_of
from tests.context import context

NOT_FOUND = parse_error(reply("", 404, "There is no submission with sid: a"))
USER = {"api_key": "sandbox:user-secret"}
ACCOUNT = {
    "api_daily_quota": 0,
    "submission_daily_quota": 0,
    "settings": {"submission_profiles": {}},
    "configuration": {
        "submission": {"verdicts": {}, "max_file_size": 1, "max_dtl": 0},
        "ui": {"enforce_quota": True},
    },
}


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    served.seed({"delay": 0})


def execute(kind, **arguments):
    task = kind(task_id="t", **arguments)
    task_context = context(task)
    return task.execute(task_context), task_context["ti"].xcoms


def test_a_verdict_is_set_once(served, submitted):
    sid = submitted("x")
    for changed in (True, False):
        result, xcoms = execute(AssemblylineSetVerdictOperator, sid=sid, verdict="malicious")
        assert result == {"sid": sid, "verdict": "malicious", "changed": changed, "url": xcoms[LINK_KEY]}


@pytest.mark.parametrize(
    ("sid", "verdict", "message"), [("", "malicious", "sid must be"), ("s", "bad", "verdict must be one")]
)
def test_an_invalid_verdict_is_named_before_anything_is_sent(sid, verdict, message):
    with pytest.raises(AirflowFailException, match=message):
        execute(AssemblylineSetVerdictOperator, sid=sid, verdict=verdict)


def test_a_verdict_that_was_not_stored_is_an_error():
    replies = (reply({"username": "u", "roles": [], **ACCOUNT}), reply({"verdict": {}}), reply({"success": False}))
    with pytest.raises(ServerError, match="did not store the verdict"):
        result_of(verdicts.set_user_verdict("s", "malicious"), *replies)


def delete(**arguments):
    result, xcoms = execute(AssemblylineDeleteSubmissionOperator, **{"confirm": True, **arguments})
    assert result.pop("url") == xcoms[LINK_KEY]
    return result


def left(served):
    return [one["sid"] for one in served.tables()["submissions"]]


def test_deleted_submissions_are_absent_the_second_time(served, submitted):
    sids, kept = [submitted("x"), submitted("RIG-SLEEP:60")], submitted("y")
    assert delete(sids=sids) == {"deleted": 2, "absent": 0, "sids": sids}
    assert left(served) == [kept]
    assert delete(sids=sids) == {"deleted": 0, "absent": 2, "sids": []}


def test_a_single_id_may_be_a_text(served, submitted):
    assert delete(sids=submitted("x"))["deleted"] == 1
    assert left(served) == []


def test_an_empty_list_deletes_nothing(served, submitted):
    submitted("x")
    assert delete(sids=[])["deleted"] == 0
    assert len(left(served)) == 1


def test_matches_of_a_query_are_deleted(served, submitted):
    for case in ("1", "2", "1"):
        submitted("x", metadata={"case": case})
    assert delete(query='metadata.case:"1"')["deleted"] == 2
    assert len(left(served)) == 1


def test_a_list_rendered_by_a_template_is_not_a_single_id(served, submitted):
    sids = [submitted("x") for _ in range(2)]
    assert delete(sids=str(sids), confirm="True")["deleted"] == 2
    assert left(served) == []


def test_an_empty_list_may_fail_the_task(served, submitted):
    with pytest.raises(AirflowFailException, match="sids: nothing is selected, and fail_on_empty is set"):
        delete(sids="[]", fail_on_empty="True")


@pytest.mark.parametrize("by", ["sids", "query"])
def test_nothing_is_deleted_above_the_limit(served, submitted, by):
    sids = [submitted("x") for _ in range(3)]
    with pytest.raises(AirflowFailException, match="more than 2 submissions"):
        delete(**{"sids": sids} if by == "sids" else {"query": "*"}, max_items="2")
    assert len(left(served)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sids": ["s"], "confirm": False}, "confirm must be true"),
        ({"sids": ["s"], "confirm": "perhaps"}, "confirm must be true or false"),
        ({}, "give exactly one of sids, query"),
        ({"sids": ["s"], "query": "*"}, "give exactly one of sids, query"),
        ({"query": " "}, "must not be empty"),
        ({"sids": [1.5]}, "sids must be the id of a submission, not 1.5"),
        ({"sids": ["s", ""]}, "sids must be the id of a submission, not ''"),
        ({"sids": ""}, "sids must be the id of a submission or a list of ids, not ''"),
        ({"sids": "None"}, "sids must be the id of a submission, not 'None'"),
        ({"query": "*", "max_items": "all"}, "max_items must be a whole number"),
        ({"query": "*", "max_items": 5001}, "from 1 to 5000"),
    ],
)
def test_an_invalid_argument_of_a_deletion_is_named(arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        delete(**arguments)


def test_submissions_of_other_users_are_reported_after_the_rest_is_deleted():
    there = {"sid": "a", "to_be_deleted": False}
    replies = (NOT_FOUND, reply(there), reply({"success": True}))
    with pytest.raises(PermanentError, match="1 of 2 submissions belong to other users and were not deleted: a"):
        result_of(submissions.delete_many(["a", "b"]), *replies)


def test_submissions_of_other_users_are_not_deleted(served, submitted, connect):
    own, other = submitted("x"), AssemblylineHook(connect("of_user", served.connection(login="user", extra=USER)))
    foreign = other.submit({"plaintext": "y"}, {})["sid"]
    with pytest.raises(AirflowFailException, match=f"belong to other users and were not deleted: {foreign}"):
        delete(sids=[foreign, own])
    assert left(served) == [foreign]


def test_a_retry_deletes_the_remaining_submissions(served, submitted, monkeypatch):
    sids = [submitted("x"), submitted("y")]
    served.fail("status", method="DELETE", path=f"/api/v4/submission/{sids[1]}/", status=500)
    with pytest.raises((ServerError, OutcomeUnknownError)):
        delete(sids=sids)
    assert delete(sids=sids) == {"deleted": 1, "absent": 1, "sids": sids[1:]}
    assert left(served) == []
