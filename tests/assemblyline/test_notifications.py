"""Notification queues, and ontologies."""

from __future__ import annotations

import json

import pytest

from self_hosted.assemblyline.api import ontologies
from self_hosted.assemblyline.api.submissions import notifications
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, PermissionDeniedError
from self_hosted.core.tasks.storage import atomic_writer

QUEUE = {"notification_queue": "nightly"}


def take_all(hook, queue="nightly"):
    return hook.take_notifications(queue)


@pytest.fixture(autouse=True)
def _no_delay(served):
    served.seed({"delay": 0})


def test_a_message_is_removed_when_it_is_read(hook, ingested):
    ingest_id = ingested("RIG-SCORE:5", **QUEUE)
    message = hook.take_notification("nightly")
    assert (message["ingest_id"], message["score"], message["failure"]) == (ingest_id, 5, "")
    assert message["submission"]["sid"] != ingest_id
    assert hook.get_submission(message["submission"]["sid"])["max_score"] == 5
    assert hook.take_notification("nightly") is None


def test_there_is_no_message_before_the_analysis_is_completed(served, hook, ingested):
    ingested("RIG-SLEEP:60", **QUEUE)
    assert hook.take_notification("nightly") is None


def test_the_message_of_a_known_file_contains_the_first_submission(hook, ingested):
    first, second = ingested("same", **QUEUE), ingested("same", **QUEUE)
    messages = take_all(hook)
    assert [message["ingest_id"] for message in messages] == [first, second]
    assert len({message["submission"]["sid"] for message in messages}) == 1


def test_a_score_below_the_threshold_has_no_message(hook, ingested):
    ingested("RIG-SCORE:299", **QUEUE, notification_threshold=300)
    ingested("RIG-SCORE:300", **QUEUE, notification_threshold=300)
    assert [message["score"] for message in take_all(hook)] == [300]


def test_a_dropped_file_always_has_a_message(served, hook, ingested):
    served.seed({"messages": {"dropping": True}})
    ingested("x", **QUEUE, notification_threshold=300)
    ingested("y", **QUEUE, params={"never_drop": True})
    assert [(message["failure"], message["score"]) for message in take_all(hook)] == [("Skipped", None), ("", 0)]


def test_max_items_limits_the_messages(hook, ingested):
    ids = [ingested(f"file {number}", **QUEUE) for number in range(3)]
    assert [message["ingest_id"] for message in hook.take_notifications("nightly", max_items=2)] == ids[:2]
    assert [message["ingest_id"] for message in take_all(hook)] == ids[2:]


def test_an_unknown_queue_is_empty(hook):
    assert hook.take_notification("nosuch") is None
    assert take_all(hook, "nosuch") == []


def test_each_user_has_own_queues(served, connect, hook, ingested):
    ingested("x", **QUEUE)
    other = served.connection(login="user", extra={"api_key": "sandbox:user-secret"})
    assert AssemblylineHook(connect("other", other)).take_notification("nightly") is None
    assert hook.take_notification("nightly") is not None


def test_reading_requires_the_role_submission_create(served, connect):
    reader = AssemblylineHook(connect("reader", served.connection(extra={"api_key": "readonly:readonly-secret"})))
    with pytest.raises(PermissionDeniedError, match="submission_create"):
        reader.take_notification("nightly")


@pytest.mark.parametrize("queue", ["", "a/b"])
def test_an_invalid_name_of_a_queue_is_rejected(queue):
    with pytest.raises(ValueError, match="queue must be the name of a notification queue"):
        next(notifications.take(queue))


@pytest.mark.parametrize("max_items", [0, -1])
def test_max_items_below_one_is_rejected(max_items):
    with pytest.raises(ValueError, match="max_items must be a whole number, 1 or more"):
        next(notifications.take_many("nightly", max_items))


@pytest.mark.parametrize("take", [notifications.take, notifications.take_many])
def test_a_lost_response_is_an_error_and_the_request_is_not_repeated(served, hook, ingested, take):
    ingested("x", **QUEUE)
    served.fail("drop", path="/api/v4/ingest/get_message.*")
    with pytest.raises(OutcomeUnknownError):
        hook.run(take("nightly"))
    assert hook.take_notification("nightly") is None


# Ontologies


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_ontologies_of_a_submission_are_written_as_lines(hook, submitted, tmp_path):
    sid, path = submitted("RIG-SCORE:5 RIG-CHILD:x"), tmp_path / "a.jsonl"
    hook.save_submission_ontology(sid, lambda: atomic_writer(str(path)))
    assert [line["submission"]["sid"] for line in lines(path)] == [sid, sid]
    hook.save_submission_ontology(sid, lambda: atomic_writer(str(path)), sha256s=[lines(path)[0]["file"]["sha256"]])
    assert len(lines(path)) == 1
    hook.save_submission_ontology(sid, lambda: atomic_writer(str(path)), services=["Other"])
    assert lines(path) == []


def test_the_ontology_of_a_file_and_of_an_alert(hook, ingested, tmp_path):
    path = tmp_path / "a.jsonl"
    ingest_id = ingested("RIG-SCORE:600", params={"generate_alert": True})
    hook.save_alert_ontology(ingest_id, lambda: atomic_writer(str(path)))
    [line] = lines(path)
    assert line["results"]["score"] == 600
    hook.save_file_ontology(line["file"]["sha256"].upper(), lambda: atomic_writer(str(path)), every=True)
    assert lines(path) == [line]


@pytest.mark.parametrize("flow", [ontologies.save_for_submission, ontologies.save_for_file, ontologies.save_for_alert])
def test_a_missing_object_leaves_no_file(hook, tmp_path, flow):
    path = tmp_path / "a.jsonl"
    with pytest.raises(NotFoundError, match="There is no"):
        hook.run(flow("0" * 64, lambda: atomic_writer(str(path))))
    assert not path.exists()


def test_a_download_whose_response_was_lost_is_repeated(served, hook, submitted, tmp_path):
    sid, path = submitted("x"), tmp_path / "a.jsonl"
    served.fail("drop", path="/api/v4/ontology/.*")
    hook.save_submission_ontology(sid, lambda: atomic_writer(str(path)))
    assert len(lines(path)) == 1
