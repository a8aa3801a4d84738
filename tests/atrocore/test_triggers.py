"""The questions, asked of the stand-in: who is seen how, who is gone, and what is said of jobs that nobody serves."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from self_hosted.atrocore import api
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.triggers import (
    EXPORT_JOB,
    IMPORT_JOB,
    JOB,
    NOBODY_SERVES,
    cancel_exports,
    stalled_exports,
    stalled_imports,
    stalled_jobs,
)
from self_hosted.core.errors import Broken, Forbidden, NotFound, Overdue
from self_hosted.core.flow import Flow, Request
from self_hosted.core.question import GONE, Question, Seen
from self_hosted.core.wait import Waiter, poll, wait
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.questions import seeded
from tests.conftest import Served

QUESTIONS = {"Job": JOB, "ImportJob": IMPORT_JOB, "ExportJob": EXPORT_JOB}
STALLED = {"Job": stalled_jobs, "ImportJob": stalled_imports, "ExportJob": stalled_exports}
STATE = {"Job": "status", "ImportJob": "state", "ExportJob": "state"}
LONG_AGO = "2020-01-01 00:00:00"
RUN = api.run_key("f", LONG_AGO)
every_kind = pytest.mark.parametrize("entity", QUESTIONS)
runs_of_feeds = pytest.mark.parametrize("entity", ["ImportJob", "ExportJob"])


def seen(hook: AtrocoreHook, question: Question, *keys: str) -> dict[str, Seen]:
    return dict(hook.run(question.ask(keys)))


def of_feed(served: Served, entity: str, **course: Any) -> None:
    """One more job of the feed "f"."""
    values = {"importFeedId" if entity == "ImportJob" else "exportFeedId": "f", **course.pop("values", {})}
    served.seed({"jobs": [{"entity": entity, "values": values, **course}]})


# one, many, none


@every_kind
def test_states_are_told_apart(served, hook, entity):
    state, question = STATE[entity], QUESTIONS[entity]
    success, failed = (seeded(entity, running=0, **{state: word})(served) for word in ("Success", "Failed"))
    cancelled = seeded(entity, running=0, **{state: "Canceled"})(served)
    pending, running = seeded(entity, pending=99)(served), seeded(entity, running=99)(served)
    found = seen(hook, question, success, failed, cancelled, pending, running, "nosuch")
    assert {key: (one.state, one.done) for key, one in found.items()} == {
        success: ("Success", True),
        failed: ("Failed", True),
        cancelled: ("Canceled", True),
        pending: ("Pending", False),
        running: ("Running", False),
        "nosuch": (GONE.state, True),
    }
    assert {key for key, one in found.items() if "failure" in one.facts} == {failed, cancelled}


def test_a_job_that_awaits_another_one_is_not_done(served, hook):
    served.seed({"jobs": [{"entity": "Job", "values": {"id": "j", "status": "Awaiting"}, "pending": 99}]})
    assert seen(hook, JOB, "j") == {"j": Seen("Awaiting", done=False)}


@every_kind
def test_many_cost_as_little_as_a_url_can_hold(entity):
    keys = [f"{number:032x}" for number in range(20)]
    asked, _ = run_by_hand(QUESTIONS[entity].ask(keys), reply(200, {"list": []}))
    assert [request.path for request in asked] == [f"/api/{entity}"]


@every_kind
def test_a_job_that_is_purged_is_gone(served, hook, entity):
    done = seeded(entity, running=0)(served)
    assert seen(hook, QUESTIONS[entity], done)[done].done
    served.seed({"purge": True})
    assert seen(hook, QUESTIONS[entity], done) == {done: GONE}


@every_kind
def test_the_oldest_dialect_has_no_such_jobs_and_says_so(served, hook, entity):
    served.seed({"dialect": "espo"})
    with pytest.raises(NotFound, match="servers that speak espo have no such route"):
        seen(hook, QUESTIONS[entity], "a")


def test_only_exports_can_be_cancelled_and_each_question_knows_why_it_is_stalled():
    assert (JOB.cancel, IMPORT_JOB.cancel, EXPORT_JOB.cancel) == (None, None, cancel_exports)
    assert {entity: question.stalled for entity, question in QUESTIONS.items()} == STALLED


# upserts


def test_what_became_of_the_items_of_an_upsert_is_read_from_the_message(served, hook):
    items = json.dumps([{"status": "Created"}, {"status": "Failed", "message": "no name"}])
    values = {"id": "j", "type": "Upsert"}
    served.seed({"jobs": [{"entity": "Job", "values": values, "running": 0, "message": items}]})
    facts = {"items": {"Created": 1, "Failed": 1}, "failures": [{"item": 1, "message": "no name"}]}
    assert seen(hook, JOB, "j") == {"j": Seen("Success", True, facts)}


# runs


@runs_of_feeds
def test_a_run_is_done_when_there_is_a_job_and_all_have_ended(served, hook, entity):
    question = QUESTIONS[entity]
    assert seen(hook, question, RUN) == {}
    of_feed(served, entity, pending=99, values={"id": "a"})
    assert seen(hook, question, RUN) == {RUN: Seen("Pending", done=False)}
    of_feed(served, entity, running=0)
    assert seen(hook, question, RUN) == {RUN: Seen("Running", done=False)}
    served.seed({"purge": True})
    of_feed(served, entity, running=0, values={"id": "a"})
    found = seen(hook, question, RUN)[RUN]
    assert (found.state, found.done, found.facts["jobs"]) == ("Success", True, 1)


@runs_of_feeds
def test_jobs_of_other_feeds_and_of_earlier_runs_do_not_count(served, hook, entity):
    of_feed(served, entity, running=0, values={"createdAt": LONG_AGO})
    served.seed({"jobs": [{"entity": entity, "values": {"importFeedId": "g", "exportFeedId": "g"}, "running": 0}]})
    assert seen(hook, QUESTIONS[entity], RUN) == {}


@runs_of_feeds
def test_a_run_whose_jobs_are_purged_is_not_there_any_more(served, hook, entity):
    of_feed(served, entity, running=0)
    waiter = Waiter(RUN, time.time() + 9, 0.05)
    waiter.note(seen(hook, QUESTIONS[entity], RUN)[RUN])
    served.seed({"purge": True})
    waiter.note(seen(hook, QUESTIONS[entity], RUN).get(RUN))
    assert waiter.seen == GONE


def test_one_failure_among_the_jobs_of_a_run_is_told(served, hook):
    of_feed(served, "ImportJob", running=0, createdCount=3, errorsCount=1)
    of_feed(served, "ImportJob", running=0, state="Failed", message="no file", values={"id": "bad"})
    counts = {"created": 3, "updated": 0, "deleted": 0, "skipped": 0, "errors": 1}
    failure = {"failure": "job bad: no file"}
    assert seen(hook, IMPORT_JOB, RUN) == {RUN: Seen("Failed", True, {"jobs": 2, **counts, **failure})}


def test_counts_that_no_record_tells_are_asked_for(served, hook):
    served.seed({"counters": {"i": {"createdCount": 7}}})
    of_feed(served, "ImportJob", running=0, createdCount=None, values={"id": "i"})
    assert seen(hook, IMPORT_JOB, "i")["i"].facts["created"] == 7


def test_an_import_that_was_split_is_done_when_its_parts_are(served, hook):
    served.seed({"records": {"ImportFeed": [{"id": "f", "name": "Prices"}]}})
    served.seed({"runs": {"f": [{"createdCount": 2, "running": 0}, {"createdCount": 3, "pending": 99}]}})
    assert hook.run(run_import("f"))
    parent = next(job["id"] for job in hook.records("ImportJob") if not job.get("parentId"))
    assert seen(hook, IMPORT_JOB, parent, RUN) == dict.fromkeys([parent, RUN], Seen("Running", done=False))


def test_an_export_is_not_done_while_more_of_its_jobs_are_being_made(served, hook):
    of_feed(served, "ExportJob", running=0, fileId="one", count=5)
    creator = {"type": "ExportJobCreator", "payload": {"feed": {"id": "f"}}}
    served.seed({"jobs": [{"entity": "Job", "values": {"id": "creator", **creator}, "running": 1.5}]})
    assert seen(hook, EXPORT_JOB, RUN) == {RUN: Seen("Running", done=False)}
    time.sleep(1.5)
    assert seen(hook, EXPORT_JOB, RUN) == {RUN: Seen("Success", True, {"jobs": 1, "file_ids": ["one"], "records": 5})}


def test_who_may_not_see_the_queue_can_still_wait_for_exports(served, hook):
    of_feed(served, "ExportJob", running=0)
    served.fail("status", path="/api/Job", status=403)
    assert seen(hook, EXPORT_JOB, RUN)[RUN].done


def run_import(feed_id: str) -> Flow[Any]:
    """Run a feed, which no flow of ours does."""
    return (yield Request("POST", f"/api/ImportFeed/{feed_id}/runImport", json={})).json()


# cancelling


@pytest.mark.parametrize("key", ["a", RUN])
def test_what_is_under_way_is_cancelled(served, hook, key):
    of_feed(served, "ExportJob", running=99, values={"id": "a"})
    of_feed(served, "ExportJob", running=0, values={"id": "done"})
    hook.run(cancel_exports(key))
    assert [hook.record("ExportJob", job_id)["state"] for job_id in ("a", "done")] == ["Canceled", "Success"]


# waits that lead nowhere


@every_kind
def test_jobs_that_nobody_serves_are_told_after_a_while(served, hook, entity):
    served.seed({"cron": False})
    key = seeded(entity)(served)
    question = QUESTIONS[entity]._replace(patience=0.05)
    with pytest.raises(Overdue, match=rf"does not run \(cron or daemon\): gave up waiting for {question.thing} {key}"):
        wait(hook, question, Waiter(key, time.time() + 9, 0.05))


@runs_of_feeds
def test_a_run_whose_jobs_are_not_even_made_is_told_too(served, hook, entity):
    served.seed({"cron": False})
    assert hook.run(STALLED[entity]([RUN])) == {RUN: NOBODY_SERVES}


@every_kind
def test_where_the_queue_is_served_a_pending_job_is_waited_for(served, hook, entity):
    key = seeded(entity, pending=99)(served)
    assert hook.run(STALLED[entity]([key])) == {}


@every_kind
def test_a_running_job_is_left_alone_and_nobody_is_asked_about_it(served, hook, entity):
    running = seeded(entity, running=99)(served)
    assert seen(hook, QUESTIONS[entity], running)[running].state == "Running"
    served.seed({"cron": False})
    served.fail("status", path="/api/checkBackgroundProcessing", status=500, times=9)
    assert hook.run(STALLED[entity]([running, "nosuch"])) == {}


@every_kind
@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_tell_whether_it_serves_its_queue_ends_no_wait(served, hook, entity, status):
    served.seed({"cron": False})
    served.fail("status", path="/api/checkBackgroundProcessing", status=status)
    assert hook.run(STALLED[entity]([seeded(entity)(served)])) == {}


@every_kind
def test_a_list_that_may_not_be_seen_ends_no_wait_either(served, hook, entity):
    key = seeded(entity, pending=99)(served)
    served.fail("status", path=f"/api/{entity}", status=403)
    assert hook.run(STALLED[entity]([key])) == {}


@every_kind
def test_who_serves_the_queue_is_asked_once_for_all(entity):
    record = {STATE[entity]: "Pending", "createdAt": LONG_AGO}
    pending = reply(200, {"list": [{"id": f"{number}", **record} for number in range(20)]})
    asked, reasons = run_by_hand(STALLED[entity]([str(number) for number in range(20)]), pending, reply(200, False))
    assert [request.path for request in asked] == [f"/api/{entity}", "/api/checkBackgroundProcessing"]
    assert set(reasons.values()) == {NOBODY_SERVES}
    assert len(reasons) == 20


def test_one_import_that_cannot_be_counted_disturbs_no_other(served, hook):
    of_feed(served, "ImportJob", running=0, createdCount=None, values={"id": "bad"})
    served.fail("status", path="/api/ImportJob/bad/recordCounters", status=403, times=9)
    good, bad = (Waiter(key, time.time() + 9, 0.05) for key in (seeded("ImportJob", running=0)(served), "bad"))
    hook.run(poll(IMPORT_JOB, {good, bad}))
    assert good.outcome(IMPORT_JOB).state == "Success"
    with pytest.raises(Forbidden):
        bad.outcome(IMPORT_JOB)


def test_a_broken_server_is_no_answer(served, hook):
    served.fail("status", path="/api/Job", status=500)
    with pytest.raises(Broken):
        seen(hook, JOB, "a")
