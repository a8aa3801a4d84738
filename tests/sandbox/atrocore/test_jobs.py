"""Background jobs of the stand-in: imports, exports, the queue."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.atrocore.asking import listed, of_core


def job(served, entity, job_id, **course):
    served.seed({"jobs": [{"entity": entity, "values": {"id": job_id}, **course}]})


def feed(served, entity, *parts, **values):
    served.seed({"records": {entity: [{"id": "f", "name": "Prices", **values}]}, "runs": {"f": list(parts)}})


def state_of(client, entity, job_id):
    record = client.ask("GET", f"/{entity}/{job_id}").json()
    return record["status" if entity == "Job" else "state"]


def run_import(client):
    if client.dialect == "2.3":
        return client.ask("POST", "/ImportFeed/f/runImport", {})
    return client.ask("POST", "/ImportFeed/action/runImport", {"importFeedId": "f"})


def export_file(client):
    if client.dialect == "2.3":
        return client.ask("POST", "/ExportFeed/f/exportFile", {})
    return client.ask("POST", "/ExportFeed/action/exportFile", {"id": "f"})


def test_the_queue_came_with_core_1_12(served):
    assert of_core(served, "1.11.61").ask("GET", "/Job").status_code == 404
    assert of_core(served, "1.12.0").ask("GET", "/Job").json()["list"] == []


@pytest.mark.parametrize("entity", ["Job", "ImportJob", "ExportJob"])
def test_a_job_is_pending_then_running_then_what_it_ends_as(served, queue, entity):
    job(served, entity, "j", pending=0.2, running=0.2, **{"status" if entity == "Job" else "state": "Failed"})
    seen = []
    while "Failed" not in seen:
        seen.append(state_of(queue, entity, "j"))
        time.sleep(0.02)
    assert list(dict.fromkeys(seen)) == ["Pending", "Running", "Failed"]


def test_without_cron_a_job_stays_pending_and_the_server_says_why(served, newest):
    served.seed({"cron": False})
    job(served, "Job", "j", running=0)
    assert state_of(newest, "Job", "j") == "Pending"
    assert newest.ask("GET", "/checkBackgroundProcessing").json() is False
    served.seed({"cron": True})
    assert state_of(newest, "Job", "j") == "Success"
    assert newest.ask("GET", "/checkBackgroundProcessing").json() is True


@pytest.mark.parametrize(("core", "status"), [("2.3.13", 404), ("2.3.14", 200)])
def test_whether_cron_runs_is_told_since_2_3_14(served, core, status):
    assert of_core(served, core, "2.3").ask("GET", "/checkBackgroundProcessing").status_code == status


def test_a_run_of_a_feed_answers_true_and_names_no_job(served, queue):
    feed(served, "ImportFeed", {"running": 0, "createdCount": 3})
    assert run_import(queue).json() is True
    [found] = listed(queue, "ImportJob")
    assert (found["importFeedId"], found["state"], found["createdCount"]) == ("f", "Success", 3)


def test_a_run_of_a_feed_that_does_not_exist_is_unknown(queue):
    assert run_import(queue).status_code == 404
    assert export_file(queue).status_code == 404


def test_an_import_may_be_split_and_is_a_success_when_one_part_is(served, queue):
    feed(served, "ImportFeed", {"running": 0.1}, {"running": 0.1, "state": "Failed"})
    served.seed({"cron": False})
    run_import(queue)
    [parent] = listed(queue, "ImportJob")  # its parts are made by a job
    assert (parent["state"], [found["type"] for found in listed(queue, "Job")]) == ("Pending", ["ImportJobCreator"])
    served.seed({"cron": True})
    found = {one["id"]: one["state"] for one in listed(queue, "ImportJob")}
    assert found == dict.fromkeys(found, "Running")
    assert len(found) == 3
    time.sleep(0.1)
    assert sorted(one["state"] for one in listed(queue, "ImportJob")) == ["Failed", "Success", "Success"]
    assert state_of(queue, "ImportJob", parent["id"]) == "Success"


def test_the_jobs_of_an_export_are_made_in_the_background(served, queue):
    feed(served, "ExportFeed", {"running": 0, "count": 5}, {"running": 0, "count": 2})
    served.seed({"cron": False})
    assert export_file(queue).json() is True
    assert listed(queue, "ExportJob") == []
    [creator] = listed(queue, "Job")
    assert (creator["type"], creator["payload"]) == ("ExportJobCreator", {"feed": {"id": "f"}})
    served.seed({"cron": True})
    assert [(found["state"], found["count"]) for found in listed(queue, "ExportJob")] == [
        ("Success", 5),
        ("Success", 2),
    ]


def test_an_inactive_feed_exports_nothing_and_says_so(served, queue):
    feed(served, "ExportFeed", isActive=False)
    assert export_file(queue).json() is False
    assert listed(queue, "Job") == []


def test_counters_tell_what_the_record_does_not(served, queue):
    served.seed({"counters": {"i": {"createdCount": 4}}})
    job(served, "ImportJob", "i", running=0, createdCount=None, errorsCount=1)
    assert listed(queue, "ImportJob")[0]["createdCount"] is None
    assert queue.ask("GET", "/ImportJob/i/recordCounters").json() == {
        "id": "i",
        "state": "Success",
        "createdCount": 4,
        "updatedCount": 0,
        "deletedCount": 0,
        "skippedCount": 0,
        "errorsCount": 1,
    }


def test_only_what_is_under_way_can_be_cancelled(served, newest):
    job(served, "ExportJob", "e", running=99)
    job(served, "ExportJob", "done", running=0)
    assert newest.ask("POST", "/ExportJob/e/cancel").json() is True
    assert newest.ask("POST", "/ExportJob/e/cancel").json() is False
    assert newest.ask("POST", "/ExportJob/done/cancel").json() is False
    assert [state_of(newest, "ExportJob", job_id) for job_id in ("e", "done")] == ["Canceled", "Success"]


def test_export_jobs_can_be_cancelled_since_2_3(served):
    client = of_core(served, "2.2.31")
    job(served, "ExportJob", "e", running=99)
    assert client.ask("POST", "/ExportJob/e/cancel").status_code == 404


def test_old_jobs_are_purged(served, queue):
    job(served, "Job", "done", running=0)
    job(served, "Job", "running", running=99)
    assert len(listed(queue, "Job")) == 2
    served.seed({"purge": True})
    assert [found["id"] for found in listed(queue, "Job")] == ["running"]


def test_jobs_are_shown_on_the_page(served):
    job(served, "ExportJob", "e", running=99)
    [row] = served.tables()["jobs"]
    assert (row["entity"], row["state"], row["id"]) == ("ExportJob", "Running", "e")
