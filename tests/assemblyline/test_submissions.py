"""Submissions: searches, owners, cancel and delete."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.submissions import intake, owners, submissions
from self_hosted.core.http.errors import NotFoundError, NotReadyError, OutcomeUnknownError, PermanentError
from self_hosted.core.http.flow import Request
from tests.assemblyline.flows import OUTCOME, UPLOAD, items, reply, result_of


def test_many_submissions_cost_one_idempotent_search():
    result, (request,) = result_of(submissions.get_many(["a", 'b"c']), items(OUTCOME))
    assert result == [OUTCOME]
    assert request.json["query"] == r'sid:("a" OR "b\"c")'
    assert request.json["rows"] == 2
    assert request.is_idempotent


def test_a_submit_is_not_idempotent():
    request = next(intake.submit(UPLOAD, {}))
    assert isinstance(request, Request)
    assert not request.is_idempotent


@pytest.mark.parametrize(
    ("document", "error_class"),
    [({"state": "submitted"}, NotReadyError), ({"state": "completed", "to_be_deleted": True}, PermanentError)],
)
def test_a_running_and_a_cancelled_submission_have_no_result(document, error_class):
    with pytest.raises(error_class, match="submission s "):
        result_of(submissions.get_completed("s"), reply({**OUTCOME, "errors": [], **document}))


@pytest.mark.parametrize("name", ["a OR b", "*", 'a"', ""])
@pytest.mark.parametrize(("kind", "list_by"), [("group", owners.list_by_group), ("user", owners.list_by_user)])
def test_an_owner_that_would_be_read_as_a_query_is_rejected(name, kind, list_by):
    with pytest.raises(ValueError, match=f"{kind} must be a name of letters"):
        list_by(name)


def test_a_list_by_owner_ends_at_the_servers_window():
    with pytest.raises(ValueError, match="10000 at most together"):
        owners.list_by_user("admin", offset=9_950)


# Cancel and delete


def test_a_cancel_deletes_a_running_submission():
    _, steps = result_of(submissions.cancel("s"), reply(False), reply({"success": True}))
    assert [step.method for step in steps] == ["GET", "DELETE"]


def test_a_cancel_does_not_delete_a_completed_submission():
    _, steps = result_of(submissions.cancel("s"), reply(True))
    assert [step.method for step in steps] == ["GET"]


@pytest.mark.parametrize("replies", [[NotFoundError("gone")], [reply(False), NotFoundError("gone")]])
def test_a_cancel_of_a_missing_submission_succeeds(replies):
    assert result_of(submissions.cancel("s"), *replies)[0] is None


def test_a_lost_response_to_a_delete_is_a_success_if_the_submission_is_gone():
    assert result_of(submissions.delete("s"), OutcomeUnknownError("lost"), NotFoundError("gone"))[0] is None


def test_a_lost_response_to_a_delete_is_an_error_while_the_submission_exists():
    with pytest.raises(OutcomeUnknownError):
        result_of(submissions.delete("s"), OutcomeUnknownError("lost"), reply({"sid": "s"}))
