"""The archive: the flow by hand, the operator against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api import archive, recovery
from self_hosted.assemblyline.operators import AssemblylineArchiveSubmissionOperator
from self_hosted.core.http.errors import InvalidRequestError, OutcomeUnknownError, PermissionDeniedError, ServerError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.flows import reply, result_of
from tests.context import context

HERE, THERE = reply({"sid": "s", "archived": False}), reply({"sid": "s", "archived": True})
ARCHIVE, ARCHIVED = reply({"action": "archive", "success": True}), {"action": "archived", "sid": "s"}


def test_a_submission_is_archived_with_its_options():
    flow = archive.add_submission("s", {"case": "7"}, delete_after=True, use_alternate_dtl=True)
    result, steps = result_of(flow, HERE, ARCHIVE)
    assert result == {"action": "archive", "sid": "s"}
    assert steps[-1].target == "/api/v4/archive/s/?delete_after=true&use_alternate_dtl=true"
    assert steps[-1].json == {"case": "7"}


@pytest.mark.parametrize("stored", [{"archived": True}, {"from_archive": True}])
def test_an_archived_submission_does_not_change(stored):
    assert result_of(archive.add_submission("s"), reply({"sid": "s", **stored}))[0] == ARCHIVED


def test_the_submission_shows_the_effect_of_a_request_whose_response_was_lost():
    result, steps = result_of(archive.add_submission("s"), HERE, OutcomeUnknownError("lost"), HERE, THERE)
    assert result == ARCHIVED
    assert sum(getattr(step, "method", "") == "PUT" for step in steps) == 1


def test_a_lost_request_without_an_effect_is_repeated():
    looks = [HERE for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    assert (
        result_of(archive.add_submission("s"), HERE, OutcomeUnknownError("lost"), *looks, ARCHIVE)[0]["action"]
        == "archive"
    )


def test_a_webhook_that_fails_is_an_error():
    with pytest.raises(ServerError, match="webhook rejected submission s"):
        result_of(archive.add_submission("s"), HERE, reply({"action": "hooked", "success": False}))


def test_a_disabled_archive_differs_from_a_missing_role():
    with pytest.raises(InvalidRequestError, match="the archive is not enabled on this server"):
        result_of(archive.add_submission("s"), HERE, PermissionDeniedError("Archiving is disabled on the server."))
    with pytest.raises(PermissionDeniedError, match="roles"):
        result_of(archive.add_submission("s"), HERE, PermissionDeniedError("requires one of the following roles"))


# The operator


@pytest.fixture
def sid(served, submitted):
    served.seed({"delay": 0, "archive": {"enabled": True}})
    return submitted("a", metadata={"case": "7"})


def run(task_context=None, **arguments):
    task = AssemblylineArchiveSubmissionOperator(task_id="archive", **arguments)
    return task.execute(task_context or context(task))


def test_a_submission_is_archived_once(served, hook, sid):
    task_context = context(AssemblylineArchiveSubmissionOperator(task_id="t", sid=sid))
    url = f"{served.base_url}/submission/detail/{sid}"
    assert run(task_context, sid=sid, metadata={"case": "8", "kept": "yes"}) == {
        "action": "archive",
        "sid": sid,
        "url": url,
    }
    assert task_context["ti"].xcoms[LINK_KEY] == url
    metadata = hook.get_submission(sid)["metadata"]
    assert (metadata["case"], metadata["kept"]) == ("7", "yes")
    assert run(sid=sid)["action"] == "archived"


def test_the_server_may_resubmit_it_first_for_more_services(served, hook, sid):
    served.seed({"archive": {"minimum": ["Dynamic Analysis"]}})
    result = run(sid=sid)
    assert result["action"] == "resubmit"
    assert result["sid"] != sid
    assert "Dynamic Analysis" in hook.get_submission(result["sid"])["params"]["services"]["selected"]
    assert run(sid=sid) == {"action": "archived", "sid": sid, "url": f"{served.base_url}/submission/detail/{sid}"}
    assert len(served.tables()["submissions"]) == 2


def test_a_lost_response_makes_no_second_submission(served, sid):
    served.seed({"archive": {"minimum": ["Dynamic Analysis"]}})
    served.fail("drop", method="PUT", path="/api/v4/archive/.*")
    assert run(sid=sid)["action"] == "archived"
    assert len(served.tables()["submissions"]) == 2


def test_a_webhook_handles_it_unless_it_is_skipped(served, sid):
    served.seed({"archive": {"hook": True}})
    assert run(sid=sid)["action"] == "hooked"
    assert run(sid=sid, skip_hook="true", metadata="{'a': '1'}")["action"] == "archive"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sid": ""}, "sid must be the id of a submission, not ''"),
        ({"metadata": "a"}, "metadata must be a dictionary"),
        ({"delete_after": "perhaps"}, "delete_after must be true or false, not 'perhaps'"),
        ({"sid": "nosuch"}, "Submission ID nosuch does not exists"),
    ],
)
def test_an_invalid_argument_is_named(served, sid, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(**{"sid": sid, **arguments})


def test_a_server_without_an_archive_fails_the_task_at_once(served, sid):
    served.seed({"archive": {"enabled": False}})
    with pytest.raises(AirflowFailException, match="the archive is not enabled on this server"):
        run(sid=sid)
