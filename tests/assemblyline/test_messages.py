"""Notification queues, and ontologies."""

from __future__ import annotations

import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Forbidden, NotFound, Uncertain
from self_hosted.core.storage import written

QUEUE = {"notification_queue": "nightly"}


def taken(hook, queue="nightly"):
    return hook.take_messages(queue)


@pytest.fixture(autouse=True)
def _at_once(served):
    served.seed({"delay": 0})


def test_a_message_tells_of_an_ingest_and_is_gone_then(hook, ingested):
    ingest_id = ingested("RIG-SCORE:5", **QUEUE)
    message = hook.take_message("nightly")
    assert (message["ingest_id"], message["score"], message["failure"]) == (ingest_id, 5, "")
    assert message["submission"]["sid"] != ingest_id
    assert hook.submission(message["submission"]["sid"])["max_score"] == 5
    assert hook.take_message("nightly") is None


def test_there_is_no_message_before_the_analysis_is_over(served, hook, ingested):
    ingested("RIG-SLEEP:60", **QUEUE)
    assert hook.take_message("nightly") is None


def test_a_known_file_has_a_message_with_the_first_submission(hook, ingested):
    first, second = ingested("same", **QUEUE), ingested("same", **QUEUE)
    messages = taken(hook)
    assert [message["ingest_id"] for message in messages] == [first, second]
    assert len({message["submission"]["sid"] for message in messages}) == 1


def test_a_score_below_the_threshold_has_none(hook, ingested):
    ingested("RIG-SCORE:299", **QUEUE, notification_threshold=300)
    ingested("RIG-SCORE:300", **QUEUE, notification_threshold=300)
    assert [message["score"] for message in taken(hook)] == [300]


def test_a_dropped_file_always_has_one(served, hook, ingested):
    served.seed({"messages": {"dropping": True}})
    ingested("x", **QUEUE, notification_threshold=300)
    ingested("y", **QUEUE, params={"never_drop": True})
    assert [(one["failure"], one["score"]) for one in taken(hook)] == [("Skipped", None), ("", 0)]


def test_at_most_so_many_are_taken(hook, ingested):
    ids = [ingested(f"file {number}", **QUEUE) for number in range(3)]
    assert [one["ingest_id"] for one in hook.take_messages("nightly", at_most=2)] == ids[:2]
    assert [one["ingest_id"] for one in taken(hook)] == ids[2:]


def test_an_unknown_queue_is_an_empty_one(hook):
    assert hook.take_message("nosuch") is None
    assert taken(hook, "nosuch") == []


def test_each_user_has_queues_of_their_own(served, connect, hook, ingested):
    ingested("x", **QUEUE)
    other = served.connection(login="user", extra={"api_key": "sandbox:user-secret"})
    assert AssemblylineHook(connect("other", other)).take_message("nightly") is None
    assert hook.take_message("nightly") is not None


def test_reading_needs_the_right_to_submit(served, connect):
    reader = AssemblylineHook(connect("reader", served.connection(extra={"api_key": "readonly:readonly-secret"})))
    with pytest.raises(Forbidden, match="submission_create"):
        reader.take_message("nightly")


@pytest.mark.parametrize("queue", ["", "a/b"])
def test_a_queue_needs_a_name_that_the_server_can_find(queue):
    with pytest.raises(ValueError, match="queue must be the name of a notification queue"):
        next(api.take_message(queue))


@pytest.mark.parametrize("at_most", [0, -1])
def test_none_or_fewer_messages_cannot_be_taken(at_most):
    with pytest.raises(ValueError, match="at_most must be 1 or more"):
        next(api.take_messages("nightly", at_most))


@pytest.mark.parametrize("take", [api.take_message, api.take_messages])
def test_a_lost_answer_is_an_error_and_never_asked_for_again(served, hook, ingested, take):
    ingested("x", **QUEUE)
    served.fail("drop", path="/api/v4/ingest/get_message.*")
    with pytest.raises(Uncertain):
        hook.run(take("nightly"))
    assert hook.take_message("nightly") is None


# Ontologies


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_ontologies_of_a_submission_are_written_as_lines(hook, submitted, tmp_path):
    sid, path = submitted("RIG-SCORE:5 RIG-CHILD:x"), tmp_path / "a.jsonl"
    hook.submission_ontology(sid, lambda: written(str(path)))
    assert [line["submission"]["sid"] for line in lines(path)] == [sid, sid]
    hook.submission_ontology(sid, lambda: written(str(path)), sha256s=[lines(path)[0]["file"]["sha256"]])
    assert len(lines(path)) == 1
    hook.submission_ontology(sid, lambda: written(str(path)), services=["Other"])
    assert lines(path) == []


def test_the_ontology_of_a_file_and_of_an_alert(hook, ingested, tmp_path):
    path = tmp_path / "a.jsonl"
    ingest_id = ingested("RIG-SCORE:600", params={"generate_alert": True})
    hook.alert_ontology(ingest_id, lambda: written(str(path)))
    [line] = lines(path)
    assert line["results"]["score"] == 600
    hook.file_ontology(line["file"]["sha256"].upper(), lambda: written(str(path)), every=True)
    assert lines(path) == [line]


@pytest.mark.parametrize("flow", [api.submission_ontology, api.file_ontology, api.alert_ontology])
def test_what_there_is_not_leaves_no_file(hook, tmp_path, flow):
    path = tmp_path / "a.jsonl"
    with pytest.raises(NotFound, match="There is no"):
        hook.run(flow("nosuch", lambda: written(str(path))))
    assert not path.exists()


def test_a_download_whose_answer_is_lost_is_asked_for_again(served, hook, submitted, tmp_path):
    sid, path = submitted("x"), tmp_path / "a.jsonl"
    served.fail("drop", path="/api/v4/ontology/.*")
    hook.submission_ontology(sid, lambda: written(str(path)))
    assert len(lines(path)) == 1
