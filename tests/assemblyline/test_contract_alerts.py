"""Contract of alerts, on the fake server and on live ones.

Live servers may delay alerts in lists, so all lists are read with ``no_delay``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api.alerts import alerts, batches, queries
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.assemblyline.api.submissions import idempotency
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.wait.loop import wait_in_worker
from self_hosted.core.wait.pending import PendingWait
from tests.assemblyline.conftest import upload, wait_until

MISSING_ID = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def case() -> str:
    """A metadata value that only the alerts of one test have."""
    return uuid.uuid4().hex


@pytest.fixture
def raise_alert(hook: AssemblylineHook, case: str) -> Callable[..., str]:
    """``raise_alert()`` raises an alert, waits until a search finds it, and returns its id."""

    def create(text: str | None = None) -> str:
        options = {"metadata": {"case": case}, "params": {"generate_alert": True}}
        ingest_id = hook.ingest(upload(text or f"{uuid.uuid4().hex} RIG-SCORE:600"), options)
        seen = wait_in_worker(hook, waits.ALERT, PendingWait(f'alert_id:"{ingest_id}"', time.time() + 60, 0.2))
        assert seen.details["alert_id"] == ingest_id
        return ingest_id

    return create


def query_for(case: str, **parts: Any) -> AlertQuery:
    return AlertQuery(f'metadata.case:"{case}"', **parts)


def send(method: str, path: str, body: Any, query: str | None = None):
    """Send a request that the package never sends."""
    reply = yield Request(method, f"/api/v4/alert/{path}/", {"q": query}, json=body)
    return reply.json()["api_response"]


def take_twice(alert_id: str):
    for _ in range(2):
        yield Request("GET", f"/api/v4/alert/ownership/{alert_id}/", idempotent=False)


# Reads


def test_an_alert_has_the_id_of_its_ingest(hook, run_flow, raise_alert, case):
    alert_id = raise_alert()
    alert = run_flow(hook, alerts.get(alert_id))
    assert (alert["alert_id"], alert["al"]["score"], alert["type"]) == (alert_id, 600, "INGEST")
    assert {**alert["metadata"], idempotency.METADATA_KEY: ""} == {
        "case": case,
        "ingest_id": alert_id,
        idempotency.METADATA_KEY: "",
    }
    assert {
        "classification",
        "events",
        "file",
        "label",
        "owner",
        "priority",
        "reporting_ts",
        "sid",
        "status",
        "ts",
    } <= set(alert)


def test_an_ingest_of_a_known_file_raises_an_alert_of_its_own(hook, run_flow, raise_alert):
    text = f"{uuid.uuid4().hex} RIG-SCORE:600"
    first, again = raise_alert(text), raise_alert(text)
    assert run_flow(hook, alerts.get(first))["sid"] == run_flow(hook, alerts.get(again))["sid"]


def test_an_unknown_alert_is_not_found(hook, run_flow):
    with pytest.raises(NotFoundError, match="This alert does not exists"):
        run_flow(hook, alerts.get(MISSING_ID))


def test_lists_accept_queries_filters_and_times(hook, run_flow, raise_alert, case):
    first, second = raise_alert(), raise_alert()

    def list_ids(alert_query: AlertQuery, **arguments: Any) -> list[str]:
        found = run_flow(hook, queries.search(alert_query, no_delay=True, **arguments))
        return [alert["alert_id"] for alert in found]

    assert list_ids(query_for(case)) == [second, first]
    assert list_ids(query_for(case), limit=1, sort="reporting_ts asc") == [first]
    assert list_ids(query_for(case, filters=["alert_id:*", f'alert_id:("{first}" OR "x")'])) == [first]
    assert list_ids(query_for(case, tc="1h")) == [second, first]
    assert list_ids(query_for(case, tc_start="2020-01-01T00:00:00Z")) == []
    assert list_ids(query_for(case, tc_start="2020-01-01T00:00:00+00:00", tc="4d")) == []
    assert run_flow(hook, queries.count(query_for(case), no_delay=True)) == 2
    assert sorted(run_flow(hook, queries.list_related_ids(query_for(case)))) == sorted([first, second])


def test_alerts_are_grouped_and_counted(hook, run_flow, raise_alert, case):
    text = f"{uuid.uuid4().hex} RIG-SCORE:600"
    first, second = raise_alert(text), raise_alert(text)
    [group] = run_flow(hook, queries.list_grouped("file.sha256", query_for(case), no_delay=True))
    assert (group["alert_id"], group["group_count"], group["hint_owner"]) == (second, 2, False)
    hook.update_alert(first, AlertChanges(add_labels=["x"], priority="low", status="assess"))
    wait_until(lambda: run_flow(hook, queries.count_by("labels", query_for(case), no_delay=True)) == {"X": 1})
    assert run_flow(hook, queries.count_by("priorities", query_for(case), no_delay=True)) == {"LOW": 1}
    assert run_flow(hook, queries.count_by("statuses", query_for(case), no_delay=True)) == {"ASSESS": 1}
    assert run_flow(hook, queries.get_statistics(query_for(case), no_delay=True))["file.name"] == {"a.txt": 2}


def test_the_server_fails_to_group_by_a_list(hook, run_flow, raise_alert, case):
    hook.add_alert_labels(raise_alert(), ["x"])
    wait_until(lambda: hook.count_alerts_by("labels", query_for(case), no_delay=True) == {"X": 1})
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, queries.list_grouped("label", query_for(case), no_delay=True))


def test_a_malformed_query_is_rejected_by_lists_and_fails_elsewhere(hook, run_flow):
    malformed = AlertQuery('a:"')
    with pytest.raises(InvalidRequestError, match="SearchException"):
        run_flow(hook, queries.search(malformed))
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, queries.list_related_ids(malformed))
    with pytest.raises(InvalidRequestError, match="at least provide a query"):
        run_flow(hook, queries.list_related_ids(AlertQuery()))


# Updates of one alert


def test_an_alert_is_updated_once(hook, run_flow, raise_alert):
    alert_id = raise_alert()
    changes = AlertChanges(["a b", "c"], ["d"], "high", "non-malicious", "malicious", True)
    user = hook.get_account()["username"]
    result = run_flow(hook, alerts.update(alert_id, changes))
    assert result.pop("sid")
    assert sorted(result.pop("labels")) == ["A B", "C"]
    assert result == {
        "alert_id": alert_id,
        "changed": ["add_labels", "priority", "status", "verdict", "take_ownership"],
        "priority": "HIGH",
        "status": "NON-MALICIOUS",
        "owner": user,
    }
    history = hook.get_alert(alert_id)
    assert history["verdict"] == {"malicious": [user], "non_malicious": []}
    assert run_flow(hook, alerts.update(alert_id, changes))["changed"] == []
    assert hook.get_alert(alert_id)["events"] == history["events"]


def test_labels_are_removed_and_a_verdict_is_replaced(hook, run_flow, raise_alert):
    alert_id = raise_alert()
    hook.update_alert(alert_id, AlertChanges(add_labels=["a", "b"], verdict="malicious"))
    run_flow(hook, alerts.remove_labels(alert_id, ["a", "q"]))
    run_flow(hook, alerts.set_verdict(alert_id, "non_malicious"))
    alert = hook.get_alert(alert_id)
    assert alert["label"] == ["B"]
    assert [len(alert["verdict"][name]) for name in ("malicious", "non_malicious")] == [0, 1]
    assert hook.get_submission(alert["sid"])["verdict"] == alert["verdict"]


def test_an_own_alert_is_taken_without_an_error(hook, run_flow, raise_alert):
    alert_id = raise_alert()
    with pytest.raises(PermissionDeniedError, match="Alert is already owned by"):
        run_flow(hook, take_twice(alert_id))
    run_flow(hook, alerts.take_ownership(alert_id))
    assert hook.get_alert(alert_id)["owner"] == hook.get_account()["username"]


@pytest.mark.parametrize(
    "flow",
    [
        lambda: alerts.add_labels(MISSING_ID, ["x"]),
        lambda: alerts.remove_labels(MISSING_ID, ["x"]),
        lambda: alerts.set_priority(MISSING_ID, "LOW"),
        lambda: alerts.set_status(MISSING_ID, "TRIAGE"),
        lambda: alerts.set_verdict(MISSING_ID, "malicious"),
        lambda: alerts.take_ownership(MISSING_ID),
    ],
)
def test_an_unknown_alert_is_not_changed(hook, run_flow, flow):
    with pytest.raises(NotFoundError, match=MISSING_ID):
        run_flow(hook, flow())


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("priority/{}", "x", "Invalid priority received"),
        ("status/{}", "x", "Invalid status received"),
        ("all/batch", {"priority": "x"}, "Priority X not in priorities"),
        ("all/batch", {"status": "x"}, "Status 'X' not in statuses"),
    ],
)
def test_the_server_rejects_unknown_values(hook, run_flow, raise_alert, path, body, message):
    with pytest.raises(InvalidRequestError, match=message):
        run_flow(hook, send("POST", path.format(raise_alert()), body))


def test_the_server_fails_on_numbers_as_labels_and_splits_a_text_into_letters(hook, run_flow, raise_alert):
    alert_id = raise_alert()
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, send("POST", f"label/{alert_id}", [1]))
    run_flow(hook, send("POST", f"label/{alert_id}", "no"))
    assert sorted(hook.get_alert(alert_id)["label"]) == ["N", "O"]


def test_the_servers_update_of_all_fields_fails(hook, run_flow, raise_alert):
    with pytest.raises(ServerError, match="Internal Server Error"):
        run_flow(hook, send("POST", f"all/{raise_alert()}", {"status": "TRIAGE"}))


# Updates by query


def test_all_alerts_of_a_query_are_updated_once(hook, run_flow, raise_alert, case):
    ids = [raise_alert(), raise_alert()]
    changes = AlertChanges(["a"], ["b"], "medium", "assess", "malicious", True)
    assert run_flow(hook, batches.update_matching(query_for(case), changes, dry_run=True)) == {
        "found": 2,
        "to_change": 2,
        "changed": 0,
    }
    assert run_flow(hook, batches.update_matching(query_for(case), changes)) == {
        "found": 2,
        "to_change": 2,
        "changed": 2,
    }
    user = hook.get_account()["username"]
    for alert_id in ids:
        alert = hook.get_alert(alert_id)
        assert (alert["label"], alert["priority"], alert["status"], alert["owner"]) == (["A"], "MEDIUM", "ASSESS", user)
        assert (alert["verdict"]["malicious"], len(alert["events"])) == ([user], 1)
    unchanged = {"found": 2, "to_change": 0, "changed": 0}
    wait_until(lambda: run_flow(hook, batches.update_matching(query_for(case), changes, dry_run=True)) == unchanged)
    assert run_flow(hook, batches.update_matching(query_for(case), changes)) == unchanged
    assert len(hook.get_alert(ids[0])["events"]) == 1


def test_only_alerts_with_differences_are_changed(hook, run_flow, raise_alert, case):
    first, second = raise_alert(), raise_alert()
    hook.set_alert_status(first, "TRIAGE")
    wait_until(lambda: hook.count_alerts_by("statuses", query_for(case), no_delay=True) == {"TRIAGE": 1})
    result = run_flow(hook, batches.update_matching(query_for(case), AlertChanges(status="TRIAGE")))
    assert result == {"found": 2, "to_change": 1, "changed": 1}
    assert [len(hook.get_alert(alert_id)["events"]) for alert_id in (first, second)] == [1, 1]


def test_alerts_that_the_query_no_longer_finds_are_still_taken(hook, run_flow, raise_alert, case):
    alert_id, changes = raise_alert(), AlertChanges(status="TRIAGE", take_ownership=True)
    result = run_flow(hook, batches.update_matching(query_for(case, filters=["NOT status:TRIAGE"]), changes))
    assert result == {"found": 1, "to_change": 1, "changed": 1}
    alert = hook.get_alert(alert_id)
    assert (alert["status"], alert["owner"]) == ("TRIAGE", hook.get_account()["username"])


def test_too_many_alerts_are_not_changed(hook, run_flow, raise_alert, case):
    ids = [raise_alert(), raise_alert()]
    with pytest.raises(ValueError, match="max_items is 1, but the query finds 2 alerts; none was changed"):
        run_flow(hook, batches.update_matching(query_for(case), AlertChanges(status="TRIAGE"), max_items=1))
    assert [hook.get_alert(alert_id)["status"] for alert_id in ids] == [None, None]


def test_the_servers_batch_adds_an_event_without_a_difference(hook, run_flow, raise_alert):
    alert_id = raise_alert()
    for _ in range(2):
        assert run_flow(hook, send("POST", "all/batch", {"status": "assess"}, f'alert_id:"{alert_id}"')) == {
            "success": 1
        }
    assert [event["status"] for event in hook.get_alert(alert_id)["events"]] == ["ASSESS", "ASSESS"]


def test_the_servers_batch_does_not_report_a_malformed_query(hook, run_flow):
    assert run_flow(hook, send("POST", "all/batch", {"status": "assess"}, 'a:"')) == {"success": False}
