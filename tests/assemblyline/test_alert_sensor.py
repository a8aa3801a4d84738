"""AssemblylineAlertSensor against the sandbox."""

from __future__ import annotations

import asyncio

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from self_hosted.assemblyline.sensors import AssemblylineAlertSensor
from self_hosted.core.wait.trigger import SensorTrigger
from tests.context import context, executed, first_event


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


@pytest.fixture
def seed(served):
    """``seed({"alert_id": "a"}, ...)`` creates alerts."""

    def add(*alerts):
        served.seed({"alerts": {"alerts": list(alerts)}})

    return add


def sensor(**arguments):
    usual = {"task_id": "wait", "deferrable": False, "poke_interval": 0.05, "timeout": 60}
    return AssemblylineAlertSensor(**{**usual, **arguments})


def wait(**arguments):
    """Return the result of the sensor, in a worker or deferred."""
    return executed(lambda: sensor(**arguments))


def complete(task, event):
    """Return the result of a deferred sensor."""
    return task.execute_complete(context(task, task_id="wait"), event.payload)


in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True])


@in_worker_and_deferred
def test_it_finds_the_alert_of_an_ingest_before_a_list_shows_it(served, ingested, deferrable):
    ingest_id = ingested("RIG-SCORE:600 RIG-SLEEP:0.3", params={"generate_alert": True})
    result = wait(query=f'alert_id:"{ingest_id}"', deferrable=deferrable)
    [row] = served.tables()["submissions"]
    assert result.pop("reporting_ts")
    assert len(result.pop("sha256")) == 64
    assert result == {
        "alert_id": ingest_id,
        "sid": row["sid"],
        "type": "INGEST",
        "priority": None,
        "status": None,
        "extended_scan": "skipped",
        "name": "a.txt",
        "score": 600,
        "labels": [],
        "url": f"{served.base_url}/alerts/{ingest_id}",
    }


def test_the_result_is_the_oldest_alert_so_that_it_is_stable(seed):
    seed({"alert_id": "a", "label": ["X"]}, {"alert_id": "b", "label": ["X"], "reporting_ts": "2020-01-01T00:00:00Z"})
    assert wait(query="label:X")["alert_id"] == "b"


def test_its_timeout_says_that_no_alert_was_raised():
    with pytest.raises(AirflowSensorTimeout, match=r"waiting for alert label:X: its last state is 'not raised'"):
        wait(query="label:X", timeout=0.2)


def test_a_rejected_query_fails_the_sensor():
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        wait(query='a:"')


def test_waits_with_the_same_query_share_a_search_and_a_rejected_query_affects_no_other(served, seed):
    seed({"alert_id": "a"})
    queries = [*["alert_id:a"] * 30, 'a:"']
    tasks = [AssemblylineAlertSensor(task_id="wait", query=query, start_from_trigger=True) for query in queries]

    async def waits():
        return await asyncio.gather(
            *(first_event(SensorTrigger(**task.start_args().trigger_kwargs or {})) for task in tasks)
        )

    *events, last = asyncio.run(waits())
    found = [complete(task, event)["alert_id"] for task, event in zip(tasks, events, strict=False)]
    assert found == ["a"] * 30
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        complete(tasks[-1], last)
    assert served.product.quotas.api_calls <= 4


@pytest.mark.parametrize("query", ["", " ", None, 7.5])
def test_an_invalid_query_is_named(served, query):
    with pytest.raises(AirflowFailException, match=r"query must be a (Lucene query|text)"):
        wait(query=query)
    assert served.product.quotas.api_calls == 0
