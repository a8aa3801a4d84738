"""Ingestion, paused components, and notification queues."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import OTHER_USER_KEY


def test_an_ingest_becomes_a_submission_with_another_id_and_changed_parameters(search, ingest):
    ingest_id = ingest("x", params={"priority": 900, "description": "d", "max_extracted": 7})
    [item] = search(f'metadata.ingest_id:"{ingest_id}"', fl="*")["items"]
    assert item["sid"] != ingest_id
    params = item["params"]
    assert (params["priority"], params["max_extracted"], params["description"]) == (250, 100, "[INGEST] d")
    assert set(item["metadata"]) == {"ingest_id", "type", "ts"}


@pytest.mark.parametrize(
    ("options", "submissions"), [({}, 1), ({"params": {"deep_scan": True}}, 2), ({"metadata": {"a": "b"}}, 1)]
)
def test_a_duplicate_with_the_same_parameters_creates_no_submission(served, ingest, options, submissions):
    ids = {ingest("x"), ingest("x", **options)}
    assert len(ids) == 2
    assert len(served.tables()["submissions"]) == submissions


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("content", "submissions"), [("x", 2), ("RIG-SLEEP:60", 1)])
def test_ignore_cache_applies_after_the_earlier_submission_is_completed(served, ingest, content, submissions):
    for _ in range(2):
        ingest(content, params={"ignore_cache": True})
    assert len(served.tables()["submissions"]) == submissions


def test_the_ingester_does_not_reuse_a_submission_without_ingest(served, submit, ingest):
    submit("x")
    ingest("x")
    assert len(served.tables()["submissions"]) == 2


def test_generate_alert_outside_of_params_is_ignored(search, ingest):
    ingest("x", generate_alert=True)
    assert search("*", fl="params")["items"][0]["params"]["generate_alert"] is False


def test_a_threshold_must_be_a_number(call):
    reply = call("POST", "ingest/", json={"plaintext": "x", "notification_threshold": "a"})
    assert reply.error == (400, "notification_threshold should be and int")


def test_concurrent_ingests_have_their_own_quota(served, upload, ingest, call):
    served.seed({"quotas": {"concurrent_submissions": 1, "concurrent_ingests": 1}, "delay": 60})
    ingest("x")
    assert upload("submit/", "y").status == 200
    message = "You've exceeded your maximum async concurrent submission quota of 1"
    assert call("POST", "ingest/", json={"plaintext": "z"}).error == (503, message)


def test_a_component_is_active_unless_it_is_paused_or_unknown(served, call):
    served.seed({"paused": ["dispatcher"]})
    statuses = {name: call("GET", f"system/status/{name}/").response for name in ("ALL", "ingester", "x")}
    assert statuses == {
        "ALL": {"ingester": True, "dispatcher": False},
        "ingester": {"ingester": True},
        "x": {"x": False},
    }


def test_a_paused_dispatcher_completes_running_submissions_and_starts_none(served, call, submit):
    running = submit("RIG-SLEEP:60")["sid"]
    served.seed({"paused": ["dispatcher"], "delay": 0})
    queued = submit("x")["sid"]
    assert call("GET", f"live/setup_watch_queue/{running}/").response["wq_id"].endswith("-WQ")
    message = "No dispatchers are processing this submission."
    assert call("GET", f"live/setup_watch_queue/{queued}/").error == (404, message)
    assert call("GET", f"submission/is_completed/{queued}/").response is False
    served.seed({"paused": []})
    assert call("GET", f"submission/is_completed/{queued}/").response is True


def test_a_paused_ingester_creates_submissions_after_the_pause(served, ingest):
    served.seed({"paused": ["ingester"]})
    ingest("x")
    assert served.tables()["submissions"] == []
    served.seed({"paused": []})
    assert len(served.tables()["submissions"]) == 1


# Notification queues


@pytest.fixture
def notify(ingest):
    """``notify("a")``: the id of an ingest with the notification queue "q"."""
    return lambda content="RIG-SCORE:5", **options: ingest(content, notification_queue="q", **options)


@pytest.mark.usefixtures("fast")
def test_a_message_is_removed_when_it_is_read_and_is_hidden_from_other_users(call, notify):
    ingest_id = notify()
    assert call("GET", "ingest/get_message/q/", OTHER_USER_KEY).response is None
    assert call("GET", "ingest/get_message/q/").response["ingest_id"] == ingest_id
    assert call("GET", "ingest/get_message/q/").response is None


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("size", "count"), [("1", 1), ("2", 2), ("0", 0), ("-1", 3), ("", 3)])
def test_the_page_size_limits_the_number_of_messages(call, notify, size, count):
    for _ in range(3):
        notify()
    query = f"?page_size={size}" if size else ""
    assert len(call("GET", f"ingest/get_message_list/q/{query}").response) == count


def test_an_invalid_page_size_is_an_internal_error(call):
    assert call("GET", "ingest/get_message_list/q/?page_size=a").status == 500


@pytest.mark.usefixtures("fast")
def test_the_threshold_suppresses_low_scores_and_no_failures(served, call, notify, search):
    notify(notification_threshold=6)
    assert call("GET", "ingest/get_message/q/").response is None
    served.seed({"messages": {"dropping": True}})
    notify("other", notification_threshold=6)
    dropped = call("GET", "ingest/get_message/q/").response
    assert (dropped["failure"], dropped["score"]) == ("Skipped", None)
    assert search("*")["total"] == 1
