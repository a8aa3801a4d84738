"""Scheduled jobs and actions of the fake AtroCore server."""

from __future__ import annotations

from tests.sandbox.atrocore.client import client_of_core, list_records


def test_a_scheduled_job_needs_a_crontab(served):
    client = client_of_core(served, "1.10.30")
    body = {"id": "s", "name": "Nightly", "job": "ImportFeed", "scheduling": "0 2 * * *"}
    assert client.call("POST", "/ScheduledJob", body).status_code == 200
    reply = client.call("POST", "/ScheduledJob", {**body, "id": "t", "scheduling": "nonsense"})
    assert (reply.status_code, reply.text) == (500, "Wrong crontab configuration")


def test_a_run_of_a_scheduled_job_is_a_job(served):
    client = client_of_core(served, "1.10.30")
    client.served.seed({"cron": False, "records": {"ScheduledJob": [{"id": "s", "name": "Nightly"}]}})
    assert client.call("POST", "/ScheduledJob/action/executeNow", {"id": "s"}).json() is True
    assert [(job["name"], job["status"]) for job in list_records(client, "Job")] == [("Nightly", "Pending")]


def test_scheduled_jobs_since_2_3(newest):
    newest.served.seed({"records": {"ScheduledJob": [{"id": "s", "name": "Nightly"}]}})
    assert newest.call("POST", "/ScheduledJob/s/executeNow", {}).json() is True
    assert newest.call("POST", "/ScheduledJob/unknown/executeNow", {}).status_code == 404


def test_actions_have_nothing_to_run_on(served):
    actions = {"Action": [{"id": "a", "name": "Run", "type": "import", "inBackground": True}]}
    old = client_of_core(served, "1.10.30")
    old.served.seed({"records": actions})
    found = old.call("POST", "/Action/action/executeNow", {"actionId": "a"}).json()
    assert (found["success"], found["inBackground"]) == (False, True)
    new = client_of_core(served, "2.3.16", "2.3")
    assert new.call("POST", "/Action/a/import", {}).json()["success"] is False
    assert new.call("POST", "/Action/unknown/import", {}).status_code == 500
