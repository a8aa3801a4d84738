"""The sensors, against the stand-in: in a worker, and deferred."""

from __future__ import annotations

import json
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
STATE = {"Job": "status", "ImportJob": "state", "ExportJob": "state"}
LONG_AGO = "2020-01-01 00:00:00"
FEED = {"importFeedId": "f", "exportFeedId": "f"}
every_sensor = pytest.mark.parametrize("entity", SENSORS)
in_both_places = pytest.mark.parametrize("deferrable", [False, True])


@pytest.fixture
def run(served, connect):
    """Run a sensor, with its trigger when it defers."""
    connect("atrocore_default", served.connection())

    def run(entity: str, **arguments: Any) -> Any:
        given = {"poke_interval": 0.05, "timeout": 10, "deferrable": False, **arguments}
        return executed(lambda: SENSORS[entity](task_id="wait", **given))

    return run


@pytest.fixture
def job(served):
    """One more job, that takes a moment: ``job("ImportJob", "i", state="Failed")``."""

    def make(entity: str, job_id: str, **course: Any) -> None:
        values = {"id": job_id, **FEED, **course.pop("values", {})}
        served.seed({"jobs": [{"entity": entity, "values": values, "running": 0.2, **course}]})

    return make


# what is returned


@in_both_places
def test_a_job_of_the_queue_is_waited_for(served, run, job, deferrable):
    job("Job", "j", message="5 records updated")
    assert run("Job", job_id="j", deferrable=deferrable) == {
        "job_id": "j",
        "state": "Success",
        "message": "5 records updated",
        "url": f"{served.base_url}/#Job/view/j",
    }


@in_both_places
@pytest.mark.parametrize(
    ("chosen", "page"),
    [({"job_id": "i"}, "ImportJob/view/i"), ({"feed_id": "f", "after": LONG_AGO}, "ImportFeed/view/f")],
)
def test_an_import_is_waited_for_by_its_job_or_its_feed(served, run, job, deferrable, chosen, page):
    job("ImportJob", "i", createdCount=3, updatedCount=2)
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


@in_both_places
@pytest.mark.parametrize(
    ("chosen", "page"),
    [({"job_id": "e"}, "ExportJob/view/e"), ({"feed_id": "f", "after": LONG_AGO}, "ExportFeed/view/f")],
)
def test_an_export_is_waited_for_by_its_job_or_its_feed(served, run, job, deferrable, chosen, page):
    job("ExportJob", "e", fileId="a-file", count=12)
    assert run("ExportJob", **chosen, deferrable=deferrable) == {
        "state": "Success",
        "jobs": 1,
        "file_ids": ["a-file"],
        "records": 12,
        "url": f"{served.base_url}/#{page}",
    }


@in_both_places
def test_a_run_of_several_jobs_is_one_result(run, job, deferrable):
    job("ImportJob", "i", createdCount=3)
    job("ImportJob", "k", createdCount=4, running=0.4)
    result = run("ImportJob", feed_id="f", after=LONG_AGO, deferrable=deferrable)
    assert (result["jobs"], result["created"]) == (2, 7)


@pytest.mark.parametrize("after", ["2026-06-01 14:30:00+02:00", "2026-06-01T12:30:00Z", "2026-06-01 12:30:00"])
def test_a_moment_may_be_written_with_its_time_zone(run, job, after):
    job("ImportJob", "before", values={"createdAt": "2026-06-01 12:30:00"})
    job("ImportJob", "after", values={"createdAt": "2026-06-01 12:30:01"})
    assert run("ImportJob", feed_id="f", after=after)["jobs"] == 1


# what fails


@in_both_places
@every_sensor
@pytest.mark.parametrize("ending", ["Failed", "Canceled"])
def test_a_job_that_does_not_succeed_fails_the_task_with_its_words_and_its_page(run, job, deferrable, entity, ending):
    words = "stateMessage" if entity == "ExportJob" else "message"
    job(entity, "j", **{STATE[entity]: ending, words: "No such file."})
    with pytest.raises(
        AirflowFailException, match=rf"job j ended as {ending}: .*No such file\.; see .*#{entity}/view/j"
    ):
        run(entity, job_id="j", deferrable=deferrable)


@in_both_places
@pytest.mark.parametrize("entity", ["ImportJob", "ExportJob"])
def test_one_job_of_a_run_that_failed_fails_the_task(run, job, deferrable, entity):
    job(entity, "good")
    job(entity, "bad", state="Failed")
    with pytest.raises(AirflowFailException, match=r"the run of feed f after .* ended as Failed: job bad: no reason"):
        run(entity, feed_id="f", after=LONG_AGO, deferrable=deferrable)


@in_both_places
@every_sensor
def test_a_job_that_is_not_there_is_a_clear_error(run, deferrable, entity):
    with pytest.raises(AirflowFailException, match="job nosuch is not there, or not any more"):
        run(entity, job_id="nosuch", deferrable=deferrable)


@in_both_places
def test_a_run_that_never_begins_is_waited_for_in_vain(run, deferrable):
    with pytest.raises(AirflowSensorTimeout, match=f"import job feed/f/{LONG_AGO}, for .* it was never seen"):
        run("ImportJob", feed_id="f", after=LONG_AGO, deferrable=deferrable, timeout=0.2)


@in_both_places
@every_sensor
def test_with_soft_fail_it_skips_instead(run, job, deferrable, entity):
    job(entity, "j", **{STATE[entity]: "Failed"})
    with pytest.raises(AirflowSkipException):
        run(entity, job_id="j", deferrable=deferrable, soft_fail=True)


# how much may fail

UPSERT = json.dumps([{"status": "Created"}] * 3 + [{"status": "Failed", "message": "no name"}])


@in_both_places
def test_items_of_an_upsert_that_failed_fail_the_task(run, job, deferrable):
    job("Job", "j", values={"type": "Upsert"}, message=UPSERT)
    words = "1 of 4 items of job j failed, the first is number 3: no name; see .*#Job/view/j"
    with pytest.raises(AirflowFailException, match=words):
        run("Job", job_id="j", deferrable=deferrable)


@pytest.mark.parametrize("fail_on", ["never", 0.25, "0.5"])
def test_items_of_an_upsert_may_be_allowed_to_fail(run, job, fail_on):
    job("Job", "j", values={"type": "Upsert"}, message=UPSERT)
    result = run("Job", job_id="j", fail_on=fail_on)
    assert result["items"] == {"Created": 3, "Failed": 1}
    assert result["failures"] == [{"item": 3, "message": "no name"}]


@in_both_places
def test_rows_of_an_import_that_failed_fail_the_task_though_the_job_is_a_success(run, job, deferrable):
    job("ImportJob", "i", createdCount=9, errorsCount=1)
    with pytest.raises(AirflowFailException, match=r"1 of 10 rows of job i failed; see .*#ImportJob/view/i"):
        run("ImportJob", job_id="i", deferrable=deferrable)


def test_rows_of_an_import_may_be_allowed_to_fail(run, job):
    job("ImportJob", "i", createdCount=9, errorsCount=1)
    assert run("ImportJob", job_id="i", fail_on="0.1")["errors"] == 1
    with pytest.raises(AirflowFailException):
        run("ImportJob", job_id="i", fail_on="0.09")


# arguments


@pytest.mark.parametrize(
    ("entity", "arguments", "words"),
    [
        ("Job", {"job_id": ""}, "job_id must be an id, not ''"),
        ("Job", {"job_id": 7}, "job_id must be an id, not 7"),
        ("Job", {"job_id": "j", "fail_on": "some"}, "fail_on: must be any, never, or a share"),
        ("ImportJob", {}, "give either job_id, or feed_id and after"),
        ("ImportJob", {"job_id": "i", "feed_id": "f"}, "give either job_id, or feed_id and after"),
        ("ImportJob", {"job_id": "i", "after": LONG_AGO}, "give either job_id, or feed_id and after"),
        ("ImportJob", {"after": LONG_AGO}, "feed_id must be an id, not None"),
        ("ImportJob", {"job_id": "feed/f"}, "job_id must be an id, not 'feed/f'"),
        ("ImportJob", {"job_id": "i", "fail_on": 2}, "fail_on: must be any, never, or a share"),
        ("ExportJob", {"feed_id": "a/b", "after": LONG_AGO}, "feed_id must be an id"),
        ("ExportJob", {"feed_id": "f"}, "after must be a moment such as 2026-06-01 12:30:00"),
        ("ExportJob", {"feed_id": "f", "after": "yesterday"}, "not 'yesterday'"),
    ],
)
def test_a_wrong_argument_is_named(run, entity, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(entity, **arguments)
