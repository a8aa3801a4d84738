"""The flows of alerts, by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.api import AlertChanges, AlertQuery
from self_hosted.core.errors import Broken, Forbidden, Uncertain
from self_hosted.core.flow import Flow, Pause
from tests.assemblyline.flows import items, reply, result_of

ME = reply({"username": "me"})
DONE, NOTHING_DONE = reply({"success": True}), reply({"success": False})


def alert(alert_id: str = "a", **fields: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {"label": [], "priority": None, "status": None, "owner": None}
    return {"alert_id": alert_id, "sid": "s", "verdict": {"malicious": [], "non_malicious": []}, **blank, **fields}


def first(flow: Flow[Any]) -> Any:
    """The first request of a flow."""
    return next(flow)


def sent(steps):
    """Method and path of the requests that change something."""
    changing = {"PUT", "POST", "DELETE"}
    return [
        (step.method, step.path.removeprefix("/api/v4/alert"))
        for step in steps
        if not isinstance(step, Pause) and (step.method in changing or "/ownership/" in step.path)
    ]


def pauses(steps):
    return [step.seconds for step in steps if isinstance(step, Pause)]


# Which alerts


@pytest.mark.parametrize(
    ("which", "target"),
    [
        (AlertQuery(), ""),
        (AlertQuery("a:b"), "?q=a%3Ab"),
        (AlertQuery("a:b", ["c:d", "e:f"], "4d"), "?q=a%3Ab&fq=c%3Ad&fq=e%3Af&tc=4d"),
        (AlertQuery(tc_start="2026-11-24 06:00:00+00:00"), "?tc_start=2026-11-24T06%3A00%3A00%2B00%3A00"),
    ],
)
def test_a_query_is_sent_in_the_servers_terms(which, target):
    assert first(api.alert_statistics(which)).target == f"/api/v4/alert/statistics/{target}"


def test_young_alerts_are_asked_for_by_a_name_whose_value_does_not_count():
    assert first(api.alert_count()).query["no_delay"] is None
    assert first(api.alert_count(no_delay=True)).query["no_delay"] is True


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (AlertQuery(tc="4 days"), "tc must be a number with a unit"),
        (AlertQuery(tc="d"), "tc must be a number with a unit"),
        (AlertQuery(tc_start="yesterday"), "tc_start must be a moment such as 2026-11-24T06:00:00Z"),
    ],
)
def test_a_span_or_moment_that_is_none_is_named_before_anything_is_sent(which, words):
    for flow in (api.alerts, api.alert_count, api.related_alerts):
        with pytest.raises(ValueError, match=words):
            next(flow(which))


@pytest.mark.parametrize("query", ["", " ", "*", "*:*", "alert_id:*"])
def test_a_query_that_takes_all_needs_the_word_for_it(query):
    changes = AlertChanges(status="TRIAGE")
    with pytest.raises(ValueError, match=r"query must keep some alerts out, .* everything=True"):
        next(api.update_alerts(AlertQuery(query, filters=["*"], tc_start="2026-11-24"), changes))
    for which in (AlertQuery(query, tc="1d"), AlertQuery(query, filters=["status:TRIAGE"])):
        assert first(api.update_alerts(which, changes)).path == "/api/v4/alert/list/"
    assert first(api.update_alerts(AlertQuery(query), changes, everything=True)).path == "/api/v4/alert/list/"


# Looking


def page(first, last):
    return [alert(str(number)) for number in range(first, last)]


def test_a_list_is_read_page_by_page_and_shows_what_moved_to_the_next_page_once():
    found, steps = result_of(api.alerts(limit=1200), items(*page(0, 500)), items(*page(498, 998)), items())
    assert [one["alert_id"] for one in found] == [str(number) for number in range(998)]
    assert [(step.query["offset"], step.query["rows"]) for step in steps] == [(0, 500), (500, 500), (1000, 200)]


def test_a_list_ends_with_a_page_that_is_not_full():
    assert len(result_of(api.alerts(limit=900), items(alert()))[1]) == 1


def test_further_pages_of_groups_are_of_the_moment_of_the_first():
    newest = reply({"items": page(0, 500), "tc_start": "2026-11-24T06:00:00Z"})
    _, steps = result_of(api.grouped_alerts("file.sha256", limit=501), newest, items(alert("b")))
    assert [step.query["tc_start"] for step in steps] == [None, "2026-11-24T06:00:00Z"]


def test_more_than_the_server_shows_is_not_asked_for():
    with pytest.raises(ValueError, match="limit must be at most 10000"):
        next(api.alerts(limit=10_001))


def test_an_unknown_count_is_named():
    with pytest.raises(ValueError, match="of must be one of labels, priorities, statuses, not 'owners'"):
        next(api.alert_counts("owners"))


def test_the_page_of_an_alert_and_of_many():
    assert api.alert_url("https://a.example", "x/y") == "https://a.example/alerts/x%2Fy"
    url = api.alerts_url("https://a.example", AlertQuery("a:b", ["c:d"], "4d"))
    assert url == "https://a.example/alerts?q=a%3Ab&fq=c%3Ad&tc=4d"


# What may be changed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (AlertChanges(), "nothing is to be changed: give at least one of add_labels, remove_labels, priority"),
        (AlertChanges(add_labels="x"), "add_labels must be a list of texts"),
        (AlertChanges(remove_labels=["x", " "]), "remove_labels must be a list of texts that are not empty"),
        (AlertChanges(add_labels=[7]), "add_labels must be a list of texts"),  # type: ignore[list-item]
        (AlertChanges(["x", "y"], ["Y"]), "remove_labels must hold none of add_labels, and both hold Y"),
        (AlertChanges(priority="urgent"), "priority must be one of LOW, MEDIUM, HIGH, CRITICAL, not 'urgent'"),
        (AlertChanges(status="DONE"), "status must be one of MALICIOUS, NON-MALICIOUS, ASSESS, TRIAGE, not 'DONE'"),
        (AlertChanges(verdict="safe"), "verdict must be one of malicious, non_malicious, not 'safe'"),
    ],
)
def test_what_the_server_does_not_know_is_named_before_anything_is_sent(changes, words):
    for flow in (api.update_alert("a", changes), api.update_alerts(AlertQuery("a:b"), changes)):
        with pytest.raises(ValueError, match=words):
            next(flow)


@pytest.mark.parametrize(
    ("flow", "method", "path", "body"),
    [
        (api.add_alert_labels("a/b", ["x", "X", "y"]), "POST", "label/a%2Fb", ["X", "Y"]),
        (api.remove_alert_labels("a", ["x"]), "DELETE", "label/a", ["X"]),
        (api.set_alert_priority("a", "high"), "POST", "priority/a", "HIGH"),
        (api.set_alert_status("a", "non-malicious"), "POST", "status/a", "NON-MALICIOUS"),
        (api.set_alert_verdict("a", "MALICIOUS"), "PUT", "verdict/a/malicious", None),
    ],
)
def test_a_change_is_sent_as_the_server_keeps_it_and_may_be_repeated(flow, method, path, body):
    result, [request] = result_of(flow, DONE)
    assert result is None
    assert (request.method, request.path) == (method, f"/api/v4/alert/{path}/")
    assert request.may_be_repeated
    if body:
        assert json.dumps(request.json) == json.dumps(body)


def test_without_success_it_is_tried_again_for_somebody_else_may_be_changing_the_alert():
    _, steps = result_of(api.set_alert_status("a", "TRIAGE"), NOTHING_DONE, NOTHING_DONE, DONE)
    assert pauses(steps) == [1.0, 2.0]


def test_without_success_at_all_it_is_broken():
    with pytest.raises(Broken, match="did not change the alert"):
        result_of(api.set_alert_verdict("a", "malicious"), *[NOTHING_DONE] * 5)


# Ownership


def test_an_alert_is_taken_by_a_get_that_is_not_repeated():
    _, steps = result_of(api.take_alert("a"), ME, DONE)
    assert sent(steps) == [("GET", "/ownership/a/")]
    assert not steps[-1].may_be_repeated


def test_an_alert_that_is_ones_own_is_taken_and_that_of_others_is_not():
    refused = Forbidden("Alert is already owned by somebody")
    result_of(api.take_alert("a"), ME, refused, reply(alert(owner="me")))
    with pytest.raises(Forbidden, match="alert a is already owned by you"):
        result_of(api.take_alert("a"), ME, refused, reply(alert(owner="you")))


def test_who_may_not_take_alerts_is_told_so():
    with pytest.raises(Forbidden, match="requires one of the following roles"):
        result_of(api.take_alert("a"), ME, Forbidden("requires one of the following roles: x"), reply(alert()))


def test_a_lost_answer_is_read_back_and_another_owner_is_told():
    _, steps = result_of(api.take_alert("a"), ME, Uncertain("lost"), reply(alert()), reply(alert(owner="me")))
    assert len(sent(steps)) == 1
    with pytest.raises(Forbidden, match="already owned by you"):
        result_of(api.take_alert("a"), ME, Uncertain("lost"), reply(alert(owner="you")))


def test_what_left_no_trace_for_a_minute_is_sent_once_more():
    looks = [reply(alert()) for _ in range(1 + len(api.LOOKS))]
    _, steps = result_of(api.take_alert("a"), ME, Uncertain("lost"), *looks, DONE)
    assert len(sent(steps)) == 2


def test_an_owner_who_is_not_changed_for_no_reason_is_broken():
    with pytest.raises(Broken, match="did not change the owner"):
        result_of(api.take_alert("a"), ME, *[NOTHING_DONE] * 5)


# One alert


def test_only_what_differs_is_sent():
    before = alert(label=["X", "OLD"], priority="LOW", status="TRIAGE")
    after = alert(label=["X", "NEW"], priority="LOW", status="ASSESS")
    changes = AlertChanges(["x", "new"], ["old", "gone"], "low", "assess")
    result, steps = result_of(api.update_alert("a", changes), reply(before), DONE, DONE, DONE, reply(after))
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


def test_where_nothing_differs_nothing_is_sent():
    judged = {"malicious": [], "non_malicious": ["me"]}
    there = alert(label=["X"], owner="me", verdict=judged)
    changes = AlertChanges(["x"], verdict="non_malicious", take_ownership=True)
    result, steps = result_of(api.update_alert("a", changes), reply(there), ME)
    assert (result["changed"], sent(steps)) == ([], [])


def test_the_alert_of_somebody_else_stays_as_it_is():
    changes = AlertChanges(["x"], take_ownership=True)
    there = reply(alert(owner="you"))
    with pytest.raises(Forbidden, match="already owned by you"):
        result_of(api.update_alert("a", changes), there, ME, Forbidden("Alert is already owned by you"), there)


# Many alerts

TRIAGE = AlertChanges(status="TRIAGE")
WHICH = AlertQuery("x:y", ["z:*"], tc="1d", tc_start="2026-11-24")


def counted(total):
    return reply({"items": [], "total": total})


def changed(number):
    return reply({"success": number})


def test_those_that_lack_something_are_changed_by_their_ids_while_the_query_finds_them():
    replies = counted(2), items(alert("a"), alert("b", status="TRIAGE")), changed(1)
    result, steps = result_of(api.update_alerts(WHICH, TRIAGE), *replies)
    assert result == {"found": 2, "to_change": 1, "changed": 1}
    count, listed, batch = steps
    assert count.query["no_delay"] is listed.query["no_delay"] is True
    assert listed.query["rows"] == 100
    assert (batch.method, batch.path) == ("POST", "/api/v4/alert/all/batch/")
    assert batch.query == {"q": "x:y", "fq": ["z:*", 'alert_id:("a")'], "tc": None, "tc_start": None, "no_delay": None}
    assert batch.json == {"labels": [], "removed_labels": [], "priority": None, "status": "TRIAGE"}
    assert not batch.may_be_repeated


def test_no_request_is_for_more_alerts_than_its_url_can_hold():
    found = [alert(f"{number:022}") for number in range(120)]
    result, steps = result_of(
        api.update_alerts(WHICH, TRIAGE, 200), counted(120), items(*found), changed(50), changed(50), changed(20)
    )
    assert result == {"found": 120, "to_change": 120, "changed": 120}
    assert max(len(step.target) for step in steps) < 2_500


def test_what_fits_no_more_or_was_changed_twice_does_not_count():
    found = items(alert("a"), alert("b"), alert("c"))
    assert result_of(api.update_alerts(WHICH, TRIAGE), counted(3), found, changed(1))[0]["changed"] == 1
    assert result_of(api.update_alerts(WHICH, TRIAGE), counted(3), found, changed(5))[0]["changed"] == 3


def test_each_alert_gets_what_it_lacks():
    mine = {"malicious": ["me"], "non_malicious": []}
    found = items(alert("a", label=["X"]), alert("b", owner="you", verdict=mine), alert("c", owner="me", label=["X"]))
    changes = AlertChanges(["x"], verdict="malicious", take_ownership=True)
    replies = counted(3), ME, found, changed(1), changed(1), DONE, DONE
    result, steps = result_of(api.update_alerts(WHICH, changes), *replies)
    assert result == {"found": 3, "to_change": 3, "changed": 3}
    paths = ["/all/batch/", "/ownership/batch/", "/verdict/a/malicious/", "/verdict/c/malicious/"]
    assert [path for _, path in sent(steps)] == paths
    pinned = [step.query["fq"][-1] for step in steps if "batch" in step.path]
    assert pinned == ['alert_id:("b")', 'alert_id:("a")']


def test_what_the_query_finds_no_more_once_it_is_changed_is_taken_all_the_same():
    which, changes = AlertQuery("NOT status:TRIAGE"), AlertChanges(status="TRIAGE", take_ownership=True)
    found = items(alert("a"), alert("b", status="TRIAGE"))
    result, steps = result_of(api.update_alerts(which, changes), counted(2), ME, found, *[changed(1)] * 3)
    assert result == {"found": 2, "to_change": 2, "changed": 2}
    asked = [(step.query["q"], step.query["fq"]) for step in steps if "batch" in step.path]
    query = "NOT status:TRIAGE"
    assert asked == [(query, ['alert_id:("a")']), (query, ['alert_id:("b")']), (None, ['alert_id:("a")'])]


@pytest.mark.parametrize(
    ("more", "replies", "result"),
    [
        ({"dry_run": True}, [items(alert("a"))], {"found": 1, "to_change": 1, "changed": 0}),
        ({}, [items(alert("a", status="TRIAGE"))], {"found": 1, "to_change": 0, "changed": 0}),
        ({}, [items()], {"found": 1, "to_change": 0, "changed": 0}),
    ],
)
def test_a_dry_run_and_one_with_nothing_to_change_change_nothing(more, replies, result):
    found, steps = result_of(api.update_alerts(WHICH, TRIAGE, **more), counted(1), *replies)
    assert (found, sent(steps)) == (result, [])


def test_more_alerts_than_may_be_are_not_even_read():
    with pytest.raises(ValueError, match="at_most is 100, and the query finds 101 alerts: none was changed"):
        result_of(api.update_alerts(WHICH, TRIAGE), counted(101))


@pytest.mark.parametrize("at_most", [0, 10_001])
def test_no_more_can_be_allowed_than_the_server_shows(at_most):
    with pytest.raises(ValueError, match="at_most must be from 1 to 10000"):
        next(api.update_alerts(WHICH, TRIAGE, at_most))


def test_a_batch_without_success_is_broken():
    with pytest.raises(Broken, match="did not change the alerts"):
        result_of(api.update_alerts(WHICH, TRIAGE), counted(1), items(alert("a")), changed(False))


def test_a_batch_whose_answer_is_lost_is_read_back_until_the_index_shows_its_work():
    there = items(alert("a"))
    replies = counted(1), there, Uncertain("lost"), there, items(alert("a", status="TRIAGE"))
    result, steps = result_of(api.update_alerts(WHICH, TRIAGE), *replies)
    assert result == {"found": 1, "to_change": 1, "changed": 1}
    assert (len(sent(steps)), pauses(steps)) == (1, [1.0])
    assert steps[3].query["q"] == 'alert_id:("a")'


def test_a_batch_that_did_nothing_for_a_minute_is_sent_once_more():
    looks = [items(alert("a")) for _ in range(1 + len(api.LOOKS))]
    replies = counted(1), items(alert("a")), Uncertain("lost"), *looks, changed(1)
    result, steps = result_of(api.update_alerts(WHICH, TRIAGE), *replies)
    assert result["changed"] == 1
    assert len(sent(steps)) == 2
