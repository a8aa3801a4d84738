"""Background jobs of the fake AtroCore server: imports, exports, the queue."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core, list_records


def seed_job(served, entity, job_id, **schedule):
    served.seed({"jobs": [{"entity": entity, "values": {"id": job_id}, **schedule}]})


def seed_feed(served, entity, *schedules, **values):
    served.seed({"records": {entity: [{"id": "f", "name": "Prices", **values}]}, "runs": {"f": list(schedules)}})


def state_of(client, entity, job_id):
    record = client.call("GET", f"/{entity}/{job_id}").json()
    return record["status" if entity == "Job" else "state"]


def run_import(client):
    if client.dialect == "2.3":
        return client.call("POST", "/ImportFeed/f/runImport", {})
    return client.call("POST", "/ImportFeed/action/runImport", {"importFeedId": "f"})


def export_file(client):
    if client.dialect == "2.3":
        return client.call("POST", "/ExportFeed/f/exportFile", {})
    return client.call("POST", "/ExportFeed/action/exportFile", {"id": "f"})


def test_the_queue_has_another_entity_before_1_12(served):
    old = client_of_core(served, "1.11.61")
    assert old.call("GET", "/QueueItem").json()["list"] == []
    assert old.call("POST", "/Job", {"name": "x"}).status_code == 403
    new = client_of_core(served, "1.12.0")
    assert new.call("GET", "/QueueItem").status_code == 404
    assert new.call("GET", "/Job").json()["list"] == []


@pytest.mark.parametrize("entity", ["Job", "ImportJob", "ExportJob"])
def test_a_job_is_pending_then_running_then_ended(served, queue, entity):
    state_field = "status" if entity == "Job" else "state"
    seed_job(served, entity, "j", pending=600, running=600, **{state_field: "Failed"})
    states = [state_of(queue, entity, "j")]
    for _ in range(2):
        served.seed({"advance_seconds": 600})
        states.append(state_of(queue, entity, "j"))
    assert states == ["Pending", "Running", "Failed"]


def test_without_cron_a_job_stays_pending(served, newest):
    served.seed({"cron": False})
    seed_job(served, "Job", "j", running=0)
    assert state_of(newest, "Job", "j") == "Pending"
    assert newest.call("GET", "/checkBackgroundProcessing").json() is False
    served.seed({"cron": True})
    assert state_of(newest, "Job", "j") == "Success"
    assert newest.call("GET", "/checkBackgroundProcessing").json() is True


def test_the_check_of_background_processing_exists_since_2_3_14(served):
    for core, status in (("2.3.13", 404), ("2.3.14", 200)):
        client = client_of_core(served, core, "2.3")
        assert client.call("GET", "/checkBackgroundProcessing").status_code == status, core


def test_a_run_of_a_feed_returns_true_without_the_id_of_its_job(served, queue):
    seed_feed(served, "ImportFeed", {"running": 0, "createdCount": 3})
    assert run_import(queue).json() is True
    [job] = list_records(queue, "ImportJob")
    assert (job["importFeedId"], job["state"], job["createdCount"]) == ("f", "Success", 3)


def test_a_run_of_a_missing_feed_has_status_404(queue):
    assert run_import(queue).status_code == 404
    assert export_file(queue).status_code == 404


def test_a_split_import_succeeds_if_one_part_succeeds(served, queue):
    seed_feed(served, "ImportFeed", {"running": 600}, {"running": 600, "state": "Failed"})
    served.seed({"cron": False})
    run_import(queue)
    [parent] = list_records(queue, "ImportJob")  # a background job creates the parts
    assert (parent["state"], [job["type"] for job in list_records(queue, "Job")]) == ("Pending", ["ImportJobCreator"])
    served.seed({"cron": True})
    states = {job["id"]: job["state"] for job in list_records(queue, "ImportJob")}
    assert states == dict.fromkeys(states, "Running")
    assert len(states) == 3
    served.seed({"advance_seconds": 600})
    assert sorted(job["state"] for job in list_records(queue, "ImportJob")) == ["Failed", "Success", "Success"]
    assert state_of(queue, "ImportJob", parent["id"]) == "Success"


def test_a_background_job_creates_the_jobs_of_an_export(served, queue):
    seed_feed(served, "ExportFeed", {"running": 0, "count": 5}, {"running": 0, "count": 2})
    served.seed({"cron": False})
    assert export_file(queue).json() is True
    assert list_records(queue, "ExportJob") == []
    [creator] = list_records(queue, "Job")
    assert (creator["type"], creator["payload"]) == ("ExportJobCreator", {"feed": {"id": "f"}})
    served.seed({"cron": True})
    jobs = [(job["state"], job["count"]) for job in list_records(queue, "ExportJob")]
    assert jobs == [("Success", 5), ("Success", 2)]


def test_an_inactive_feed_exports_nothing_and_returns_false(served, queue):
    seed_feed(served, "ExportFeed", isActive=False)
    assert export_file(queue).json() is False
    assert list_records(queue, "Job") == []


def test_record_counters_contain_values_that_the_record_does_not(served, queue):
    served.seed({"counters": {"i": {"createdCount": 4}}})
    seed_job(served, "ImportJob", "i", running=0, createdCount=None, errorsCount=1)
    assert list_records(queue, "ImportJob")[0]["createdCount"] is None
    assert queue.call("GET", "/ImportJob/i/recordCounters").json() == {
        "id": "i",
        "state": "Success",
        "createdCount": 4,
        "updatedCount": 0,
        "deletedCount": 0,
        "skippedCount": 0,
        "errorsCount": 1,
    }


def test_only_unfinished_jobs_can_be_cancelled(served, newest):
    seed_job(served, "ExportJob", "e", running=600)
    seed_job(served, "ExportJob", "done", running=0)
    assert newest.call("POST", "/ExportJob/e/cancel").json() is True
    assert newest.call("POST", "/ExportJob/e/cancel").json() is False
    assert newest.call("POST", "/ExportJob/done/cancel").json() is False
    assert [state_of(newest, "ExportJob", job_id) for job_id in ("e", "done")] == ["Canceled", "Success"]


@pytest.mark.parametrize("core", ["1.10.30", "2.2.31"])
def test_before_2_3_the_route_that_cancels_an_export_is_taken_for_a_relation(served, core):
    client = client_of_core(served, core)
    seed_job(served, "ExportJob", "e", running=600)
    assert client.call("POST", "/ExportJob/e/cancel", {}).status_code == 500
    assert state_of(client, "ExportJob", "e") == "Running"


@pytest.mark.parametrize("entity", ["ImportJob", "ExportJob"])
def test_before_2_3_only_unfinished_jobs_can_be_cancelled_by_their_state(served, entity):
    client = client_of_core(served, "1.10.30")
    seed_job(served, entity, "e", running=600)
    seed_job(served, entity, "done", running=0)
    assert client.call("PATCH", f"/{entity}/e", {"state": "Canceled"}).json()["state"] == "Canceled"
    assert client.call("PATCH", f"/{entity}/e", {"state": "Canceled"}).status_code == 304
    assert client.call("PATCH", f"/{entity}/done", {"state": "Canceled"}).status_code == 400
    assert state_of(client, entity, "done") == "Success"


def test_before_1_12_14_the_counters_are_fields_of_the_job_only(served):
    client = client_of_core(served, "1.10.30")
    seed_job(served, "ImportJob", "i", running=0, createdCount=3)
    assert client.call("GET", "/ImportJob/i").json()["createdCount"] == 3
    assert client.call("GET", "/ImportJob/i/recordCounters").status_code == 403
    unknown = client.call("GET", "/ImportJob/unknown/recordCounters")
    assert (unknown.status_code, unknown.json()) == (200, {"total": 0, "list": []})


def test_a_job_whose_work_fails_ends_as_failed(served, newest):
    served.seed({"poison": ["X"]})
    items = [{"entity": "Product", "payload": {"number": "X", "name": "x"}}]
    job_id = newest.call("POST", "/upsertAsync", items).json()["jobId"]
    served.seed({"advance_seconds": 60})
    job = newest.call("GET", f"/Job/{job_id}").json()
    assert (job["status"], "SQLSTATE" in job["message"]) == ("Failed", True)


def test_a_purge_removes_finished_jobs(served, queue):
    seed_job(served, "Job", "done", running=0)
    seed_job(served, "Job", "running", running=600)
    assert len(list_records(queue, "Job")) == 2
    served.seed({"purge": True})
    assert [job["id"] for job in list_records(queue, "Job")] == ["running"]


def test_the_page_shows_jobs(served):
    seed_job(served, "ExportJob", "e", running=600)
    [row] = served.tables()["jobs"]
    assert (row["entity"], row["state"], row["id"]) == ("ExportJob", "Running", "e")


def test_the_status_of_a_job_has_another_route_before_2_3(served):
    client = client_of_core(served, "2.2.31")
    seed_job(served, "Job", "j", running=600)
    status = client.call("GET", "/Job/action/massActionStatus", params={"id": "j"}).json()
    assert status == {"done": False, "errors": "", "message": ""}
