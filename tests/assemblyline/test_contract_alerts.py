"""What must hold of alerts on the stand-in and on a real server.

A real server hides young alerts from its lists, or does not: all lists are asked with ``no_delay``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.api import AlertChanges, AlertQuery
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.assemblyline.triggers import ALERT
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound
from self_hosted.core.flow import Request
from self_hosted.core.wait import Waiter, wait
from tests.assemblyline.conftest import upload

NO_SUCH = "0123456789abcdefABCDEF"


@pytest.fixture
def hook(server) -> AssemblylineHook:
    return AssemblylineHook(server)


@pytest.fixture
def case() -> str:
    """What the alerts of one test have in common, and no others."""
    return uuid.uuid4().hex


@pytest.fixture
def raised(hook: AssemblylineHook, case: str) -> Callable[..., str]:
    """``raised()`` raises one more alert, waits until a search finds it, and returns its id."""

    def make(words: str | None = None) -> str:
        options = {"metadata": {"case": case}, "params": {"generate_alert": True}}
        ingest_id = hook.ingest(upload(words or f"{uuid.uuid4().hex} RIG-SCORE:600"), options)
        seen = wait(hook, ALERT, Waiter(f'alert_id:"{ingest_id}"', time.time() + 30, 0.2))
        assert seen.facts["alert_id"] == ingest_id
        return ingest_id

    return make


def these(case: str, **more: Any) -> AlertQuery:
    return AlertQuery(f'metadata.case:"{case}"', **more)


def eventually(look: Callable[[], Any], expected: Any) -> None:
    """The index catches up in a second or two."""
    deadline = time.time() + 10
    while look() != expected and time.time() < deadline:
        time.sleep(0.2)
    assert look() == expected


def sent(method: str, path: str, body: Any, query: str | None = None):
    """What the server answers to what our flows never send."""
    reply = yield Request(method, f"/api/v4/alert/{path}/", {"q": query}, json=body)
    return reply.json()["api_response"]


def taken_twice(alert_id: str):
    for _ in range(2):
        yield Request("GET", f"/api/v4/alert/ownership/{alert_id}/", repeatable=False)


# Looking


def test_an_alert_has_the_id_of_its_ingest_and_what_was_found(hook, ask, raised, case):
    alert_id = raised()
    alert = ask(hook, api.alert(alert_id))
    assert (alert["alert_id"], alert["al"]["score"], alert["type"]) == (alert_id, 600, "INGEST")
    assert {**alert["metadata"], api.TAG: ""} == {"case": case, "ingest_id": alert_id, api.TAG: ""}
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


def test_an_ingest_of_a_known_file_raises_an_alert_of_its_own(hook, ask, raised):
    words = f"{uuid.uuid4().hex} RIG-SCORE:600"
    first, again = raised(words), raised(words)
    assert ask(hook, api.alert(first))["sid"] == ask(hook, api.alert(again))["sid"]


def test_an_unknown_alert_is_not_found(hook, ask):
    with pytest.raises(NotFound, match="This alert does not exists"):
        ask(hook, api.alert(NO_SUCH))


def test_lists_take_queries_filters_spans_and_moments(hook, ask, raised, case):
    one, other = raised(), raised()

    def listed(which: AlertQuery, **more: Any) -> list[str]:
        return [found["alert_id"] for found in ask(hook, api.alerts(which, no_delay=True, **more))]

    assert listed(these(case)) == [other, one]
    assert listed(these(case), limit=1, sort="reporting_ts asc") == [one]
    assert listed(these(case, filters=["alert_id:*", f'alert_id:("{one}" OR "x")'])) == [one]
    assert listed(these(case, tc="1h")) == [other, one]
    assert listed(these(case, tc_start="2020-01-01T00:00:00Z")) == []
    assert listed(these(case, tc_start="2020-01-01T00:00:00+00:00", tc="4d")) == []
    assert ask(hook, api.alert_count(these(case), no_delay=True)) == 2
    assert sorted(ask(hook, api.related_alerts(these(case)))) == sorted([one, other])


def test_groups_and_counts(hook, ask, raised, case):
    words = f"{uuid.uuid4().hex} RIG-SCORE:600"
    one, other = raised(words), raised(words)
    [group] = ask(hook, api.grouped_alerts("file.sha256", these(case), no_delay=True))
    assert (group["alert_id"], group["group_count"], group["hint_owner"]) == (other, 2, False)
    hook.update_alert(one, AlertChanges(add_labels=["x"], priority="low", status="assess"))
    eventually(lambda: ask(hook, api.alert_counts("labels", these(case), no_delay=True)), {"X": 1})
    assert ask(hook, api.alert_counts("priorities", these(case), no_delay=True)) == {"LOW": 1}
    assert ask(hook, api.alert_counts("statuses", these(case), no_delay=True)) == {"ASSESS": 1}
    assert ask(hook, api.alert_statistics(these(case), no_delay=True))["file.name"] == {"a.txt": 2}


def test_the_server_fails_to_group_by_a_list(hook, ask, raised, case):
    hook.add_alert_labels(raised(), ["x"])
    eventually(lambda: hook.alert_counts("labels", these(case), no_delay=True), {"X": 1})
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, api.grouped_alerts("label", these(case), no_delay=True))


def test_a_query_that_is_none_is_refused_by_lists_and_fails_elsewhere(hook, ask):
    bad = AlertQuery('a:"')
    with pytest.raises(Invalid, match="SearchException"):
        ask(hook, api.alerts(bad))
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, api.related_alerts(bad))
    with pytest.raises(Invalid, match="at least provide a query"):
        ask(hook, api.related_alerts(AlertQuery()))


# Changing one


def test_one_alert_is_changed_in_all_ways_and_once(hook, ask, raised):
    alert_id = raised()
    changes = AlertChanges(["a b", "c"], ["d"], "high", "non-malicious", "malicious", True)
    user = hook.whoami()["username"]
    result = ask(hook, api.update_alert(alert_id, changes))
    assert result.pop("sid")
    assert sorted(result.pop("labels")) == ["A B", "C"]
    assert result == {
        "alert_id": alert_id,
        "changed": ["add_labels", "priority", "status", "verdict", "take_ownership"],
        "priority": "HIGH",
        "status": "NON-MALICIOUS",
        "owner": user,
    }
    history = hook.alert(alert_id)
    assert history["verdict"] == {"malicious": [user], "non_malicious": []}
    assert ask(hook, api.update_alert(alert_id, changes))["changed"] == []
    assert hook.alert(alert_id)["events"] == history["events"]


def test_labels_are_taken_off_and_a_verdict_is_replaced(hook, ask, raised):
    alert_id = raised()
    hook.update_alert(alert_id, AlertChanges(add_labels=["a", "b"], verdict="malicious"))
    ask(hook, api.remove_alert_labels(alert_id, ["a", "q"]))
    ask(hook, api.set_alert_verdict(alert_id, "non_malicious"))
    alert = hook.alert(alert_id)
    assert alert["label"] == ["B"]
    assert [len(alert["verdict"][name]) for name in ("malicious", "non_malicious")] == [0, 1]
    assert hook.submission(alert["sid"])["verdict"] == alert["verdict"]


def test_what_is_ones_own_already_is_taken_without_a_word(hook, ask, raised):
    alert_id = raised()
    with pytest.raises(Forbidden, match="Alert is already owned by"):
        ask(hook, taken_twice(alert_id))
    ask(hook, api.take_alert(alert_id))
    assert hook.alert(alert_id)["owner"] == hook.whoami()["username"]


@pytest.mark.parametrize(
    "flow",
    [
        lambda: api.add_alert_labels(NO_SUCH, ["x"]),
        lambda: api.remove_alert_labels(NO_SUCH, ["x"]),
        lambda: api.set_alert_priority(NO_SUCH, "LOW"),
        lambda: api.set_alert_status(NO_SUCH, "TRIAGE"),
        lambda: api.set_alert_verdict(NO_SUCH, "malicious"),
        lambda: api.take_alert(NO_SUCH),
    ],
)
def test_an_unknown_alert_is_not_changed(hook, ask, flow):
    with pytest.raises(NotFound, match=NO_SUCH):
        ask(hook, flow())


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("priority/{}", "x", "Invalid priority received"),
        ("status/{}", "x", "Invalid status received"),
        ("all/batch", {"priority": "x"}, "Priority X not in priorities"),
        ("all/batch", {"status": "x"}, "Status 'X' not in statuses"),
    ],
)
def test_the_server_refuses_unknown_words(hook, ask, raised, path, body, words):
    with pytest.raises(Invalid, match=words):
        ask(hook, sent("POST", path.format(raised()), body))


def test_the_server_fails_on_labels_that_are_no_texts_and_takes_a_text_for_its_letters(hook, ask, raised):
    alert_id = raised()
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, sent("POST", f"label/{alert_id}", [1]))
    ask(hook, sent("POST", f"label/{alert_id}", "no"))
    assert sorted(hook.alert(alert_id)["label"]) == ["N", "O"]


def test_changing_all_of_one_never_worked(hook, ask, raised):
    with pytest.raises(Broken, match="Internal Server Error"):
        ask(hook, sent("POST", f"all/{raised()}", {"status": "TRIAGE"}))


# Changing many


def test_all_that_a_query_finds_are_changed_and_once(hook, ask, raised, case):
    ids = [raised(), raised()]
    changes = AlertChanges(["a"], ["b"], "medium", "assess", "malicious", True)
    assert ask(hook, api.update_alerts(these(case), changes, dry_run=True)) == {
        "found": 2,
        "to_change": 2,
        "changed": 0,
    }
    assert ask(hook, api.update_alerts(these(case), changes)) == {"found": 2, "to_change": 2, "changed": 2}
    user = hook.whoami()["username"]
    for alert_id in ids:
        alert = hook.alert(alert_id)
        assert (alert["label"], alert["priority"], alert["status"], alert["owner"]) == (["A"], "MEDIUM", "ASSESS", user)
        assert (alert["verdict"]["malicious"], len(alert["events"])) == ([user], 1)
    unchanged = {"found": 2, "to_change": 0, "changed": 0}
    eventually(lambda: ask(hook, api.update_alerts(these(case), changes, dry_run=True)), unchanged)
    assert ask(hook, api.update_alerts(these(case), changes)) == unchanged
    assert len(hook.alert(ids[0])["events"]) == 1


def test_only_those_that_lack_something_are_changed(hook, ask, raised, case):
    one, other = raised(), raised()
    hook.set_alert_status(one, "TRIAGE")
    eventually(lambda: hook.alert_counts("statuses", these(case), no_delay=True), {"TRIAGE": 1})
    result = ask(hook, api.update_alerts(these(case), AlertChanges(status="TRIAGE")))
    assert result == {"found": 2, "to_change": 1, "changed": 1}
    assert [len(hook.alert(alert_id)["events"]) for alert_id in (one, other)] == [1, 1]


def test_what_the_query_finds_no_more_once_it_is_marked_is_taken_all_the_same(hook, ask, raised, case):
    alert_id, changes = raised(), AlertChanges(status="TRIAGE", take_ownership=True)
    result = ask(hook, api.update_alerts(these(case, filters=["NOT status:TRIAGE"]), changes))
    assert result == {"found": 1, "to_change": 1, "changed": 1}
    alert = hook.alert(alert_id)
    assert (alert["status"], alert["owner"]) == ("TRIAGE", hook.whoami()["username"])


def test_more_than_may_be_are_not_changed(hook, ask, raised, case):
    ids = [raised(), raised()]
    with pytest.raises(ValueError, match="at_most is 1, and the query finds 2 alerts: none was changed"):
        ask(hook, api.update_alerts(these(case), AlertChanges(status="TRIAGE"), at_most=1))
    assert [hook.alert(alert_id)["status"] for alert_id in ids] == [None, None]


def test_a_batch_notes_in_each_history_what_made_no_difference_too(hook, ask, raised):
    alert_id = raised()
    for _ in range(2):
        assert ask(hook, sent("POST", "all/batch", {"status": "assess"}, f'alert_id:"{alert_id}"')) == {"success": 1}
    assert [one["status"] for one in hook.alert(alert_id)["events"]] == ["ASSESS", "ASSESS"]


def test_a_batch_does_not_tell_that_it_could_not_read_the_query(hook, ask):
    assert ask(hook, sent("POST", "all/batch", {"status": "assess"}, 'a:"')) == {"success": False}
