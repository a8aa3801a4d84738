"""Alerts: how submissions raise them, single alerts, and lists."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("fast")
ALERTING = {"params": {"generate_alert": True}}


@pytest.fixture
def list_ids(call):
    """``list_ids(q="...")``: the ids of a list, including the newest alerts."""

    def list_alerts(**query):
        reply = call("GET", "alert/list/", params={"no_delay": "", **query})
        assert reply.status == 200, reply.message
        return [alert["alert_id"] for alert in reply.response["items"]]

    return list_alerts


@pytest.fixture
def seed(served):
    """``seed({"alert_id": "a"}, delay=0)``: add alerts, and change the delay."""
    return lambda *alerts, **options: served.seed({"alerts": {"alerts": list(alerts), **options}})


# Alerts of submissions


def test_an_ingest_with_a_high_score_raises_an_alert_with_its_id(call, ingest):
    ingest_id = ingest("RIG-SCORE:600", metadata={"case": "7"}, **ALERTING)
    alert = call("GET", f"alert/{ingest_id}/").response
    assert alert["metadata"] == {"case": "7", "ingest_id": ingest_id}
    assert (alert["type"], alert["al"]["score"], alert["file"]["name"]) == ("INGEST", 600, "a.txt")
    assert (alert["owner"], alert["priority"], alert["status"], alert["label"]) == (None, None, None, [])
    assert alert["submission_relations"] == [{"child": alert["sid"], "parent": None}]


def test_the_alert_of_a_submission_has_its_id(call, submit):
    sid = submit("RIG-SCORE:500", **ALERTING)["sid"]
    alert = call("GET", f"alert/{sid}/").response
    assert (alert["alert_id"], alert["sid"], alert["type"]) == (sid, sid, "USER")


def test_a_duplicate_ingest_raises_an_alert_for_the_earlier_submission(call, ingest, list_ids):
    first, second = ingest("RIG-SCORE:600", **ALERTING), ingest("RIG-SCORE:600", **ALERTING)
    assert sorted(list_ids()) == sorted([first, second])
    sids = {call("GET", f"alert/{alert_id}/").response["sid"] for alert_id in (first, second)}
    assert len(sids) == 1


@pytest.mark.parametrize(
    ("content", "options"),
    [("RIG-SCORE:499", ALERTING), ("RIG-SCORE:600", {}), ("RIG-SCORE:600 RIG-SLEEP:60", ALERTING)],
    ids=["low score", "not requested", "running"],
)
def test_other_ingests_raise_no_alert(ingest, list_ids, content, options):
    ingest(content, **options)
    assert list_ids() == []


# Single alerts and lists


def test_an_unknown_alert_is_not_found(call):
    assert call("GET", "alert/nosuch/") == (404, "This alert does not exists...", "")


def test_lists_hide_new_alerts_unless_there_is_a_parameter_no_delay_with_any_value(call, seed, list_ids):
    seed({"alert_id": "new"}, {"alert_id": "old", "reporting_ts": "2020-01-01T00:00:00Z"})
    assert [alert["alert_id"] for alert in call("GET", "alert/list/").response["items"]] == ["old"]
    assert list_ids(no_delay="false") == ["new", "old"]
    seed(delay=0)
    assert len(call("GET", "alert/list/").response["items"]) == 2


def test_a_list_supports_filters_time_ranges_pages_and_a_sort_order(seed, list_ids):
    seed(
        {"alert_id": "a", "label": ["X"], "reporting_ts": "2026-01-01T00:00:00Z"},
        {"alert_id": "b", "label": ["X"], "reporting_ts": "2026-01-03T00:00:00Z"},
        {"alert_id": "c", "reporting_ts": "2026-01-02T00:00:00Z"},
    )
    assert list_ids() == ["b", "c", "a"]
    assert list_ids(q="label:X", fq="alert_id:(a OR c)") == ["a"]
    assert list_ids(tc_start="2026-01-02T12:00:00Z") == ["c", "a"]
    assert list_ids(tc_start="2026-01-03T12:00:00Z", tc="2d") == ["b", "c"]
    assert list_ids(sort="alert_id asc", offset=1, rows=1) == ["b"]


def test_an_invalid_query_is_an_error_of_lists_and_an_internal_error_of_related_alerts(call):
    invalid = {"params": {"q": 'a:"'}}
    assert call("GET", "alert/list/", **invalid).error == (400, 'SearchException: Failed to parse query [a:"]')
    assert call("GET", "alert/related/", **invalid).error == (500, "Internal Server Error")
    message = "You need to at least provide a query to filter the data"
    assert call("GET", "alert/related/") == (400, message, [])


def test_related_alerts_include_new_ones(call, seed):
    seed({"alert_id": "a"}, {"alert_id": "b"})
    assert sorted(call("GET", "alert/related/", params={"fq": "alert_id:*"}).response) == ["a", "b"]


def test_groups_contain_their_newest_alert_and_whether_a_similar_one_has_an_owner(call, seed):
    files = [{"sha256": "aa", "name": "1"}, {"sha256": "aa", "name": "2"}, {"sha256": "bb", "name": "3"}]
    alerts = [
        {"alert_id": str(number), "file": file, "reporting_ts": f"2026-01-0{number + 1}T00:00:00Z"}
        for number, file in enumerate(files)
    ]
    seed({**alerts[0], "owner": "admin"}, *alerts[1:])
    groups = call("GET", "alert/grouped/file.sha256/").response
    items = [(item["alert_id"], item["group_count"], item["hint_owner"]) for item in groups["items"]]
    assert items == [("2", 1, False), ("1", 2, True)]
    assert groups["counted_total"] == 3
    assert groups["tc_start"] < "9"


def test_grouping_by_a_list_is_an_internal_error(call, seed):
    seed({"label": ["X"]})
    reply = call("GET", "alert/grouped/label/", params={"no_delay": ""})
    assert reply.error == (500, "Internal Server Error")


def test_counts_contain_the_ten_most_frequent_values(call, seed):
    seed(*({"label": [f"L{number}"], "priority": "LOW"} for number in range(12)))
    without_delay = {"params": {"no_delay": ""}}
    assert len(call("GET", "alert/labels/", **without_delay).response) == 10
    assert call("GET", "alert/priorities/", **without_delay).response == {"LOW": 12}
    assert call("GET", "alert/statuses/", **without_delay).response == {}
    assert call("GET", "alert/labels/").response == {}
    assert len(call("GET", "alert/statistics/", **without_delay).response) == 9
