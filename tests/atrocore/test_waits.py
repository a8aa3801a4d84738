"""The wait specs, with the fake server: observations, cancels, and reasons of stalls."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.waits import (
    EXPORT_JOB,
    IMPORT_JOB,
    JOB,
    NO_BACKGROUND_PROCESSING,
    cancel_export,
    explain_stalled_exports,
    explain_stalled_imports,
    explain_stalled_jobs,
)
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError, ServerError, WaitTimeoutError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.loop import poll, wait_in_worker
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.wait_cases import create_job
from tests.conftest import Served

WAIT_SPECS = {"Job": JOB, "ImportJob": IMPORT_JOB, "ExportJob": EXPORT_JOB}
EXPLAIN = {"Job": explain_stalled_jobs, "ImportJob": explain_stalled_imports, "ExportJob": explain_stalled_exports}
STATE_FIELDS = {"Job": "status", "ImportJob": "state", "ExportJob": "state"}
LONG_AGO = "2020-01-01 00:00:00"
RUN = WaitKey("f", (LONG_AGO,)).to_text()
every_kind = pytest.mark.parametrize("entity", WAIT_SPECS)
kinds_with_feeds = pytest.mark.parametrize("entity", ["ImportJob", "ExportJob"])


def observe(hook: AtrocoreHook, wait_spec: WaitSpec, *keys: str) -> dict[str, Observation]:
    return dict(hook.run(wait_spec.refresh(keys)))


def add_job_of_feed(served: Served, entity: str, **schedule: Any) -> None:
    """Add a job of the feed "f"."""
    values = {"importFeedId" if entity == "ImportJob" else "exportFeedId": "f", **schedule.pop("values", {})}
    served.seed({"jobs": [{"entity": entity, "values": values, **schedule}]})


# states


@every_kind
def test_each_state_has_its_observation(served, hook, entity):
    field, wait_spec = STATE_FIELDS[entity], WAIT_SPECS[entity]
    success, failed = (create_job(entity, running=0, **{field: state})(served) for state in ("Success", "Failed"))
    cancelled = create_job(entity, running=0, **{field: "Canceled"})(served)
    pending, running = create_job(entity, pending=3600)(served), create_job(entity, running=3600)(served)
    found = observe(hook, wait_spec, success, failed, cancelled, pending, running, "nosuch")
    assert {key: (observation.state, observation.done) for key, observation in found.items()} == {
        success: ("Success", True),
        failed: ("Failed", True),
        cancelled: ("Canceled", True),
        pending: ("Pending", False),
        running: ("Running", False),
        "nosuch": (MISSING.state, True),
    }
    with_failure = {key for key, observation in found.items() if "failure" in observation.details}
    assert with_failure == {failed, cancelled}


def test_a_job_that_awaits_another_job_is_not_done(served, hook):
    served.seed({"jobs": [{"entity": "Job", "values": {"id": "j", "status": "Awaiting"}, "pending": 3600}]})
    assert observe(hook, JOB, "j") == {"j": Observation("Awaiting", done=False)}


@every_kind
def test_many_jobs_are_observed_with_one_request(entity):
    keys = [f"{number:032x}" for number in range(20)]
    requests, _ = run_by_hand(WAIT_SPECS[entity].refresh(keys), reply(200, {"list": []}))
    assert [request.path for request in requests] == [f"/api/{entity}"]


@every_kind
def test_a_purged_job_is_missing(served, hook, entity):
    done = create_job(entity, running=0)(served)
    assert observe(hook, WAIT_SPECS[entity], done)[done].done
    served.seed({"purge": True})
    assert observe(hook, WAIT_SPECS[entity], done) == {done: MISSING}


@every_kind
def test_in_the_oldest_dialect_the_route_does_not_exist(served, hook, entity):
    served.seed({"dialect": "espo"})
    with pytest.raises(NotFoundError, match="servers with the dialect espo have no such route"):
        observe(hook, WAIT_SPECS[entity], "a")


def test_exports_can_be_cancelled_and_each_spec_has_its_stall_reasons():
    assert (JOB.cancel, IMPORT_JOB.cancel, EXPORT_JOB.cancel) == (None, None, cancel_export)
    assert {entity: wait_spec.stall_reasons for entity, wait_spec in WAIT_SPECS.items()} == EXPLAIN


def test_messages_show_the_feed_of_a_run_and_not_its_key():
    assert [IMPORT_JOB.describe(RUN), EXPORT_JOB.describe(RUN)] == ["import f", "export f"]


@kinds_with_feeds
def test_a_key_without_a_condition_is_the_id_of_a_job(served, hook, entity):
    job_id = create_job(entity, running=3600)(served)
    found = observe(hook, WAIT_SPECS[entity], WaitKey(job_id).to_text(), WaitKey("nosuch").to_text())
    assert [observation.state for observation in found.values()] == [MISSING.state, "Running"]


# upserts


def test_the_items_of_an_upsert_are_read_from_the_message(served, hook):
    items = json.dumps([{"status": "Created"}, {"status": "Failed", "message": "no name"}])
    values = {"id": "j", "type": "Upsert"}
    served.seed({"jobs": [{"entity": "Job", "values": values, "running": 0, "message": items}]})
    details = {"items": {"Created": 1, "Failed": 1}, "failures": [{"item": 1, "message": "no name"}]}
    assert observe(hook, JOB, "j") == {"j": Observation("Success", True, details)}


# runs


@kinds_with_feeds
def test_a_run_is_done_when_it_has_a_job_and_all_have_ended(served, hook, entity):
    wait_spec = WAIT_SPECS[entity]
    assert observe(hook, wait_spec, RUN) == {}
    add_job_of_feed(served, entity, pending=3600, values={"id": "a"})
    assert observe(hook, wait_spec, RUN) == {RUN: Observation("Pending", done=False)}
    add_job_of_feed(served, entity, running=0)
    assert observe(hook, wait_spec, RUN) == {RUN: Observation("Running", done=False)}
    served.seed({"purge": True})
    add_job_of_feed(served, entity, running=0, values={"id": "a"})
    found = observe(hook, wait_spec, RUN)[RUN]
    assert (found.state, found.done, found.details["jobs"]) == ("Success", True, 1)


@kinds_with_feeds
def test_jobs_of_other_feeds_and_of_earlier_runs_do_not_count(served, hook, entity):
    add_job_of_feed(served, entity, running=0, values={"createdAt": LONG_AGO})
    served.seed({"jobs": [{"entity": entity, "values": {"importFeedId": "g", "exportFeedId": "g"}, "running": 0}]})
    assert observe(hook, WAIT_SPECS[entity], RUN) == {}


@kinds_with_feeds
def test_a_run_is_missing_after_its_jobs_were_purged(served, hook, entity):
    add_job_of_feed(served, entity, running=0)
    pending = PendingWait(RUN, time.time() + 60, 0.05)
    pending.update(observe(hook, WAIT_SPECS[entity], RUN)[RUN])
    served.seed({"purge": True})
    pending.update(observe(hook, WAIT_SPECS[entity], RUN).get(RUN))
    assert pending.observation == MISSING


def test_a_run_with_a_failed_job_has_failed(served, hook):
    add_job_of_feed(served, "ImportJob", running=0, createdCount=3, errorsCount=1)
    add_job_of_feed(served, "ImportJob", running=0, state="Failed", message="no file", values={"id": "bad"})
    counts = {"created": 3, "updated": 0, "deleted": 0, "skipped": 0, "errors": 1}
    failure = {"failure": "job bad: no file"}
    assert observe(hook, IMPORT_JOB, RUN) == {RUN: Observation("Failed", True, {"jobs": 2, **counts, **failure})}


def test_counters_that_the_record_lacks_are_read_separately(served, hook):
    served.seed({"counters": {"i": {"createdCount": 7}}})
    add_job_of_feed(served, "ImportJob", running=0, createdCount=None, values={"id": "i"})
    assert observe(hook, IMPORT_JOB, "i")["i"].details["created"] == 7


def test_a_split_import_is_done_when_its_parts_are(served, hook):
    served.seed({"records": {"ImportFeed": [{"id": "f", "name": "Prices"}]}})
    served.seed({"runs": {"f": [{"createdCount": 2, "running": 0}, {"createdCount": 3, "pending": 3600}]}})
    assert hook.run(run_import("f"))
    parent = next(job["id"] for job in hook.list_records("ImportJob") if not job.get("parentId"))
    assert observe(hook, IMPORT_JOB, parent, RUN) == dict.fromkeys([parent, RUN], Observation("Running", done=False))


def test_an_export_is_not_done_while_more_of_its_jobs_are_created(served, hook):
    add_job_of_feed(served, "ExportJob", running=0, fileId="first", count=5)
    creator = {"type": "ExportJobCreator", "payload": {"feed": {"id": "f"}}}
    served.seed({"jobs": [{"entity": "Job", "values": {"id": "creator", **creator}, "running": 3600}]})
    assert observe(hook, EXPORT_JOB, RUN) == {RUN: Observation("Running", done=False)}
    served.seed({"advance_seconds": 3600})
    assert observe(hook, EXPORT_JOB, RUN) == {
        RUN: Observation("Success", True, {"jobs": 1, "file_ids": ["first"], "records": 5})
    }


def test_exports_can_be_observed_without_permission_for_the_queue(served, hook):
    add_job_of_feed(served, "ExportJob", running=0)
    served.fail("status", path="/api/Job", status=403)
    assert observe(hook, EXPORT_JOB, RUN)[RUN].done


def run_import(feed_id: str) -> Flow[Any]:
    """Run a feed, which no flow of the provider does."""
    return (yield Request("POST", f"/api/ImportFeed/{feed_id}/runImport", json={})).json()


# cancels


@pytest.mark.parametrize("dialect", ["2.3", "1.x-2.2"])
@pytest.mark.parametrize("key", ["a", RUN])
def test_unfinished_exports_are_cancelled(served, hook, key, dialect):
    served.seed({"dialect": dialect})
    add_job_of_feed(served, "ExportJob", running=3600, values={"id": "a"})
    add_job_of_feed(served, "ExportJob", running=0, values={"id": "done"})
    hook.run(cancel_export(key))
    assert [hook.get_record("ExportJob", job_id)["state"] for job_id in ("a", "done")] == ["Canceled", "Success"]


# stalls


@every_kind
def test_the_wait_for_a_job_ends_if_the_queue_is_not_processed(served, hook, entity):
    served.seed({"cron": False})
    key = create_job(entity)(served)
    wait_spec = WAIT_SPECS[entity]._replace(stall_after=0.05)
    message = rf"does not run \(cron or daemon\): gave up after .* waiting for {wait_spec.label} {key}"
    with pytest.raises(WaitTimeoutError, match=message):
        wait_in_worker(hook, wait_spec, PendingWait(key, time.time() + 60, 0.05))


@kinds_with_feeds
def test_a_run_without_jobs_is_stalled_if_the_queue_is_not_processed(served, hook, entity):
    served.seed({"cron": False})
    assert hook.run(EXPLAIN[entity]([RUN])) == {RUN: NO_BACKGROUND_PROCESSING}


@every_kind
def test_a_pending_job_is_not_stalled_if_the_queue_is_processed(served, hook, entity):
    key = create_job(entity, pending=3600)(served)
    assert hook.run(EXPLAIN[entity]([key])) == {}


@every_kind
def test_for_running_and_missing_jobs_the_queue_is_not_checked(served, hook, entity):
    running = create_job(entity, running=3600)(served)
    assert observe(hook, WAIT_SPECS[entity], running)[running].state == "Running"
    served.seed({"cron": False})
    served.fail("status", path="/api/checkBackgroundProcessing", status=500, times=9)
    assert hook.run(EXPLAIN[entity]([running, "nosuch"])) == {}


@every_kind
@pytest.mark.parametrize("status", [403, 404])
def test_no_job_is_stalled_if_the_check_of_the_queue_is_rejected(served, hook, entity, status):
    served.seed({"cron": False})
    served.fail("status", path="/api/checkBackgroundProcessing", status=status)
    assert hook.run(EXPLAIN[entity]([create_job(entity)(served)])) == {}


@every_kind
def test_no_job_is_stalled_if_the_list_is_rejected(served, hook, entity):
    key = create_job(entity, pending=3600)(served)
    served.fail("status", path=f"/api/{entity}", status=403)
    assert hook.run(EXPLAIN[entity]([key])) == {}


@every_kind
def test_the_queue_is_checked_once_for_all_jobs(entity):
    record = {STATE_FIELDS[entity]: "Pending", "createdAt": LONG_AGO}
    pending = reply(200, {"list": [{"id": f"{number}", **record} for number in range(20)]})
    requests, reasons = run_by_hand(EXPLAIN[entity]([str(number) for number in range(20)]), pending, reply(200, False))
    assert [request.path for request in requests] == [f"/api/{entity}", "/api/checkBackgroundProcessing"]
    assert set(reasons.values()) == {NO_BACKGROUND_PROCESSING}
    assert len(reasons) == 20


# errors


def test_an_import_without_readable_counters_does_not_affect_others(served, hook):
    add_job_of_feed(served, "ImportJob", running=0, createdCount=None, values={"id": "bad"})
    served.fail("status", path="/api/ImportJob/bad/recordCounters", status=403, times=9)
    keys = create_job("ImportJob", running=0)(served), "bad"
    good, bad = (PendingWait(key, time.time() + 60, 0.05) for key in keys)
    hook.run(poll(IMPORT_JOB, {good, bad}))
    assert good.outcome(IMPORT_JOB).state == "Success"
    with pytest.raises(PermissionDeniedError):
        bad.outcome(IMPORT_JOB)


def test_a_server_error_is_raised(served, hook):
    served.fail("status", path="/api/Job", status=500)
    with pytest.raises(ServerError):
        observe(hook, JOB, "a")
