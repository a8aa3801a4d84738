"""The sensors of submissions and ingests against the sandbox."""

from __future__ import annotations

import hashlib

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from self_hosted.assemblyline.sensors import AssemblylineIngestSensor, AssemblylineSubmissionSensor
from tests.context import context, executed


def run(kind=AssemblylineSubmissionSensor, **arguments):
    """Return the result of a sensor, in a worker or deferred."""
    usual = {"task_id": "wait", "deferrable": False, "poke_interval": 0.05, "timeout": 60}
    return executed(lambda: kind(**{**usual, **arguments}))


in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True])


@in_worker_and_deferred
def test_it_waits_and_returns_the_same_result_as_the_operator(served, submitted, deferrable):
    sid = submitted("RIG-SCORE:1200")
    assert run(sid=sid, deferrable=deferrable) == {
        "sid": sid,
        "sha256": hashlib.sha256(b"RIG-SCORE:1200").hexdigest(),
        "state": "completed",
        "max_score": 1200,
        "verdict": "malicious",
        "file_count": 1,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }


@pytest.mark.parametrize("limit", [{"fail_on_score": 700}, {"fail_on_verdict": "highly_suspicious"}])
def test_a_reached_limit_fails_the_task(submitted, limit):
    with pytest.raises(AirflowFailException, match="is malicious"):
        run(sid=submitted("RIG-SCORE:1200"), **limit)


def test_with_soft_fail_it_skips(submitted):
    with pytest.raises(AirflowSkipException):
        run(sid=submitted("RIG-SCORE:1200"), fail_on_score=1, soft_fail=True)


def test_a_submission_that_does_not_exist_is_a_clear_error(conn_id):
    with pytest.raises(AirflowFailException, match="submission nosuch does not exist"):
        run(sid="nosuch")


@in_worker_and_deferred
def test_its_timeout_does_not_cancel_the_submission(served, submitted, deferrable):
    sid = submitted("RIG-SLEEP:60")
    with pytest.raises(AirflowSensorTimeout, match="its last state is 'submitted'"):
        run(sid=sid, deferrable=deferrable, timeout=0.2)
    assert [row["sid"] for row in served.tables()["submissions"]] == [sid]


@pytest.mark.parametrize("arguments", [{"sid": ""}, {"sid": "None"}, {"sid": "a", "fail_on_verdict": "bad"}])
def test_an_invalid_argument_of_the_submission_sensor_is_named(conn_id, arguments):
    with pytest.raises(AirflowFailException, match=r"sid must|fail_on_verdict must"):
        run(**arguments)


# Ingests


def run_ingest(ingest_id, **arguments):
    return run(AssemblylineIngestSensor, ingest_id=ingest_id, **arguments)


@in_worker_and_deferred
def test_it_waits_for_the_submission_of_an_ingest(served, ingested, deferrable):
    ingest_id = ingested("RIG-SCORE:1200 RIG-SLEEP:0.3")
    result = run_ingest(ingest_id, deferrable=deferrable)
    [row] = served.tables()["submissions"]
    assert result == {
        "ingest_id": ingest_id,
        "sid": row["sid"],
        "sha256": hashlib.sha256(b"RIG-SCORE:1200 RIG-SLEEP:0.3").hexdigest(),
        "state": "completed",
        "max_score": 1200,
        "verdict": "malicious",
        "file_count": 1,
        "error_count": 0,
        "deduplicated": False,
        "url": f"{served.base_url}/submission/detail/{row['sid']}",
    }


def test_an_ingest_of_a_known_file_ends_with_the_earlier_analysis(served, ingested, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.submissions.ingests.SETTLED_BEFORE", "now")
    ingested("RIG-SCORE:7")
    digest = hashlib.sha256(b"RIG-SCORE:7").hexdigest()
    result = run_ingest(ingested("RIG-SCORE:7"), sha256=digest.upper())
    assert (result["max_score"], result["deduplicated"]) == (7, True)


def test_a_reached_limit_of_an_ingest_fails_the_task(ingested):
    with pytest.raises(AirflowFailException, match="is malicious"):
        run_ingest(ingested("RIG-SCORE:1200"), fail_on_verdict="suspicious")


def test_an_ingest_that_never_becomes_a_submission_times_out(conn_id):
    with pytest.raises(AirflowSensorTimeout, match=r"waiting for ingest nosuch: it was never found"):
        run_ingest("nosuch", timeout=0.2)


def test_an_ingest_whose_submission_is_deleted_is_a_clear_error(served, hook, ingested):
    ingest_id = ingested("RIG-SLEEP:60")
    [row] = served.tables()["submissions"]
    hook.cancel_submission(row["sid"])
    served.product.store.submissions[row["sid"]].completed_at = 0
    with pytest.raises(AirflowFailException, match=f"ingest {ingest_id} does not exist"):
        run_ingest(ingest_id)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ingest_id": ""}, "ingest_id must"),
        ({"ingest_id": "None"}, "ingest_id must"),
        ({"ingest_id": "a", "sha256": "abc"}, "sha256 must be 64 hexadecimal digits"),
        ({"ingest_id": "a", "fail_on_score": "many"}, "fail_on_score must"),
    ],
)
def test_an_invalid_argument_of_the_ingest_sensor_is_named(conn_id, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run_ingest(**arguments)


def test_sensors_log_how_many_services_failed(submitted, ingested, caplog):
    for sensor in (
        AssemblylineSubmissionSensor(task_id="t", sid=submitted("RIG-FAIL"), poke_interval=0.02),
        AssemblylineIngestSensor(task_id="t", ingest_id=ingested("RIG-FAIL"), poke_interval=0.02),
    ):
        sid = sensor.execute(context(sensor))["sid"]
        assert f"1 services failed on submission {sid}" in caplog.text
