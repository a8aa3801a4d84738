"""Events are stored once."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.ayon.api import events
from self_hosted.ayon.hook import AyonHook
from tests.conftest import Served

VALUES: dict[str, Any] = {"description": "shots are ready", "project": "film", "summary": {"shots": 3}}


def test_an_event_has_the_given_values(served: Served, hook: AyonHook):
    event_id = hook.dispatch_event("airflow.done", "run-1", **VALUES)
    assert event_id is not None
    event = hook.get_event(event_id)
    assert {name: event[name] for name in VALUES} == VALUES
    assert (event["topic"], event["status"]) == ("airflow.done", "finished")


def test_an_event_with_the_same_hash_is_not_stored_again(served: Served, hook: AyonHook):
    hook.dispatch_event("airflow.done", "run-1")
    assert hook.dispatch_event("airflow.done", "run-1") is None
    assert [event["topic"] for event in served.tables()["events"]] == ["airflow.done"]


@pytest.mark.parametrize("topic", ["server.restart_requested", "1a", "a b", "", "ab"])
def test_an_invalid_or_reserved_topic_is_rejected(topic: str):
    with pytest.raises(ValueError, match=r"^topic must be"):
        next(events.dispatch(topic, "run-1"))


def test_a_summary_must_be_json():
    with pytest.raises(ValueError, match=r"^summary must consist of plain JSON"):
        next(events.dispatch("airflow.done", "run-1", summary={"at": object()}))
