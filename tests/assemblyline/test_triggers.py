"""The questions, against the stand-in."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
import requests

from self_hosted.assemblyline.triggers import FEW, INGEST, NOBODY_DISPATCHES, NOBODY_INGESTS, PLACE, SUBMISSION
from self_hosted.core.errors import NotFound, Overdue
from self_hosted.core.question import GONE
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.wait import Waiter, wait

LONG = "RIG-SLEEP:60"
UNKNOWN = "0123456789abcdefABCDEF"


def look(hook, *keys, question=SUBMISSION):
    return hook.run(question.ask(keys))


@pytest.fixture
def requests_of(served):
    """``requests_of(work)`` counts the requests that a piece of work sends."""

    def count(work):
        before = asked(served)
        work()
        return asked(served) - before

    return count


def asked(served):
    counts = requests.get(f"{served.url}/_control/counts", timeout=10).json()["requests"]
    return int(counts.get("assemblyline", 0))


def sha256(words):
    return hashlib.sha256(words.encode()).hexdigest()


@pytest.mark.parametrize("question", [SUBMISSION, INGEST], ids=["submission", "ingest"])
def test_nothing_is_asked_about_nothing(served, hook, question):
    assert look(hook, question=question) == {}
    assert served.product.access.api_calls == 0


# Submissions


def test_a_submission_is_done_when_it_is_completed(served, hook, submitted):
    served.seed({"delay": 0})
    sid = submitted("RIG-SCORE:400 RIG-CHILD:x")
    seen = look(hook, sid)[sid]
    assert (seen.state, seen.done) == ("completed", True)
    assert seen.facts == {"max_score": 400, "file_count": 2, "error_count": 0, "verdict": "suspicious"}


def test_a_submission_is_not_done_while_it_is_analysed(hook, submitted):
    sid = submitted(LONG)
    assert not look(hook, sid)[sid].done


def test_many_submissions_cost_one_request(served, hook, submitted):
    served.seed({"delay": 0})
    sids = [submitted(f"file {number}") for number in range(30)]
    before = served.product.access.api_calls
    assert all(seen.done for seen in look(hook, *sids).values())
    assert served.product.access.api_calls - before == 1


def test_a_submission_too_young_for_the_index_is_looked_up_by_itself(served, hook, submitted):
    served.seed({"index_lag": 60})
    sid = submitted(LONG)
    assert look(hook, sid)[sid].state == "submitted"


@pytest.mark.parametrize("sid", ["nosuch", 'no "such" OR *', "a/b"])
def test_one_that_is_gone_is_over_and_disturbs_no_other(hook, submitted, sid):
    good = submitted(LONG)
    seen = look(hook, sid, good)
    assert seen[sid] == GONE
    assert seen[good].state == "submitted"


def test_a_submission_that_was_seen_and_is_deleted_is_gone(hook, submitted):
    sid = submitted(LONG)
    assert not look(hook, sid)[sid].done
    hook.delete_submission(sid)
    assert look(hook, sid)[sid] == GONE


def test_cancel_deletes_a_running_submission_and_leaves_a_completed_one(served, hook, submitted):
    running = submitted(LONG)
    served.seed({"delay": 0})
    completed = submitted("done")
    assert SUBMISSION.cancel
    for sid in (running, completed, "nosuch"):
        hook.run(SUBMISSION.cancel(sid))
    assert [row["sid"] for row in served.tables()["submissions"]] == [completed]


def test_a_cancelled_submission_that_comes_back_is_gone_all_the_same(served, hook, submitted):
    sid = submitted(LONG)
    hook.cancel_submission(sid)
    served.product.submissions[sid].completed_at = 0
    assert hook.submission(sid)["state"] == "completed"
    assert look(hook, sid)[sid] == GONE


def test_a_person_who_ends_a_deferred_task_ends_the_submission(served, submitted, conn_id):
    trigger = WaitTrigger(
        question="self_hosted.assemblyline.triggers.SUBMISSION",
        conn_id=conn_id,
        keys=[submitted(LONG)],
        since=0,
        deadline=2e9,
        poll_interval=0.05,
        cancel_on_kill=True,
    )
    asyncio.run(trigger.on_kill())
    assert served.tables()["submissions"] == []


def test_where_many_submissions_hold_places_one_request_shows_who_is_done(served, hook, submitted, requests_of):
    running = [submitted(LONG) for _ in range(FEW)]
    served.seed({"delay": 0})
    done = submitted("done")
    seen = look(hook, *running, done, question=PLACE)
    assert {sid: one.done for sid, one in seen.items()} == {**dict.fromkeys(running, False), done: True}
    assert requests_of(lambda: look(hook, *running, done, question=PLACE)) == 1


def test_few_that_hold_places_are_asked_for_by_themselves_since_a_search_lags(served, hook, submitted, requests_of):
    served.seed({"index_lag": 60, "delay": 0})
    done = [submitted(f"file {number}") for number in range(FEW)]
    assert all(one.done for one in look(hook, *done, question=PLACE).values())
    assert requests_of(lambda: look(hook, *done, question=PLACE)) == FEW


def test_too_young_ones_are_left_for_the_next_look_unless_all_of_them_are(served, hook, submitted):
    old = submitted(LONG)
    served.seed({"index_lag": 60})
    young = [submitted(LONG) for _ in range(FEW + 1)]
    assert set(look(hook, old, *young, question=PLACE)) == {old}
    assert set(look(hook, *young, question=PLACE)) == set(young)


def test_a_place_is_free_when_its_submission_is_gone(hook, submitted):
    assert look(hook, UNKNOWN, question=PLACE) == {UNKNOWN: GONE}


# Ingests


def test_an_ingest_is_done_when_its_submission_is_completed(served, hook, ingested):
    served.seed({"delay": 0})
    ingest_id = ingested("RIG-SCORE:400")
    seen = look(hook, ingest_id, question=INGEST)[ingest_id]
    [row] = served.tables()["submissions"]
    assert seen.done
    assert seen.facts == {
        "sid": row["sid"],
        "max_score": 400,
        "verdict": "suspicious",
        "file_count": 1,
        "error_count": 0,
        "deduplicated": False,
    }
    assert row["sid"] != ingest_id


def test_an_ingest_is_not_done_while_it_is_analysed_and_not_seen_before(served, hook, ingested):
    running = ingested(LONG)
    served.seed({"paused": ["ingester"]})
    waiting = ingested("other")
    seen = look(hook, running, waiting, UNKNOWN, 'no "such" OR *', question=INGEST)
    assert {key: one.done for key, one in seen.items()} == {running: False}


def test_many_ingests_cost_one_request(served, hook, ingested):
    served.seed({"delay": 0})
    keys = [f"{ingested(words)}/{sha256(words)}" for words in ("a", "b", "c")]
    before = served.product.access.api_calls
    assert all(seen.done for seen in look(hook, *keys, question=INGEST).values())
    assert served.product.access.api_calls - before == 1


def test_an_ingest_whose_submission_is_deleted_is_gone_or_left_out(served, hook, ingested):
    ingest_id = ingested(LONG)
    sid = look(hook, ingest_id, question=INGEST)[ingest_id].facts["sid"]
    hook.cancel_submission(sid)
    assert look(hook, ingest_id, question=INGEST) == {}  # which means gone, since it was seen
    served.product.submissions[sid].completed_at = 0
    assert look(hook, ingest_id, question=INGEST) == {ingest_id: GONE}


def test_what_somebody_submitted_anew_is_not_taken_for_what_came_of_the_ingest(served, hook, ingested, submitted):
    ingest_id = ingested(LONG)
    first = look(hook, ingest_id, question=INGEST)[ingest_id].facts["sid"]
    submitted("anew", metadata={"ingest_id": ingest_id})
    assert look(hook, ingest_id, question=INGEST)[ingest_id].facts["sid"] == first


# Ingests of files that are known


@pytest.fixture
def age(served):
    """Let a file be handed in long enough ago for its ingests to be decided."""

    def pretend(words):
        served.product.files[sha256(words)]["seen"]["last"] = "2020-01-01T00:00:00.000000Z"

    return pretend


def test_a_deduplicated_ingest_is_answered_by_the_submission_that_is_reused(served, hook, ingested, age):
    served.seed({"delay": 0})
    first, second = ingested("RIG-SCORE:5"), ingested("RIG-SCORE:5")
    age("RIG-SCORE:5")
    keys = f"{first}/{sha256('RIG-SCORE:5')}", f"{second}/{sha256('RIG-SCORE:5')}"
    seen = look(hook, *keys, question=INGEST)
    assert [seen[key].facts["deduplicated"] for key in keys] == [False, True]
    assert seen[keys[0]].facts["sid"] == seen[keys[1]].facts["sid"]
    assert len(served.tables()["submissions"]) == 1


def test_without_the_sha256_a_deduplicated_ingest_is_not_seen(served, hook, ingested, age):
    served.seed({"delay": 0})
    ingested("x")
    second = ingested("x")
    age("x")
    assert look(hook, second, question=INGEST) == {}


def test_what_was_handed_in_a_moment_ago_is_given_the_time_to_become_a_submission(served, hook, ingested, age):
    served.seed({"delay": 0})
    ingested("x")
    key = f"{ingested('x')}/{sha256('x')}"
    assert look(hook, key, question=INGEST) == {}
    age("x")
    assert look(hook, key, question=INGEST)[key].done


def test_a_duplicate_of_what_is_still_analysed_waits_for_it(hook, ingested, age):
    ingested(LONG)
    key = f"{ingested(LONG)}/{sha256(LONG)}"
    age(LONG)
    assert look(hook, key, question=INGEST) == {}


@pytest.mark.parametrize("completed", ["2020-01-01T00:00:00.000000Z", None])
def test_neither_an_old_analysis_nor_one_that_was_submitted_is_reused(
    served, hook, ingested, submitted, age, completed
):
    served.seed({"delay": 0})
    if completed:
        ingested("x")
        [found] = served.product.submissions.values()
        found.document["times"]["completed"] = completed
    else:
        submitted("x")
    served.seed({"paused": ["ingester"]})
    key = f"{ingested('x')}/{sha256('x')}"
    age("x")
    assert look(hook, key, question=INGEST) == {}


# Queues that nobody serves


def why(hook, *keys, question=SUBMISSION):
    return hook.run(question.stalled(keys))


def test_while_the_dispatcher_works_nothing_is_held_up(served, hook, submitted):
    sids = [submitted(LONG) for _ in range(3)]
    # which does not count toward the daily quota either
    before = served.product.access.api_calls
    assert why(hook, *sids) == {}
    assert served.product.access.api_calls == before


def test_a_paused_dispatcher_holds_up_what_it_has_not_taken_up(served, hook, submitted):
    running = submitted(LONG)
    served.seed({"paused": ["dispatcher"]})
    waiting = submitted("x")
    assert why(hook, running, UNKNOWN, waiting) == {waiting: NOBODY_DISPATCHES}


def test_a_wait_for_what_nobody_takes_up_ends_with_the_reason(served, hook, submitted):
    served.seed({"paused": ["dispatcher"]})
    sid = submitted("x")
    hasty = SUBMISSION._replace(patience=0.1)
    with pytest.raises(Overdue, match=rf"^{NOBODY_DISPATCHES}: gave up waiting for submission {sid}"):
        wait(hook, hasty, Waiter(sid, time.time() + 20, 0.05))


def test_ingests_are_held_up_by_either_component(served, hook, ingested):
    running = ingested(LONG)
    served.seed({"paused": ["dispatcher"]})
    submitted = ingested("a")
    served.seed({"paused": ["dispatcher", "ingester"]})
    waiting = ingested("b")
    keys = running, submitted, waiting
    assert why(hook, *keys, question=INGEST) == {submitted: NOBODY_DISPATCHES, waiting: NOBODY_INGESTS}
    served.seed({"paused": []})
    assert why(hook, *keys, question=INGEST) == {}


@pytest.mark.parametrize("question", [SUBMISSION, INGEST], ids=["submission", "ingest"])
@pytest.mark.parametrize("status", [403, 404])
def test_who_may_not_ask_why_waits_on(served, hook, question, status):
    served.seed({"paused": ["dispatcher", "ingester"]})
    served.fail("status", status=status, path="/api/v4/system/status/.*")
    assert why(hook, UNKNOWN, question=question) == {}


def test_a_finished_and_a_missing_one_are_told_apart_by_a_wait(served, hook, ingested):
    served.seed({"delay": 0})
    seen = wait(hook, INGEST, Waiter(ingested("x"), time.time() + 20, 0.05))
    assert seen.done
    with pytest.raises(Overdue, match="it was never seen"):
        wait(hook, INGEST, Waiter(UNKNOWN, time.time() + 0.1, 0.05))
    with pytest.raises(NotFound):
        wait(hook, SUBMISSION, Waiter(UNKNOWN, time.time() + 20, 0.05))
