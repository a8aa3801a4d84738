"""The wait specs."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
import requests

from self_hosted.assemblyline import waits
from self_hosted.core.http.errors import NotFoundError, WaitTimeoutError
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.observation import MISSING
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.trigger import WaitTrigger

LONG = "RIG-SLEEP:60"
UNKNOWN = "0123456789abcdefABCDEF"


def refresh(hook, *keys, wait_spec=waits.SUBMISSION):
    return hook.run(wait_spec.refresh(keys))


@pytest.fixture
def count_requests(served):
    """``count_requests(action)`` counts the requests that an action sends."""

    def count(action):
        before = read_count(served)
        action()
        return read_count(served) - before

    return count


def read_count(served):
    counts = requests.get(f"{served.url}/_control/counts", timeout=60).json()["requests"]
    return int(counts.get("assemblyline", 0))


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("wait_spec", [waits.SUBMISSION, waits.INGEST], ids=["submission", "ingest"])
def test_no_keys_cost_no_request(served, hook, wait_spec):
    assert refresh(hook, wait_spec=wait_spec) == {}
    assert served.product.quotas.api_calls == 0


# Submissions


def test_a_submission_is_done_when_it_is_completed(served, hook, submitted):
    served.seed({"delay": 0})
    sid = submitted("RIG-SCORE:400 RIG-CHILD:x")
    observed = refresh(hook, sid)[sid]
    assert (observed.state, observed.done) == ("completed", True)
    assert observed.details == {
        "max_score": 400,
        "file_count": 2,
        "error_count": 0,
        "verdict": "suspicious",
        "sha256": sha256("RIG-SCORE:400 RIG-CHILD:x"),
    }


def test_a_submission_is_not_done_while_it_is_analysed(hook, submitted):
    sid = submitted(LONG)
    assert not refresh(hook, sid)[sid].done


def test_many_submissions_cost_one_request(served, hook, submitted):
    served.seed({"delay": 0})
    sids = [submitted(f"file {number}") for number in range(30)]
    before = served.product.quotas.api_calls
    assert [observed.done for observed in refresh(hook, *sids).values()] == [True] * len(sids)
    assert served.product.quotas.api_calls - before == 1


def test_a_submission_that_is_not_in_the_index_is_queried_by_id(served, hook, submitted):
    served.seed({"index_lag": 60})
    sid = submitted(LONG)
    assert refresh(hook, sid)[sid].state == "submitted"


@pytest.mark.parametrize("sid", ["nosuch", 'no "such" OR *', "a b"])
def test_a_missing_submission_does_not_affect_others(hook, submitted, sid):
    good = submitted(LONG)
    observed = refresh(hook, sid, good)
    assert observed[sid] == MISSING
    assert observed[good].state == "submitted"


def test_a_deleted_submission_is_missing(hook, submitted):
    sid = submitted(LONG)
    assert not refresh(hook, sid)[sid].done
    hook.delete_submission(sid)
    assert refresh(hook, sid)[sid] == MISSING


def test_cancel_deletes_a_running_submission_and_leaves_a_completed_one(served, hook, submitted):
    running = submitted(LONG)
    served.seed({"delay": 0})
    completed = submitted("done")
    assert waits.SUBMISSION.cancel
    for sid in (running, completed, "nosuch"):
        hook.run(waits.SUBMISSION.cancel(sid))
    assert [row["sid"] for row in served.tables()["submissions"]] == [completed]


def test_a_cancelled_submission_that_is_stored_again_is_missing(served, hook, submitted):
    sid = submitted(LONG)
    hook.cancel_submission(sid)
    served.product.store.submissions[sid].completed_at = 0
    assert hook.get_submission(sid)["state"] == "completed"
    assert refresh(hook, sid)[sid] == MISSING


def test_a_user_who_ends_a_deferred_task_cancels_the_submission(served, submitted, conn_id):
    trigger = WaitTrigger(
        wait_spec="self_hosted.assemblyline.waits.SUBMISSION",
        conn_id=conn_id,
        keys=[submitted(LONG)],
        since=0,
        deadline=2e9,
        poll_interval=0.05,
        cancel_on_kill=True,
    )
    asyncio.run(trigger.on_kill())
    assert served.tables()["submissions"] == []


def test_many_places_cost_one_request(served, hook, submitted, count_requests):
    running = [submitted(LONG) for _ in range(waits.MAX_SINGLE_REQUESTS)]
    served.seed({"delay": 0})
    done = submitted("done")
    observed = refresh(hook, *running, done, wait_spec=waits.PLACE)
    assert {sid: observation.done for sid, observation in observed.items()} == {
        **dict.fromkeys(running, False),
        done: True,
    }
    assert count_requests(lambda: refresh(hook, *running, done, wait_spec=waits.PLACE)) == 1


def test_a_few_places_are_queried_by_id_because_a_search_lags(served, hook, submitted, count_requests):
    served.seed({"index_lag": 60, "delay": 0})
    done = [submitted(f"file {number}") for number in range(waits.MAX_SINGLE_REQUESTS)]
    assert [seen.done for seen in refresh(hook, *done, wait_spec=waits.PLACE).values()] == [True] * len(done)
    assert count_requests(lambda: refresh(hook, *done, wait_spec=waits.PLACE)) == waits.MAX_SINGLE_REQUESTS


def test_places_that_are_not_in_the_index_are_left_out_unless_all_of_them_are(served, hook, submitted):
    old = submitted(LONG)
    served.seed({"index_lag": 60})
    young = [submitted(LONG) for _ in range(waits.MAX_SINGLE_REQUESTS + 1)]
    assert set(refresh(hook, old, *young, wait_spec=waits.PLACE)) == {old}
    assert set(refresh(hook, *young, wait_spec=waits.PLACE)) == set(young)


def test_the_place_of_a_missing_submission_is_free(hook, submitted):
    assert refresh(hook, UNKNOWN, wait_spec=waits.PLACE) == {UNKNOWN: MISSING}


# Ingests


def test_an_ingest_is_done_when_its_submission_is_completed(served, hook, ingested):
    served.seed({"delay": 0})
    ingest_id = ingested("RIG-SCORE:400")
    observed = refresh(hook, ingest_id, wait_spec=waits.INGEST)[ingest_id]
    [row] = served.tables()["submissions"]
    assert observed.done
    assert observed.details == {
        "sid": row["sid"],
        "sha256": observed.details["sha256"],
        "max_score": 400,
        "verdict": "suspicious",
        "file_count": 1,
        "error_count": 0,
        "deduplicated": False,
    }
    assert row["sid"] != ingest_id


def test_an_ingest_is_not_done_while_it_is_analysed_and_not_observed_before(served, hook, ingested):
    running = ingested(LONG)
    served.seed({"paused": ["ingester"]})
    waiting = ingested("other")
    observed = refresh(hook, running, waiting, UNKNOWN, 'no "such" OR *', wait_spec=waits.INGEST)
    assert {key: observation.done for key, observation in observed.items()} == {running: False}


def test_many_ingests_cost_one_request(served, hook, ingested):
    served.seed({"delay": 0})
    keys = [waits.build_ingest_key(ingested(text), sha256(text)) for text in ("a", "b", "c")]
    before = served.product.quotas.api_calls
    assert [observed.done for observed in refresh(hook, *keys, wait_spec=waits.INGEST).values()] == [True] * len(keys)
    assert served.product.quotas.api_calls - before == 1


def test_an_ingest_whose_submission_is_deleted_is_missing_or_left_out(served, hook, ingested):
    ingest_id = ingested(LONG)
    sid = refresh(hook, ingest_id, wait_spec=waits.INGEST)[ingest_id].details["sid"]
    hook.cancel_submission(sid)
    assert refresh(hook, ingest_id, wait_spec=waits.INGEST) == {}  # it was observed before, so it is missing
    served.product.store.submissions[sid].completed_at = 0
    assert refresh(hook, ingest_id, wait_spec=waits.INGEST) == {ingest_id: MISSING}


def test_a_resubmission_does_not_replace_the_submission_of_an_ingest(served, hook, ingested, submitted):
    ingest_id = ingested(LONG)
    first = refresh(hook, ingest_id, wait_spec=waits.INGEST)[ingest_id].details["sid"]
    submitted("copy", metadata={"ingest_id": ingest_id})
    assert refresh(hook, ingest_id, wait_spec=waits.INGEST)[ingest_id].details["sid"] == first


# Ingests of files that are known


@pytest.fixture
def age(served):
    """``age("x")`` makes a file so old that its ingests are decided."""

    def make_old(text):
        served.product.store.files[sha256(text)]["seen"]["last"] = "2020-01-01T00:00:00.000000Z"

    return make_old


def test_a_deduplicated_ingest_ends_with_the_reused_submission(served, hook, ingested, age):
    served.seed({"delay": 0})
    first, second = ingested("RIG-SCORE:5"), ingested("RIG-SCORE:5")
    age("RIG-SCORE:5")
    keys = [waits.build_ingest_key(id_, sha256("RIG-SCORE:5")) for id_ in (first, second)]
    observed = refresh(hook, *keys, wait_spec=waits.INGEST)
    assert [observed[key].details["deduplicated"] for key in keys] == [False, True]
    assert observed[keys[0]].details["sid"] == observed[keys[1]].details["sid"]
    assert len(served.tables()["submissions"]) == 1


def test_a_deduplicated_ingest_without_a_sha256_is_not_observed(served, hook, ingested, age):
    served.seed({"delay": 0})
    ingested("x")
    second = ingested("x")
    age("x")
    assert refresh(hook, second, wait_spec=waits.INGEST) == {}


def test_an_ingest_of_a_moment_ago_may_still_become_a_submission(served, hook, ingested, age):
    served.seed({"delay": 0})
    ingested("x")
    key = waits.build_ingest_key(ingested("x"), sha256("x"))
    assert refresh(hook, key, wait_spec=waits.INGEST) == {}
    age("x")
    assert refresh(hook, key, wait_spec=waits.INGEST)[key].done


def test_a_duplicate_of_a_running_analysis_is_not_observed(hook, ingested, age):
    ingested(LONG)
    key = waits.build_ingest_key(ingested(LONG), sha256(LONG))
    age(LONG)
    assert refresh(hook, key, wait_spec=waits.INGEST) == {}


@pytest.mark.parametrize("completed", ["2020-01-01T00:00:00.000000Z", None])
def test_old_analyses_and_analyses_of_submits_are_not_reused(served, hook, ingested, submitted, age, completed):
    served.seed({"delay": 0})
    if completed:
        ingested("x")
        [found] = served.product.store.submissions.values()
        found.document["times"]["completed"] = completed
    else:
        submitted("x")
    served.seed({"paused": ["ingester"]})
    key = waits.build_ingest_key(ingested("x"), sha256("x"))
    age("x")
    assert refresh(hook, key, wait_spec=waits.INGEST) == {}


# Paused components


def explain(hook, *keys, wait_spec=waits.SUBMISSION):
    return hook.run(wait_spec.stall_reasons(keys))


def test_nothing_stalls_while_the_dispatcher_works(served, hook, submitted):
    sids = [submitted(LONG) for _ in range(3)]
    # this does not count toward the daily quota either
    before = served.product.quotas.api_calls
    assert explain(hook, *sids) == {}
    assert served.product.quotas.api_calls == before


def test_a_paused_dispatcher_stalls_submissions_that_it_has_not_started(served, hook, submitted):
    running = submitted(LONG)
    served.seed({"paused": ["dispatcher"]})
    waiting = submitted("x")
    assert explain(hook, running, UNKNOWN, waiting) == {waiting: waits.DISPATCHER_PAUSED}


def test_a_wait_for_a_stalled_submission_ends_with_the_reason(served, hook, submitted):
    served.seed({"paused": ["dispatcher"]})
    sid = submitted("x")
    impatient = waits.SUBMISSION._replace(stall_after=0.1)
    with pytest.raises(
        WaitTimeoutError, match=rf"^{waits.DISPATCHER_PAUSED}: gave up after \d+ s waiting for submission {sid}"
    ):
        wait_in_worker(hook, impatient, PendingWait(sid, time.time() + 60, 0.05))


def test_either_component_stalls_ingests(served, hook, ingested):
    running = ingested(LONG)
    served.seed({"paused": ["dispatcher"]})
    submitted = ingested("a")
    served.seed({"paused": ["dispatcher", "ingester"]})
    waiting = ingested("b")
    keys = running, submitted, waiting
    assert explain(hook, *keys, wait_spec=waits.INGEST) == {
        submitted: waits.DISPATCHER_PAUSED,
        waiting: waits.INGESTER_PAUSED,
    }
    served.seed({"paused": []})
    assert explain(hook, *keys, wait_spec=waits.INGEST) == {}


@pytest.mark.parametrize("wait_spec", [waits.SUBMISSION, waits.INGEST], ids=["submission", "ingest"])
@pytest.mark.parametrize("status", [403, 404])
def test_without_the_permission_waits_go_on(served, hook, wait_spec, status):
    served.seed({"paused": ["dispatcher", "ingester"]})
    served.fail("status", status=status, path="/api/v4/system/status/.*")
    assert explain(hook, UNKNOWN, wait_spec=wait_spec) == {}


def test_a_wait_ends_with_a_completed_and_a_missing_object(served, hook, ingested):
    served.seed({"delay": 0})
    observed = wait_in_worker(hook, waits.INGEST, PendingWait(ingested("x"), time.time() + 60, 0.05))
    assert observed.done
    with pytest.raises(WaitTimeoutError, match="it was never found"):
        wait_in_worker(hook, waits.INGEST, PendingWait(UNKNOWN, time.time() + 0.1, 0.05))
    with pytest.raises(NotFoundError):
        wait_in_worker(hook, waits.SUBMISSION, PendingWait(UNKNOWN, time.time() + 60, 0.05))
