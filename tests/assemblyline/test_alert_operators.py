"""The operators that change alerts and the sensor that waits for one, against the stand-in."""

from __future__ import annotations

import asyncio

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
)
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.assemblyline.operators import AssemblylineUpdateAlertOperator, AssemblylineUpdateAlertsOperator
from self_hosted.assemblyline.sensors import AssemblylineAlertSensor
from self_hosted.core.operator import LINK_KEY
from self_hosted.core.trigger import SensorTrigger
from tests.context import context, executed, first_event


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """All tests here have the default connection."""


@pytest.fixture
def seed(served):
    """``seed({"alert_id": "a"}, ...)``: alerts that are there, whatever a list shows of them."""

    def add(*alerts):
        served.seed({"alerts": {"alerts": list(alerts)}})

    return add


def one(**arguments):
    return AssemblylineUpdateAlertOperator(task_id="change", **{"alert_id": "a", **arguments})


def many(**arguments):
    return AssemblylineUpdateAlertsOperator(task_id="change", **{"query": "alert_id:(a OR b OR c)", **arguments})


def run(task):
    return task.execute(context(task))


def rows(served):
    return {row["alert_id"]: row for row in served.tables()["alerts"]}


# One


def test_an_alert_is_changed_and_what_changed_is_told(served, seed):
    seed({"alert_id": "a", "label": ["OLD"], "sid": "s"})
    task = one(
        add_labels=["new", "old"], remove_labels="gone", priority="high", status="ASSESS", verdict="malicious",
        take_ownership="True",
    )  # fmt: skip
    told = context(task)
    url = f"{served.base_url}/alerts/a"
    assert task.execute(told) == {
        "alert_id": "a",
        "sid": "s",
        "changed": ["add_labels", "priority", "status", "verdict", "take_ownership"],
        "labels": ["OLD", "NEW"],
        "priority": "HIGH",
        "status": "ASSESS",
        "owner": "admin",
        "url": url,
    }
    assert told["ti"].xcoms[LINK_KEY] == url
    assert run(task)["changed"] == []


def test_a_young_alert_is_changed_before_the_index_has_it(served, seed):
    served.seed({"index_lag": 1.5})
    seed({"alert_id": "a"})
    result = run(one(status="TRIAGE", verdict="non_malicious"))
    assert (result["changed"], result["status"]) == (["status", "verdict"], "TRIAGE")


@pytest.mark.parametrize("labels", ["a b", ["a b"], '["a b"]', "['a b']", ("a b", "")])
def test_labels_are_one_or_several_and_come_as_a_template_gives_them(seed, labels):
    seed({"alert_id": "a"})
    assert run(one(add_labels=labels))["labels"] == ["A B"]


def test_the_alert_of_somebody_else_is_not_taken_and_stays_as_it_is(served, seed):
    seed({"alert_id": "a", "owner": "user"})
    with pytest.raises(AirflowFailException, match="alert a is already owned by user"):
        run(one(take_ownership=True, status="TRIAGE"))
    assert rows(served)["a"]["status"] is None


def test_an_alert_that_does_not_exist_ends_the_task(seed):
    with pytest.raises(AirflowFailException, match="This alert does not exists"):
        run(one(status="TRIAGE"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "nothing is to be changed: give at least one of add_labels"),
        ({"alert_id": "", "status": "TRIAGE"}, "alert_id must be the id of an alert, not ''"),
        ({"alert_id": 7, "status": "TRIAGE"}, "alert_id must be the id of an alert, not 7"),
        ({"add_labels": 7}, "add_labels must be a text or a list of texts, not 7"),
        ({"add_labels": "a", "remove_labels": "A"}, "remove_labels must hold none of add_labels, and both hold A"),
        ({"priority": "urgent"}, "priority must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'urgent'"),
        ({"status": 7}, "status must be one of MALICIOUS, NON-MALICIOUS, ASSESS, TRIAGE, not 7"),
        ({"verdict": "bad"}, "verdict must be one of malicious, non_malicious, not 'bad'"),
        ({"take_ownership": "yes"}, "take_ownership must be true or false, not 'yes'"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_sent(served, arguments, words):
    with pytest.raises(AirflowFailException) as failed:
        run(one(**arguments))
    assert words in str(failed.value)
    assert served.product.access.api_calls == 0


# Many


def test_all_that_a_query_finds_are_changed_and_those_that_lack_nothing_left_alone(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b", "status": "TRIAGE"}, {"alert_id": "c"}, {"alert_id": "d"})
    task = many(status="triage")
    told = context(task)
    result = task.execute(told)
    assert result.pop("url") == told["ti"].xcoms[LINK_KEY] == f"{served.base_url}/alerts?q=alert_id%3A%28a+OR+b+OR+c%29"
    assert result == {"found": 3, "to_change": 2, "changed": 2}
    assert {key: row["status"] for key, row in rows(served).items()} == {**dict.fromkeys("abc", "TRIAGE"), "d": None}
    events = {key: len(alert["events"]) for key, alert in served.product.kept["alerts"]["alerts"].items()}
    assert events == {"a": 1, "b": 0, "c": 1, "d": 0}
    again = run(task)
    assert (again["found"], again["to_change"], again["changed"]) == (3, 0, 0)


def test_filters_and_spans_narrow_the_query(served, seed):
    seed({"alert_id": "a", "label": ["X"], "reporting_ts": "2026-01-02T00:00:00Z"}, {"alert_id": "b", "label": ["X"]})
    seed({"alert_id": "c", "reporting_ts": "2026-01-02T00:00:00Z"})
    narrow = {"filters": "label:X", "tc": "2d", "tc_start": "2026-01-03 00:00:00+00:00"}
    assert run(many(priority="LOW", **narrow))["changed"] == 1
    assert {key: row["priority"] for key, row in rows(served).items()} == {"a": "LOW", "b": None, "c": None}


def test_what_others_own_is_changed_but_not_taken(served, seed):
    seed({"alert_id": "a", "owner": "user"}, {"alert_id": "b"}, {"alert_id": "c", "owner": "admin", "label": ["X"]})
    result = run(many(add_labels="x", take_ownership=True))
    assert (result["found"], result["to_change"], result["changed"]) == (3, 2, 2)
    assert {key: row["owner"] for key, row in rows(served).items()} == {"a": "user", "b": "admin", "c": "admin"}
    assert run(many(add_labels="x", take_ownership=True))["to_change"] == 0


def test_a_dry_run_counts_only(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    result = run(many(verdict="malicious", dry_run="true"))
    assert (result["found"], result["to_change"], result["changed"]) == (2, 2, 0)
    assert served.product.kept["alerts"]["alerts"]["a"]["verdict"]["malicious"] == []


def test_more_than_at_most_are_not_changed(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    with pytest.raises(AirflowFailException, match="at_most is 1, and the query finds 2 alerts: none was changed"):
        run(many(status="TRIAGE", at_most="1"))
    assert [row["status"] for row in rows(served).values()] == [None, None]


def test_all_alerts_are_changed_by_the_word_for_it_only(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "z"})
    with pytest.raises(AirflowFailException, match=r"query must keep some alerts out, and '\*' takes all"):
        run(many(query="*", status="TRIAGE"))
    assert run(many(query="*", status="TRIAGE", everything=True))["changed"] == 2


def test_a_query_that_the_server_cannot_read_ends_the_task(seed):
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        run(many(query='a:"', status="TRIAGE"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": None}, "query must be a Lucene query, not None"),
        ({"query": ""}, "query must keep some alerts out, and '' takes all"),
        ({"filters": 7}, "filters must be a text or a list of texts, not 7"),
        ({"tc": "4 days"}, "tc must be a number with a unit (s, m, h, d, w, M, y), such as 4d, not '4 days'"),
        ({"tc_start": "now"}, "tc_start must be a moment such as 2026-11-24T06:00:00Z, not 'now'"),
        ({"at_most": 0}, "at_most must be a whole number, 1 or more, not 0"),
        ({"at_most": 10_001}, "at_most must be from 1 to 10000"),
        ({"everything": "perhaps"}, "everything must be true or false, not 'perhaps'"),
        ({"dry_run": 7}, "dry_run must be true or false, not 7"),
        ({"status": "DONE"}, "status must be one of MALICIOUS"),
    ],
)
def test_a_wrong_argument_of_many_is_named_before_anything_is_sent(served, arguments, words):
    with pytest.raises(AirflowFailException) as failed:
        run(many(**{"status": "TRIAGE", **arguments}))
    assert words in str(failed.value)
    assert served.product.access.api_calls == 0


# Waiting for one


def sensor(**arguments):
    usual = {"task_id": "wait", "deferrable": False, "poke_interval": 0.05, "timeout": 20}
    return AssemblylineAlertSensor(**{**usual, **arguments})


def wait(**arguments):
    """Run the sensor in a worker, or deferred."""
    return executed(lambda: sensor(**arguments))


def ended(task, event):
    """The result of a deferred sensor."""
    if isinstance(event, TaskSuccessEvent):
        return (event.xcoms or {})["return_value"]
    return task.execute_complete(context(task, task_id="wait"), event.payload)


both = pytest.mark.parametrize("deferrable", [False, True])


@both
def test_it_waits_for_the_alert_of_an_ingest_however_young(served, ingested, deferrable):
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


def test_of_several_the_oldest_is_the_result_so_that_it_stays_the_same(seed):
    seed({"alert_id": "a", "label": ["X"]}, {"alert_id": "b", "label": ["X"], "reporting_ts": "2020-01-01T00:00:00Z"})
    assert wait(query="label:X")["alert_id"] == "b"


@both
def test_its_timeout_tells_that_none_was_raised(deferrable):
    with pytest.raises(AirflowSensorTimeout, match=r"alert label:X, for .*: its last seen state is 'not raised'"):
        wait(query="label:X", deferrable=deferrable, timeout=0.2)


@both
def test_a_query_that_the_server_cannot_read_fails_the_sensor(deferrable):
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        wait(query='a:"', deferrable=deferrable)


def test_many_waits_with_one_query_share_a_search_and_a_bad_query_disturbs_no_other(served, seed):
    seed({"alert_id": "a"})
    queries = [*["alert_id:a"] * 30, 'a:"']
    tasks = [AssemblylineAlertSensor(task_id="wait", query=query, start_from_trigger=True) for query in queries]

    async def waits():
        return await asyncio.gather(
            *(first_event(SensorTrigger(**task.start_args().trigger_kwargs or {})) for task in tasks)
        )

    *events, last = asyncio.run(waits())
    found = [ended(task, event)["alert_id"] for task, event in zip(tasks, events, strict=False)]
    assert found == ["a"] * 30
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        ended(tasks[-1], last)
    assert served.product.access.api_calls <= 4


@pytest.mark.parametrize("query", ["", " ", None, 7])
def test_a_wrong_query_is_named(served, query):
    with pytest.raises(AirflowFailException, match="query must be a Lucene query"):
        wait(query=query)
    assert served.product.access.api_calls == 0
