"""Alerts: queries, changes, ownership and updates by query."""

from __future__ import annotations

import json
from typing import Any

import pytest

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.alerts import alerts, batches, queries
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.core.http.errors import OutcomeUnknownError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Pause
from tests.assemblyline.flows import items, reply, result_of

OWN_USER = reply({"username": "me"})
SUCCESS, NO_SUCCESS = reply({"success": True}), reply({"success": False})


def alert(alert_id: str = "a", **fields: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {"label": [], "priority": None, "status": None, "owner": None}
    return {"alert_id": alert_id, "sid": "s", "verdict": {"malicious": [], "non_malicious": []}, **blank, **fields}


def first(flow: Flow[Any]) -> Any:
    """Return the first request of a flow."""
    return next(flow)


def sent(steps):
    """Return method and path of the requests that change something."""
    changing = {"PUT", "POST", "DELETE"}
    return [
        (step.method, step.path.removeprefix("/api/v4/alert"))
        for step in steps
        if not isinstance(step, Pause) and (step.method in changing or "/ownership/" in step.path)
    ]


def pauses(steps):
    return [step.seconds for step in steps if isinstance(step, Pause)]


# Queries


@pytest.mark.parametrize(
    ("alert_query", "target"),
    [
        (AlertQuery(), ""),
        (AlertQuery("a:b"), "?q=a%3Ab"),
        (AlertQuery("a:b", ["c:d", "e:f"], "4d"), "?q=a%3Ab&fq=c%3Ad&fq=e%3Af&tc=4d"),
        (AlertQuery(tc_start="2026-11-24 06:00:00+00:00"), "?tc_start=2026-11-24T06%3A00%3A00.000000Z"),
    ],
)
def test_a_query_is_sent_by_the_servers_parameters(alert_query, target):
    assert first(queries.get_statistics(alert_query)).target == f"/api/v4/alert/statistics/{target}"


def test_young_alerts_are_included_by_a_parameter():
    assert first(queries.count()).query["no_delay"] is None
    assert first(queries.count(no_delay=True)).query["no_delay"] is True


@pytest.mark.parametrize(
    ("alert_query", "message"),
    [
        (AlertQuery(tc="4 days"), "tc must be a number with a unit"),
        (AlertQuery(tc="d"), "tc must be a number with a unit"),
        (AlertQuery(tc_start="yesterday"), "tc_start must be a timestamp in ISO 8601"),
    ],
)
def test_malformed_times_are_rejected_before_anything_is_sent(alert_query, message):
    for flow in (queries.search, queries.count, queries.list_related_ids):
        with pytest.raises(ValueError, match=message):
            next(flow(alert_query))


@pytest.mark.parametrize("query", ["", " ", "*", "*:*", "alert_id:*"])
def test_a_query_that_matches_all_alerts_must_be_allowed(query):
    changes = AlertChanges(status="TRIAGE")
    with pytest.raises(ValueError, match="matches all alerts; to allow this, set allow_match_all=True"):
        next(batches.update_matching(AlertQuery(query, filters=["*"], tc_start="2026-11-24"), changes))
    for alert_query in (AlertQuery(query, tc="1d"), AlertQuery(query, filters=["status:TRIAGE"])):
        assert first(batches.update_matching(alert_query, changes)).path == "/api/v4/alert/list/"
    assert (
        first(batches.update_matching(AlertQuery(query), changes, allow_match_all=True)).path == "/api/v4/alert/list/"
    )


# Reads


def page(first, last):
    return [alert(str(number)) for number in range(first, last)]


def test_a_list_is_read_page_by_page_without_duplicates():
    found, steps = result_of(queries.search(limit=1200), items(*page(0, 500)), items(*page(498, 998)), items())
    assert [found_alert["alert_id"] for found_alert in found] == [str(number) for number in range(998)]
    assert [(step.query["offset"], step.query["rows"]) for step in steps] == [(0, 500), (500, 500), (1000, 200)]


def test_a_list_ends_with_a_page_that_is_not_full():
    assert len(result_of(queries.search(limit=900), items(alert()))[1]) == 1


def test_further_pages_of_groups_show_the_time_of_the_first():
    newest = reply({"items": page(0, 500), "tc_start": "2026-11-24T06:00:00Z"})
    _, steps = result_of(queries.list_grouped("file.sha256", limit=501), newest, items(alert("b")))
    assert [step.query["tc_start"] for step in steps] == [None, "2026-11-24T06:00:00.000000Z"]


def test_a_limit_above_the_servers_maximum_is_rejected():
    with pytest.raises(ValueError, match="limit must be a whole number, from 0 to 10000"):
        next(queries.search(limit=10_001))


def test_an_unknown_field_is_rejected():
    with pytest.raises(ValueError, match="field must be one of labels, priorities, statuses, not 'owners'"):
        next(queries.count_by("owners"))


def test_alerts_and_lists_of_alerts_have_urls():
    assert alerts.build_page_url("https://a.example", "x y") == "https://a.example/alerts/x%20y"
    url = queries.build_page_url("https://a.example", AlertQuery("a:b", ["c:d"], "4d"))
    assert url == "https://a.example/alerts?q=a%3Ab&fq=c%3Ad&tc=4d"


# Changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (AlertChanges(), "no changes: give at least one of add_labels, remove_labels, priority"),
        (AlertChanges(add_labels="x"), "add_labels must be a list of texts"),
        (AlertChanges(remove_labels=["x", " "]), "remove_labels must be a list of texts that are not empty"),
        (AlertChanges(add_labels=[7]), "add_labels must be a list of texts"),  # type: ignore[list-item]
        (AlertChanges(["x", "y"], ["Y"]), "add_labels and remove_labels both hold Y"),
        (AlertChanges(priority="urgent"), "priority must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'urgent'"),
        (
            AlertChanges(status="SUCCESS"),
            "status must be one of MALICIOUS, NON-MALICIOUS, ASSESS, TRIAGE, not 'SUCCESS'",
        ),
        (AlertChanges(verdict="safe"), "verdict must be one of malicious, non_malicious, not 'safe'"),
    ],
)
def test_invalid_changes_are_rejected_before_anything_is_sent(changes, message):
    for flow in (alerts.update("a", changes), batches.update_matching(AlertQuery("a:b"), changes)):
        with pytest.raises(ValueError, match=message):
            next(flow)


@pytest.mark.parametrize(
    ("flow", "method", "path", "body"),
    [
        (alerts.add_labels("a b", ["x", "X", "y"]), "POST", "label/a%20b", ["X", "Y"]),
        (alerts.remove_labels("a", ["x"]), "DELETE", "label/a", ["X"]),
        (alerts.set_priority("a", "high"), "POST", "priority/a", "HIGH"),
        (alerts.set_status("a", "non-malicious"), "POST", "status/a", "NON-MALICIOUS"),
        (alerts.set_verdict("a", "MALICIOUS"), "PUT", "verdict/a/malicious", None),
    ],
)
def test_a_change_is_sent_in_the_servers_spelling_and_is_idempotent(flow, method, path, body):
    result, [request] = result_of(flow, SUCCESS)
    assert result is None
    assert (request.method, request.path) == (method, f"/api/v4/alert/{path}/")
    assert request.is_idempotent
    if body:
        assert json.dumps(request.json) == json.dumps(body)


def test_a_change_without_success_is_repeated_because_of_concurrent_changes():
    _, steps = result_of(alerts.set_status("a", "TRIAGE"), NO_SUCCESS, NO_SUCCESS, SUCCESS)
    assert pauses(steps) == [1.0, 2.0]


def test_a_change_that_never_succeeds_is_an_error():
    with pytest.raises(ServerError, match="did not change the alert"):
        result_of(alerts.set_verdict("a", "malicious"), *[NO_SUCCESS] * 5)


# Ownership


def test_ownership_is_taken_by_a_get_that_is_not_idempotent():
    _, steps = result_of(alerts.take_ownership("a"), OWN_USER, SUCCESS)
    assert sent(steps) == [("GET", "/ownership/a/")]
    assert not steps[-1].is_idempotent


def test_an_own_alert_is_taken_and_that_of_another_owner_is_not():
    denied = PermissionDeniedError("Alert is already owned by somebody")
    result_of(alerts.take_ownership("a"), OWN_USER, denied, reply(alert(owner="me")))
    with pytest.raises(PermissionDeniedError, match="alert a is already owned by you"):
        result_of(alerts.take_ownership("a"), OWN_USER, denied, reply(alert(owner="you")))


def test_a_missing_permission_to_take_alerts_is_an_error():
    with pytest.raises(PermissionDeniedError, match="requires one of the following roles"):
        result_of(
            alerts.take_ownership("a"),
            OWN_USER,
            PermissionDeniedError("requires one of the following roles: x"),
            reply(alert()),
        )


def test_a_lost_response_is_read_back_and_another_owner_is_an_error():
    _, steps = result_of(
        alerts.take_ownership("a"), OWN_USER, OutcomeUnknownError("lost"), reply(alert()), reply(alert(owner="me"))
    )
    assert len(sent(steps)) == 1
    with pytest.raises(PermissionDeniedError, match="already owned by you"):
        result_of(alerts.take_ownership("a"), OWN_USER, OutcomeUnknownError("lost"), reply(alert(owner="you")))


def test_a_request_without_an_effect_for_a_minute_is_repeated():
    looks = [reply(alert()) for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    _, steps = result_of(alerts.take_ownership("a"), OWN_USER, OutcomeUnknownError("lost"), *looks, SUCCESS)
    assert len(sent(steps)) == 2


def test_an_owner_that_never_changes_is_an_error():
    with pytest.raises(ServerError, match="did not change the owner"):
        result_of(alerts.take_ownership("a"), OWN_USER, *[NO_SUCCESS] * 5)


# Updates of one alert


def test_only_differences_are_sent():
    before = alert(label=["X", "OLD"], priority="LOW", status="TRIAGE")
    after = alert(label=["X", "NEW"], priority="LOW", status="ASSESS")
    changes = AlertChanges(["x", "new"], ["old", "gone"], "low", "assess")
    result, steps = result_of(alerts.update("a", changes), reply(before), SUCCESS, SUCCESS, SUCCESS, reply(after))
    assert sent(steps) == [("POST", "/label/a/"), ("DELETE", "/label/a/"), ("POST", "/status/a/")]
    assert [step.json for step in steps[1:4]] == [["NEW"], ["OLD"], "ASSESS"]
    assert result == {
        "alert_id": "a",
        "sid": "s",
        "changed": ["add_labels", "remove_labels", "status"],
        "labels": ["X", "NEW"],
        "priority": "LOW",
        "status": "ASSESS",
        "owner": None,
    }


def test_an_alert_may_lack_a_submission():
    existing = {"alert_id": "a", "label": ["X"]}
    result, _ = result_of(alerts.update("a", AlertChanges(["x"])), reply(existing))
    assert (result["sid"], result["changed"]) == (None, [])


def test_without_a_difference_nothing_is_sent():
    user_verdicts = {"malicious": [], "non_malicious": ["me"]}
    existing = alert(label=["X"], owner="me", verdict=user_verdicts)
    changes = AlertChanges(["x"], verdict="non_malicious", take_ownership=True)
    result, steps = result_of(alerts.update("a", changes), reply(existing), OWN_USER)
    assert (result["changed"], sent(steps)) == ([], [])


def test_an_alert_of_another_owner_does_not_change():
    changes = AlertChanges(["x"], take_ownership=True)
    existing = reply(alert(owner="you"))
    with pytest.raises(PermissionDeniedError, match="already owned by you"):
        result_of(
            alerts.update("a", changes),
            existing,
            OWN_USER,
            PermissionDeniedError("Alert is already owned by you"),
            existing,
        )


# Updates by query

TRIAGE = AlertChanges(status="TRIAGE")
ALERTS = AlertQuery("x:y", ["z:*"], tc="1d", tc_start="2026-11-24")


def count_reply(total):
    return reply({"items": [], "total": total})


def changed_reply(number):
    return reply({"success": number})


def test_alerts_with_differences_are_changed_by_id_while_the_query_finds_them():
    replies = count_reply(2), items(alert("a"), alert("b", status="TRIAGE")), changed_reply(1)
    result, steps = result_of(batches.update_matching(ALERTS, TRIAGE), *replies)
    assert result == {"found": 2, "to_change": 1, "changed": 1}
    count, listed, batch = steps
    assert count.query["no_delay"] is listed.query["no_delay"] is True
    assert listed.query["rows"] == 100
    assert (batch.method, batch.path) == ("POST", "/api/v4/alert/all/batch/")
    assert batch.query == {"q": "x:y", "fq": ["z:*", 'alert_id:("a")'], "tc": None, "tc_start": None, "no_delay": None}
    assert batch.json == {"labels": [], "removed_labels": [], "priority": None, "status": "TRIAGE"}
    assert not batch.is_idempotent


def test_a_request_covers_no_more_alerts_than_its_url_can_hold():
    found = [alert(f"{number:022}") for number in range(120)]
    result, steps = result_of(
        batches.update_matching(ALERTS, TRIAGE, 200),
        count_reply(120),
        items(*found),
        changed_reply(50),
        changed_reply(50),
        changed_reply(20),
    )
    assert result == {"found": 120, "to_change": 120, "changed": 120}
    assert max(len(step.target) for step in steps) < 2_500


def test_the_number_of_changes_is_between_zero_and_the_differences():
    found = items(alert("a"), alert("b"), alert("c"))
    assert (
        result_of(batches.update_matching(ALERTS, TRIAGE), count_reply(3), found, changed_reply(1))[0]["changed"] == 1
    )
    assert (
        result_of(batches.update_matching(ALERTS, TRIAGE), count_reply(3), found, changed_reply(5))[0]["changed"] == 3
    )


def test_each_alert_gets_its_own_differences():
    mine = {"malicious": ["me"], "non_malicious": []}
    found = items(alert("a", label=["X"]), alert("b", owner="you", verdict=mine), alert("c", owner="me", label=["X"]))
    changes = AlertChanges(["x"], verdict="malicious", take_ownership=True)
    replies = count_reply(3), OWN_USER, found, changed_reply(1), changed_reply(1), SUCCESS, SUCCESS
    result, steps = result_of(batches.update_matching(ALERTS, changes), *replies)
    assert result == {"found": 3, "to_change": 3, "changed": 3}
    paths = ["/all/batch/", "/ownership/batch/", "/verdict/a/malicious/", "/verdict/c/malicious/"]
    assert [path for _, path in sent(steps)] == paths
    pinned = [step.query["fq"][-1] for step in steps if "batch" in step.path]
    assert pinned == ['alert_id:("b")', 'alert_id:("a")']


def test_alerts_that_the_query_no_longer_finds_after_a_change_are_still_taken():
    alert_query, changes = AlertQuery("NOT status:TRIAGE"), AlertChanges(status="TRIAGE", take_ownership=True)
    found = items(alert("a"), alert("b", status="TRIAGE"))
    result, steps = result_of(
        batches.update_matching(alert_query, changes), count_reply(2), OWN_USER, found, *[changed_reply(1)] * 3
    )
    assert result == {"found": 2, "to_change": 2, "changed": 2}
    sent_queries = [(step.query["q"], step.query["fq"]) for step in steps if "batch" in step.path]
    query = "NOT status:TRIAGE"
    assert sent_queries == [(query, ['alert_id:("a")']), (query, ['alert_id:("b")']), (None, ['alert_id:("a")'])]


@pytest.mark.parametrize(
    ("arguments", "replies", "expected"),
    [
        ({"dry_run": True}, [items(alert("a"))], {"found": 1, "to_change": 1, "changed": 0}),
        ({}, [items(alert("a", status="TRIAGE"))], {"found": 1, "to_change": 0, "changed": 0}),
        ({}, [items()], {"found": 1, "to_change": 0, "changed": 0}),
    ],
)
def test_a_dry_run_and_an_update_without_differences_change_nothing(arguments, replies, expected):
    result, steps = result_of(batches.update_matching(ALERTS, TRIAGE, **arguments), count_reply(1), *replies)
    assert (result, sent(steps)) == (expected, [])


def test_too_many_alerts_are_not_even_read():
    with pytest.raises(ValueError, match="max_items is 100, but the query finds 101 alerts; none was changed"):
        result_of(batches.update_matching(ALERTS, TRIAGE), count_reply(101))


@pytest.mark.parametrize("max_items", [0, 10_001])
def test_the_limit_of_an_update_is_at_most_the_servers_maximum(max_items):
    with pytest.raises(ValueError, match="max_items must be a whole number, from 1 to 10000"):
        next(batches.update_matching(ALERTS, TRIAGE, max_items))


def test_a_batch_without_success_is_an_error():
    with pytest.raises(ServerError, match="did not change the alerts"):
        result_of(batches.update_matching(ALERTS, TRIAGE), count_reply(1), items(alert("a")), changed_reply(False))


def test_a_batch_whose_response_was_lost_is_read_back_until_the_index_shows_it():
    before = items(alert("a"))
    replies = count_reply(1), before, OutcomeUnknownError("lost"), before, items(alert("a", status="TRIAGE"))
    result, steps = result_of(batches.update_matching(ALERTS, TRIAGE), *replies)
    assert result == {"found": 1, "to_change": 1, "changed": 1}
    assert (len(sent(steps)), pauses(steps)) == (1, [1.0])
    assert steps[3].query["q"] == 'alert_id:("a")'


def test_a_batch_without_an_effect_for_a_minute_is_repeated():
    looks = [items(alert("a")) for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = count_reply(1), items(alert("a")), OutcomeUnknownError("lost"), *looks, changed_reply(1)
    result, steps = result_of(batches.update_matching(ALERTS, TRIAGE), *replies)
    assert result["changed"] == 1
    assert len(sent(steps)) == 2
