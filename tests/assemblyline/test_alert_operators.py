"""The operators that update alerts against the sandbox."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineUpdateAlertOperator, AssemblylineUpdateAlertsOperator
from self_hosted.core.tasks.operator import LINK_KEY
from tests.context import context


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


@pytest.fixture
def seed(served):
    """``seed({"alert_id": "a"}, ...)`` creates alerts."""

    def add(*alerts):
        served.seed({"alerts": {"alerts": list(alerts)}})

    return add


def update_one(**arguments):
    return AssemblylineUpdateAlertOperator(task_id="update", **{"alert_id": "a", **arguments})


def update_many(**arguments):
    return AssemblylineUpdateAlertsOperator(task_id="update", **{"query": "alert_id:(a OR b OR c)", **arguments})


def run(task):
    return task.execute(context(task))


def rows(served):
    return {row["alert_id"]: row for row in served.tables()["alerts"]}


# One alert


def test_an_alert_is_changed_and_the_changes_are_returned(served, seed):
    seed({"alert_id": "a", "label": ["OLD"], "sid": "s"})
    task = update_one(
        add_labels=["new", "old"], remove_labels="gone", priority="high", status="ASSESS", verdict="malicious",
        take_ownership="True",
    )  # fmt: skip
    task_context = context(task)
    url = f"{served.base_url}/alerts/a"
    assert task.execute(task_context) == {
        "alert_id": "a",
        "sid": "s",
        "changed": ["add_labels", "priority", "status", "verdict", "take_ownership"],
        "labels": ["OLD", "NEW"],
        "priority": "HIGH",
        "status": "ASSESS",
        "owner": "admin",
        "url": url,
    }
    assert task_context["ti"].xcoms[LINK_KEY] == url
    assert run(task)["changed"] == []


def test_a_new_alert_is_changed_before_the_index_has_it(served, seed):
    served.seed({"index_lag": 1.5})
    seed({"alert_id": "a"})
    result = run(update_one(status="TRIAGE", verdict="non_malicious"))
    assert (result["changed"], result["status"]) == (["status", "verdict"], "TRIAGE")


@pytest.mark.parametrize("labels", ["a b", ["a b"], '["a b"]', "['a b']", ("a b", "")])
def test_labels_may_be_one_or_several_or_rendered_by_a_template(seed, labels):
    seed({"alert_id": "a"})
    assert run(update_one(add_labels=labels))["labels"] == ["A B"]


def test_the_alert_of_another_user_does_not_change(served, seed):
    seed({"alert_id": "a", "owner": "user"})
    with pytest.raises(AirflowFailException, match="alert a is already owned by user"):
        run(update_one(take_ownership=True, status="TRIAGE"))
    assert rows(served)["a"]["status"] is None


def test_an_unknown_alert_fails_the_task(seed):
    with pytest.raises(AirflowFailException, match="This alert does not exists"):
        run(update_one(status="TRIAGE"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no changes: give at least one of add_labels"),
        ({"alert_id": "", "status": "TRIAGE"}, "alert_id must be the id of an alert, not ''"),
        ({"alert_id": "None", "status": "TRIAGE"}, "alert_id must be the id of an alert, not 'None'"),
        ({"add_labels": 7.5}, "add_labels must be a text or a list of texts, not 7.5"),
        ({"add_labels": "a", "remove_labels": "A"}, "add_labels and remove_labels both hold A"),
        ({"priority": "urgent"}, "priority must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'urgent'"),
        ({"status": 7}, "status must be one of MALICIOUS, NON-MALICIOUS, ASSESS, TRIAGE, not '7'"),
        ({"verdict": "bad"}, "verdict must be one of malicious, non_malicious, not 'bad'"),
        ({"take_ownership": "perhaps"}, "take_ownership must be true or false, not 'perhaps'"),
    ],
)
def test_an_invalid_argument_is_named_before_anything_is_sent(served, arguments, message):
    with pytest.raises(AirflowFailException) as failed:
        run(update_one(**arguments))
    assert message in str(failed.value)
    assert served.product.quotas.api_calls == 0


# All alerts of a query


def test_matching_alerts_that_differ_are_changed(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b", "status": "TRIAGE"}, {"alert_id": "c"}, {"alert_id": "d"})
    task = update_many(status="triage")
    task_context = context(task)
    result = task.execute(task_context)
    assert (
        result.pop("url")
        == task_context["ti"].xcoms[LINK_KEY]
        == f"{served.base_url}/alerts?q=alert_id%3A%28a+OR+b+OR+c%29"
    )
    assert result == {"found": 3, "to_change": 2, "changed": 2}
    assert {key: row["status"] for key, row in rows(served).items()} == {**dict.fromkeys("abc", "TRIAGE"), "d": None}
    events = {key: len(alert["events"]) for key, alert in served.product.state["alerts"]["alerts"].items()}
    assert events == {"a": 1, "b": 0, "c": 1, "d": 0}
    again = run(task)
    assert (again["found"], again["to_change"], again["changed"]) == (3, 0, 0)


def test_filters_and_time_spans_narrow_the_query(served, seed):
    seed({"alert_id": "a", "label": ["X"], "reporting_ts": "2026-01-02T00:00:00Z"}, {"alert_id": "b", "label": ["X"]})
    seed({"alert_id": "c", "reporting_ts": "2026-01-02T00:00:00Z"})
    narrow = {"filters": "label:X", "tc": "2d", "tc_start": "2026-01-03 00:00:00+00:00"}
    assert run(update_many(priority="LOW", **narrow))["changed"] == 1
    assert {key: row["priority"] for key, row in rows(served).items()} == {"a": "LOW", "b": None, "c": None}


def test_alerts_of_other_users_are_changed_but_not_taken(served, seed):
    seed({"alert_id": "a", "owner": "user"}, {"alert_id": "b"}, {"alert_id": "c", "owner": "admin", "label": ["X"]})
    result = run(update_many(add_labels="x", take_ownership=True))
    assert (result["found"], result["to_change"], result["changed"]) == (3, 2, 2)
    assert {key: row["owner"] for key, row in rows(served).items()} == {"a": "user", "b": "admin", "c": "admin"}
    assert run(update_many(add_labels="x", take_ownership=True))["to_change"] == 0


def test_a_dry_run_only_counts(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    result = run(update_many(verdict="malicious", dry_run="true"))
    assert (result["found"], result["to_change"], result["changed"]) == (2, 2, 0)
    assert served.product.state["alerts"]["alerts"]["a"]["verdict"]["malicious"] == []


def test_no_alert_is_changed_if_more_than_max_items_match(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    with pytest.raises(AirflowFailException, match="max_items is 1, but the query finds 2 alerts; none was changed"):
        run(update_many(status="TRIAGE", max_items="1"))
    assert [row["status"] for row in rows(served).values()] == [None, None]


def test_all_alerts_are_changed_only_with_allow_match_all(served, seed):
    seed({"alert_id": "a"}, {"alert_id": "z"})
    with pytest.raises(AirflowFailException, match=r"query '\*' matches all alerts"):
        run(update_many(query="*", status="TRIAGE"))
    assert run(update_many(query="*", status="TRIAGE", allow_match_all=True))["changed"] == 2


def test_a_rejected_query_fails_the_task(seed):
    with pytest.raises(AirflowFailException, match="Failed to parse query"):
        run(update_many(query='a:"', status="TRIAGE"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": None}, "query must be a text, not None"),
        ({"query": ""}, "query '' matches all alerts"),
        ({"filters": 7.5}, "filters must be a text or a list of texts, not 7.5"),
        ({"tc": "4 days"}, "tc must be a number with a unit (s, m, h, d, w, M, y), such as 4d, not '4 days'"),
        ({"tc_start": "now"}, "tc_start must be a timestamp in ISO 8601"),
        ({"max_items": 0}, "max_items must be a whole number, 1 or more, not 0"),
        ({"max_items": 10_001}, "max_items must be a whole number, from 1 to 10000, not 10001"),
        ({"allow_match_all": "perhaps"}, "allow_match_all must be true or false, not 'perhaps'"),
        ({"dry_run": 7}, "dry_run must be true or false, not 7"),
        ({"status": "DONE"}, "status must be one of MALICIOUS"),
    ],
)
def test_an_invalid_argument_of_the_bulk_operator_is_named_before_anything_is_sent(served, arguments, message):
    with pytest.raises(AirflowFailException) as failed:
        run(update_many(**{"status": "TRIAGE", **arguments}))
    assert message in str(failed.value)
    assert served.product.quotas.api_calls == 0
