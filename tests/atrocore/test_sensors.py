"""The sensors, with the fake server: in a worker, and deferred."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from self_hosted.atrocore.sensors import AtrocoreExportJobSensor, AtrocoreImportJobSensor, AtrocoreJobSensor
from tests.context import executed

SENSORS = {"Job": AtrocoreJobSensor, "ImportJob": AtrocoreImportJobSensor, "ExportJob": AtrocoreExportJobSensor}
STATE_FIELDS = {"Job": "status", "ImportJob": "state", "ExportJob": "state"}
LONG_AGO = "2020-01-01 00:00:00"
FEED = {"importFeedId": "f", "exportFeedId": "f"}
every_sensor = pytest.mark.parametrize("entity", SENSORS)
in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True])


@pytest.fixture
def run(served, connect):
    """Run a sensor, and its trigger if it defers."""
    connect("atrocore_default", served.connection())

    def run(entity: str, **arguments: Any) -> Any:
        given = {"poke_interval": 0.05, "timeout": 10, "deferrable": False, **arguments}
        return executed(lambda: SENSORS[entity](task_id="wait", **given))

    return run


@pytest.fixture
def add_job(served):
    """Add a job that runs for a moment: ``add_job("ImportJob", "i", state="Failed")``."""

    def add(entity: str, job_id: str, **schedule: Any) -> None:
        values = {"id": job_id, **FEED, **schedule.pop("values", {})}
        served.seed({"jobs": [{"entity": entity, "values": values, "running": 0.2, **schedule}]})

    return add


# results


@in_worker_and_deferred
def test_the_result_of_a_job_of_the_queue(served, run, add_job, deferrable):
    add_job("Job", "j", message="5 records updated")
    assert run("Job", job_id="j", deferrable=deferrable) == {
        "job_id": "j",
        "state": "Success",
        "message": "5 records updated",
        "url": f"{served.base_url}/#Job/view/j",
    }


@in_worker_and_deferred
@pytest.mark.parametrize(
    ("chosen", "page"),
    [({"job_id": "i"}, "ImportJob/view/i"), ({"feed_id": "f", "after": LONG_AGO}, "ImportFeed/view/f")],
)
def test_the_result_of_an_import_job_or_run(served, run, add_job, deferrable, chosen, page):
    add_job("ImportJob", "i", createdCount=3, updatedCount=2)
    assert run("ImportJob", **chosen, deferrable=deferrable) == {
        "state": "Success",
        "jobs": 1,
        "created": 3,
        "updated": 2,
        "deleted": 0,
        "skipped": 0,
        "errors": 0,
        "url": f"{served.base_url}/#{page}",
    }


@in_worker_and_deferred
@pytest.mark.parametrize(
    ("chosen", "page"),
    [({"job_id": "e"}, "ExportJob/view/e"), ({"feed_id": "f", "after": LONG_AGO}, "ExportFeed/view/f")],
)
def test_the_result_of_an_export_job_or_run(served, run, add_job, deferrable, chosen, page):
    add_job("ExportJob", "e", fileId="a-file", count=12)
    assert run("ExportJob", **chosen, deferrable=deferrable) == {
        "state": "Success",
        "jobs": 1,
        "file_ids": ["a-file"],
        "records": 12,
        "url": f"{served.base_url}/#{page}",
    }


def test_the_jobs_of_a_run_have_one_result(run, add_job):
    add_job("ImportJob", "i", createdCount=3)
    add_job("ImportJob", "k", createdCount=4, running=0.4)
    result = run("ImportJob", feed_id="f", after=LONG_AGO)
    assert (result["jobs"], result["created"]) == (2, 7)


@pytest.mark.parametrize(
    "after",
    [
        "2026-06-01 14:30:00+02:00",
        "2026-06-01T12:30:00Z",
        "2026-06-01 12:30:00",
        datetime(2026, 6, 1, 12, 30, tzinfo=UTC),
    ],
)
def test_a_baseline_may_have_a_time_zone(run, add_job, after):
    add_job("ImportJob", "before", values={"createdAt": "2026-06-01 12:30:00"})
    add_job("ImportJob", "after", values={"createdAt": "2026-06-01 12:30:01"})
    assert run("ImportJob", feed_id="f", after=after)["jobs"] == 1


def test_an_id_may_be_a_number(run, add_job):
    add_job("Job", "7", message="done")
    assert run("Job", job_id=7)["job_id"] == "7"


# failures


@in_worker_and_deferred
@every_sensor
def test_a_failed_job_fails_the_task_with_its_message_and_page(run, add_job, deferrable, entity):
    message_field = "stateMessage" if entity == "ExportJob" else "message"
    add_job(entity, "j", **{STATE_FIELDS[entity]: "Failed", message_field: "No such file."})
    with pytest.raises(AirflowFailException, match=rf"job j ended as Failed: .*No such file\.; see .*#{entity}/view/j"):
        run(entity, job_id="j", deferrable=deferrable)


@every_sensor
def test_a_cancelled_job_fails_the_task(run, add_job, entity):
    add_job(entity, "j", **{STATE_FIELDS[entity]: "Canceled"})
    with pytest.raises(AirflowFailException, match="job j ended as Canceled"):
        run(entity, job_id="j")


@pytest.mark.parametrize("entity", ["ImportJob", "ExportJob"])
def test_one_failed_job_of_a_run_fails_the_task(run, add_job, entity):
    add_job(entity, "good")
    add_job(entity, "bad", state="Failed")
    message = rf"the run of feed f after {LONG_AGO} ended as Failed: job bad: no reason given; see .*Feed/view/f"
    with pytest.raises(AirflowFailException, match=message):
        run(entity, feed_id="f", after=LONG_AGO)


@every_sensor
def test_a_missing_job_is_a_clear_error(run, entity):
    with pytest.raises(AirflowFailException, match=r"(job|import|export) nosuch does not exist \(any more\)"):
        run(entity, job_id="nosuch")


def test_a_run_that_never_begins_ends_in_a_timeout_whose_message_shows_no_key(run):
    with pytest.raises(AirflowSensorTimeout, match=r"timed out after .* waiting for import f: it was never found"):
        run("ImportJob", feed_id="f", after=LONG_AGO, timeout=0.2)


@every_sensor
def test_with_soft_fail_a_failure_skips_the_task(run, add_job, entity):
    add_job(entity, "j", **{STATE_FIELDS[entity]: "Failed"})
    with pytest.raises(AirflowSkipException):
        run(entity, job_id="j", soft_fail=True)


# failure threshold

UPSERT = json.dumps([{"status": "Created"}] * 3 + [{"status": "Failed", "message": "no name"}])


@in_worker_and_deferred
def test_failed_items_of_an_upsert_fail_the_task(run, add_job, deferrable):
    add_job("Job", "j", values={"type": "Upsert"}, message=UPSERT)
    message = "1 of 4 items of job j failed, the first is number 3: no name; see .*#Job/view/j"
    with pytest.raises(AirflowFailException, match=message):
        run("Job", job_id="j", deferrable=deferrable)


@pytest.mark.parametrize("fail_on", ["never", 0.25, "0.5"])
def test_items_of_an_upsert_may_be_allowed_to_fail(run, add_job, fail_on):
    add_job("Job", "j", values={"type": "Upsert"}, message=UPSERT)
    result = run("Job", job_id="j", fail_on=fail_on)
    assert result["items"] == {"Created": 3, "Failed": 1}
    assert result["failures"] == [{"item": 3, "message": "no name"}]


@in_worker_and_deferred
def test_failed_rows_of_a_successful_import_fail_the_task(run, add_job, deferrable):
    add_job("ImportJob", "i", createdCount=9, errorsCount=1)
    with pytest.raises(AirflowFailException, match=r"1 of 10 rows of job i failed; see .*#ImportJob/view/i"):
        run("ImportJob", job_id="i", deferrable=deferrable)


def test_rows_of_an_import_may_be_allowed_to_fail(run, add_job):
    add_job("ImportJob", "i", createdCount=9, errorsCount=1)
    assert run("ImportJob", job_id="i", fail_on="0.1")["errors"] == 1
    with pytest.raises(AirflowFailException):
        run("ImportJob", job_id="i", fail_on="0.09")


# arguments


@every_sensor
@pytest.mark.parametrize("job_id", ["", " ", "None"])
def test_a_missing_result_of_another_task_is_no_job_id(run, entity, job_id):
    with pytest.raises(AirflowFailException, match=f"job_id must be the id of a job, not {job_id!r}"):
        run(entity, job_id=job_id)


@pytest.mark.parametrize(
    ("entity", "arguments", "message"),
    [
        ("Job", {"job_id": None}, "job_id must be the id of a job, not None"),
        ("Job", {"job_id": "j", "fail_on": "some"}, "fail_on must be 'any', 'never' or a share"),
        ("ImportJob", {}, "give exactly one of job_id, feed_id, not none"),
        ("ImportJob", {"job_id": "i", "feed_id": "f"}, "give exactly one of job_id, feed_id, not job_id, feed_id"),
        ("ImportJob", {"job_id": "i", "after": LONG_AGO}, "after is valid with feed_id only"),
        ("ImportJob", {"after": LONG_AGO}, "give exactly one of job_id, feed_id, not none"),
        ("ImportJob", {"job_id": "i", "fail_on": 2}, "fail_on must be 'any', 'never' or a share"),
        ("ExportJob", {"feed_id": "None", "after": LONG_AGO}, "feed_id must be the id of a feed, not 'None'"),
        ("ExportJob", {"feed_id": "f"}, "after must be a timestamp in ISO 8601"),
        ("ExportJob", {"feed_id": "f", "after": "yesterday"}, "not 'yesterday'"),
        ("ExportJob", {"feed_id": "f", "after": "None"}, "not 'None'"),
    ],
)
def test_an_invalid_argument_is_named(run, entity, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(entity, **arguments)
