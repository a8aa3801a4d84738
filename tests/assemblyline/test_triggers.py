"""The question, against the stand-in."""

from __future__ import annotations

import asyncio
import io

import pytest

from self_hosted.assemblyline.triggers import SUBMISSION
from self_hosted.core.flow import Upload
from self_hosted.core.trigger import WaitTrigger


def submitted(hook, words):
    data = words.encode()
    return hook.submit_file(Upload("a.txt", lambda: io.BytesIO(data), len(data)), {})["sid"]


def look(hook, *sids):
    return hook.run(SUBMISSION.ask(sids))


def test_a_submission_is_done_when_it_is_completed(served, hook):
    served.seed({"delay": 0})
    sid = submitted(hook, "RIG-SCORE:400 RIG-CHILD:x")
    seen = look(hook, sid)[sid]
    assert (seen.state, seen.done) == ("completed", True)
    assert seen.facts == {"max_score": 400, "file_count": 2, "error_count": 0}


def test_a_submission_is_not_done_while_it_is_analysed(served, hook):
    sid = submitted(hook, "RIG-SLEEP:60")
    assert not look(hook, sid)[sid].done


def test_many_submissions_cost_one_request(served, hook):
    served.seed({"delay": 0})
    sids = [submitted(hook, f"file {number}") for number in range(30)]
    before = served.product.access.api_calls
    assert all(seen.done for seen in look(hook, *sids).values())
    assert served.product.access.api_calls - before == 1


def test_a_submission_too_young_for_the_index_is_looked_up_by_itself(served, hook):
    served.seed({"index_lag": 60})
    sid = submitted(hook, "RIG-SLEEP:60")
    assert look(hook, sid)[sid].state == "submitted"


@pytest.mark.parametrize("sid", ["nosuch", 'no "such" OR *', "a/b"])
def test_a_submission_that_is_gone_is_over(served, hook, sid):
    seen = look(hook, sid)[sid]
    assert (seen.state, seen.done) == ("gone", True)


def test_cancel_deletes_a_running_submission_and_leaves_a_completed_one(served, hook):
    running = submitted(hook, "RIG-SLEEP:60")
    served.seed({"delay": 0})
    completed = submitted(hook, "done")
    assert SUBMISSION.cancel
    for sid in (running, completed, "nosuch"):
        hook.run(SUBMISSION.cancel(sid))
    assert [row["sid"] for row in served.tables()["submissions"]] == [completed]


def test_a_cancelled_submission_that_comes_back_is_gone_all_the_same(served, hook):
    sid = submitted(hook, "RIG-SLEEP:60")
    hook.cancel_submission(sid)
    served.product.submissions[sid].completed_at = 0
    assert hook.submission(sid)["state"] == "completed"
    assert look(hook, sid)[sid].state == "gone"


def test_a_person_who_ends_a_deferred_task_ends_the_submission(served, hook, conn_id):
    sid = submitted(hook, "RIG-SLEEP:60")
    path = "self_hosted.assemblyline.triggers.SUBMISSION"
    trigger = WaitTrigger(
        question=path, conn_id=conn_id, key=sid, deadline=2e9, poll_interval=0.05, cancel_on_kill=True
    )
    asyncio.run(trigger.on_kill())
    assert served.tables()["submissions"] == []
