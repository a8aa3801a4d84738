"""Ingesting into the stand-in, and what it does while a component is paused."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.asking import found, message


def test_an_ingest_becomes_a_submission_with_another_id_and_forced_params(call, ingest):
    ingest_id = ingest("x", '{"params": {"priority": 900, "description": "d", "max_extracted": 7}}')
    [item] = found(call, f'metadata.ingest_id:"{ingest_id}"', fl="*")["items"]
    assert item["sid"] != ingest_id
    params = item["params"]
    assert (params["priority"], params["max_extracted"], params["description"]) == (250, 100, "[INGEST] d")
    assert set(item["metadata"]) == {"ingest_id", "type", "ts"}


@pytest.mark.parametrize(
    ("options", "submissions"), [("{}", 1), ('{"params": {"deep_scan": true}}', 2), ('{"metadata": {"a": "b"}}', 1)]
)
def test_a_file_with_the_same_params_makes_no_second_submission(served, ingest, options, submissions):
    ids = {ingest("x"), ingest("x", options)}
    assert len(ids) == 2
    assert len(served.tables()["submissions"]) == submissions


@pytest.mark.parametrize(("words", "submissions"), [("x", 2), ("RIG-SLEEP:60", 1)])
def test_ignore_cache_helps_once_the_earlier_submission_is_completed(served, ingest, words, submissions):
    served.seed({"delay": 0})
    for _ in range(2):
        ingest(words, '{"params": {"ignore_cache": true}}')
    assert len(served.tables()["submissions"]) == submissions


def test_what_was_submitted_is_not_known_to_the_ingester(served, submit, ingest):
    submit("x")
    ingest("x")
    assert len(served.tables()["submissions"]) == 2


def test_generate_alert_beside_params_is_ignored(call, ingest):
    ingest("x", '{"generate_alert": true}')
    assert found(call, "*", fl="params")["items"][0]["params"]["generate_alert"] is False


def test_a_threshold_must_be_a_number(call):
    reply = call("POST", "ingest/", json={"plaintext": "x", "notification_threshold": "a"})
    assert message(reply) == (400, "notification_threshold should be and int")


def test_running_ingests_have_a_quota_of_their_own(served, submit, ingest, call):
    served.seed({"quotas": {"concurrent_submissions": 1, "concurrent_ingests": 1}, "delay": 60})
    ingest("x")
    assert submit("y").ok
    reply = call("POST", "ingest/", json={"plaintext": "z"})
    assert message(reply) == (503, "You've exceeded your maximum async concurrent submission quota of 1")


def test_a_component_is_active_unless_it_is_paused_or_unknown(served, call):
    served.seed({"paused": ["dispatcher"]})
    asked = {name: call("GET", f"system/status/{name}/").json()["api_response"] for name in ("ALL", "ingester", "x")}
    assert asked == {
        "ALL": {"ingester": True, "dispatcher": False},
        "ingester": {"ingester": True},
        "x": {"x": False},
    }


def test_a_paused_dispatcher_brings_to_an_end_what_it_has_and_takes_up_nothing(served, call, submit):
    running = submit("RIG-SLEEP:60").json()["api_response"]["sid"]
    served.seed({"paused": ["dispatcher"], "delay": 0})
    waiting = submit("x").json()["api_response"]["sid"]
    assert call("GET", f"live/setup_watch_queue/{running}/").json()["api_response"]["wq_id"].endswith("-WQ")
    reply = call("GET", f"live/setup_watch_queue/{waiting}/")
    assert message(reply) == (404, "No dispatchers are processing this submission.")
    assert call("GET", f"submission/is_completed/{waiting}/").json()["api_response"] is False
    served.seed({"paused": []})
    assert call("GET", f"submission/is_completed/{waiting}/").json()["api_response"] is True


def test_a_paused_ingester_makes_no_submissions_before_it_goes_on(served, ingest):
    served.seed({"paused": ["ingester"]})
    ingest("x")
    assert served.tables()["submissions"] == []
    served.seed({"paused": []})
    assert len(served.tables()["submissions"]) == 1
