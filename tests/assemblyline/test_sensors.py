"""The sensor, against the stand-in."""

from __future__ import annotations

import hashlib

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from self_hosted.assemblyline.sensors import AssemblylineIngestSensor, AssemblylineSubmissionSensor
from tests.context import executed


def run(kind=AssemblylineSubmissionSensor, **arguments):
    """Run a sensor in a worker, or deferred."""
    usual = {"task_id": "wait", "deferrable": False, "poke_interval": 0.05, "timeout": 20}
    return executed(lambda: kind(**{**usual, **arguments}))


both = pytest.mark.parametrize("deferrable", [False, True])


@both
def test_it_waits_and_returns_what_the_operator_would(served, submitted, deferrable):
    sid = submitted("RIG-SCORE:1200")
    assert run(sid=sid, deferrable=deferrable) == {
        "sid": sid,
        "state": "completed",
        "max_score": 1200,
        "verdict": "malicious",
        "file_count": 1,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }


@both
@pytest.mark.parametrize("limit", [{"fail_on_score": 700}, {"fail_on_verdict": "highly_suspicious"}])
def test_a_score_or_verdict_to_fail_on_fails(submitted, deferrable, limit):
    with pytest.raises(AirflowFailException, match="is malicious"):
        run(sid=submitted("RIG-SCORE:1200"), deferrable=deferrable, **limit)


@both
def test_with_soft_fail_it_skips_instead(submitted, deferrable):
    with pytest.raises(AirflowSkipException):
        run(sid=submitted("RIG-SCORE:1200"), deferrable=deferrable, fail_on_score=1, soft_fail=True)


@both
def test_a_submission_that_does_not_exist_is_a_clear_error(conn_id, deferrable):
    with pytest.raises(AirflowFailException, match="submission nosuch is not there, or not any more"):
        run(sid="nosuch", deferrable=deferrable)


@both
def test_its_timeout_holds_and_leaves_the_submission_alone(served, submitted, deferrable):
    sid = submitted("RIG-SLEEP:60")
    with pytest.raises(AirflowSensorTimeout, match="its last seen state is 'submitted'"):
        run(sid=sid, deferrable=deferrable, timeout=0.2)
    assert [row["sid"] for row in served.tables()["submissions"]] == [sid]


@pytest.mark.parametrize("arguments", [{"sid": ""}, {"sid": 7}, {"sid": "a", "fail_on_verdict": "bad"}])
def test_a_wrong_argument_is_named(conn_id, arguments):
    with pytest.raises(AirflowFailException, match=r"sid must|fail_on_verdict must"):
        run(**arguments)


# Ingests


def run_ingest(ingest_id, **arguments):
    return run(AssemblylineIngestSensor, ingest_id=ingest_id, **arguments)


@both
def test_it_waits_for_what_came_of_an_ingest(served, ingested, deferrable):
    ingest_id = ingested("RIG-SCORE:1200 RIG-SLEEP:0.3")
    result = run_ingest(ingest_id, deferrable=deferrable)
    [row] = served.tables()["submissions"]
    assert result == {
        "ingest_id": ingest_id,
        "sid": row["sid"],
        "state": "completed",
        "max_score": 1200,
        "verdict": "malicious",
        "file_count": 1,
        "error_count": 0,
        "deduplicated": False,
        "url": f"{served.base_url}/submission/detail/{row['sid']}",
    }


@both
def test_a_known_file_is_answered_by_its_earlier_analysis(served, ingested, monkeypatch, deferrable):
    monkeypatch.setattr("self_hosted.assemblyline.api.ingests.SETTLED", "now")
    ingested("RIG-SCORE:7")
    digest = hashlib.sha256(b"RIG-SCORE:7").hexdigest()
    result = run_ingest(ingested("RIG-SCORE:7"), sha256=digest.upper(), deferrable=deferrable)
    assert (result["max_score"], result["deduplicated"]) == (7, True)


@both
def test_a_score_of_an_ingest_to_fail_on_fails(ingested, deferrable):
    with pytest.raises(AirflowFailException, match="is malicious"):
        run_ingest(ingested("RIG-SCORE:1200"), fail_on_verdict="suspicious", deferrable=deferrable)


@both
def test_an_ingest_that_never_becomes_a_submission_times_out(conn_id, deferrable):
    with pytest.raises(AirflowSensorTimeout, match=r"ingest nosuch, for .* it was never seen"):
        run_ingest("nosuch", deferrable=deferrable, timeout=0.2)


@both
def test_an_ingest_whose_submission_is_deleted_is_a_clear_error(served, hook, ingested, deferrable):
    ingest_id = ingested("RIG-SLEEP:60")
    [row] = served.tables()["submissions"]
    hook.cancel_submission(row["sid"])
    served.product.submissions[row["sid"]].completed_at = 0
    with pytest.raises(AirflowFailException, match=f"ingest {ingest_id} is not there, or not any more"):
        run_ingest(ingest_id, deferrable=deferrable)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ingest_id": ""}, "ingest_id must"),
        ({"ingest_id": 7}, "ingest_id must"),
        ({"ingest_id": "a/b"}, "ingest_id must"),
        ({"ingest_id": "a", "sha256": "abc"}, "sha256 must be 64 hex digits"),
        ({"ingest_id": "a", "fail_on_score": "many"}, "fail_on_score must"),
    ],
)
def test_a_wrong_argument_of_the_other_sensor_is_named(conn_id, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run_ingest(**arguments)
