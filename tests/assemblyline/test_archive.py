"""Archiving: the flow by hand, the operator against the stand-in."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import AssemblylineArchiveOperator
from self_hosted.core.errors import Broken, Forbidden, Invalid, Uncertain
from self_hosted.core.operator import LINK_KEY
from tests.assemblyline.flows import reply, result_of
from tests.context import context

HERE, THERE = reply({"sid": "s", "archived": False}), reply({"sid": "s", "archived": True})
ARCHIVE, ARCHIVED = reply({"action": "archive", "success": True}), {"action": "archived", "sid": "s"}


def test_a_submission_is_sent_to_the_archive_with_what_was_asked_for():
    flow = api.archive_submission("s", {"case": "7"}, delete_after=True, use_alternate_dtl=True)
    result, steps = result_of(flow, HERE, ARCHIVE)
    assert result == {"action": "archive", "sid": "s"}
    assert steps[-1].target == "/api/v4/archive/s/?delete_after=true&use_alternate_dtl=true"
    assert steps[-1].json == {"case": "7"}


@pytest.mark.parametrize("stored", [{"archived": True}, {"from_archive": True}])
def test_what_is_archived_already_is_left_alone(stored):
    assert result_of(api.archive_submission("s"), reply({"sid": "s", **stored}))[0] == ARCHIVED


def test_of_a_lost_answer_the_mark_of_the_submission_tells():
    result, steps = result_of(api.archive_submission("s"), HERE, Uncertain("lost"), HERE, THERE)
    assert result == ARCHIVED
    assert sum(getattr(step, "method", "") == "PUT" for step in steps) == 1


def test_without_the_mark_it_is_sent_once_more_since_then_that_is_harmless():
    looks = [HERE for _ in range(1 + len(api.LOOKS))]
    assert result_of(api.archive_submission("s"), HERE, Uncertain("lost"), *looks, ARCHIVE)[0]["action"] == "archive"


def test_a_webhook_that_fails_is_an_error():
    with pytest.raises(Broken, match="webhook did not take submission s"):
        result_of(api.archive_submission("s"), HERE, reply({"action": "hooked", "success": False}))


def test_a_server_whose_archive_is_off_says_so_in_one_of_two_ways():
    with pytest.raises(Invalid, match="the archive is not enabled on this server"):
        result_of(api.archive_submission("s"), HERE, Forbidden("Archiving is disabled on the server."))
    with pytest.raises(Forbidden, match="roles"):
        result_of(api.archive_submission("s"), HERE, Forbidden("requires one of the following roles"))


# The operator


@pytest.fixture
def sid(served, submitted):
    served.seed({"delay": 0, "archive": {"enabled": True}})
    return submitted("a", metadata={"case": "7"})


def run(told=None, **arguments):
    task = AssemblylineArchiveOperator(task_id="archive", **arguments)
    return task.execute(told or context(task))


def test_a_submission_is_archived_once(served, hook, sid):
    told = context(None)
    url = f"{served.base_url}/submission/detail/{sid}"
    assert run(told, sid=sid, metadata={"case": "8", "kept": "yes"}) == {"action": "archive", "sid": sid, "url": url}
    assert told["ti"].xcoms[LINK_KEY] == url
    metadata = hook.submission(sid)["metadata"]
    assert (metadata["case"], metadata["kept"]) == ("7", "yes")
    assert run(sid=sid)["action"] == "archived"


def test_more_services_look_at_it_first_in_a_new_submission(served, hook, sid):
    served.seed({"archive": {"minimum": ["Dynamic Analysis"]}})
    result = run(sid=sid)
    assert result["action"] == "resubmit"
    assert result["sid"] != sid
    assert "Dynamic Analysis" in hook.submission(result["sid"])["params"]["services"]["selected"]
    assert run(sid=sid) == {"action": "archived", "sid": sid, "url": f"{served.base_url}/submission/detail/{sid}"}
    assert len(served.tables()["submissions"]) == 2


def test_a_lost_answer_makes_no_second_submission(served, sid):
    served.seed({"archive": {"minimum": ["Dynamic Analysis"]}})
    served.fail("drop", method="PUT", path="/api/v4/archive/.*")
    assert run(sid=sid)["action"] == "archived"
    assert len(served.tables()["submissions"]) == 2


def test_a_webhook_takes_it_unless_it_is_passed_over(served, sid):
    served.seed({"archive": {"hook": True}})
    assert run(sid=sid)["action"] == "hooked"
    assert run(sid=sid, skip_hook="true")["action"] == "archive"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sid": ""}, "sid must be the id of a submission, not ''"),
        ({"metadata": "a"}, "metadata must be a dictionary"),
        ({"delete_after": "perhaps"}, "delete_after must be true or false, not 'perhaps'"),
        ({"sid": "nosuch"}, "Submission ID nosuch does not exists"),
    ],
)
def test_a_wrong_argument_is_named(served, sid, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(**{"sid": sid, **arguments})


def test_a_server_without_an_archive_fails_the_task_at_once(served, sid):
    served.seed({"archive": {"enabled": False}})
    with pytest.raises(AirflowFailException, match="the archive is not enabled on this server"):
        run(sid=sid)
