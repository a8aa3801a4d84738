"""The flows that ingest, and that find what became of it: by hand."""

from __future__ import annotations

import io
import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.core.errors import Forbidden, NotFound, Uncertain
from self_hosted.core.flow import Upload
from tests.assemblyline.flows import CONFIGURATION, UPLOAD, items, reply, result_of

FOUND = {"sid": "s", "metadata": {"ingest_id": "i"}}


def ingests(steps):
    return sum(getattr(step, "path", "") == "/api/v4/ingest/" for step in steps)


def test_an_ingest_is_answered_with_its_id():
    options = {"params": {"ttl": 1}, "metadata": {api.TAG: "t1"}}
    result, (request,) = result_of(api.ingest(UPLOAD, options), reply({"ingest_id": "i"}))
    assert result == "i"
    assert json.loads(request.parts["json"]) == options
    assert not request.may_be_repeated


@pytest.mark.parametrize("once", [False, True])
def test_what_the_server_finds_by_itself_is_ingested_without_a_file(once):
    source, options = {"md5": "AB" * 16}, {"type": "FEED"}
    flow = api.ingest_once(source, options, "t1") if once else api.ingest(source, options)
    before = [items(), reply(CONFIGURATION)] if once else []
    result, steps = result_of(flow, *before, reply({"ingest_id": "i"}))
    assert result == "i"
    tag = steps[-1].json["metadata"].pop(api.TAG)
    assert steps[-1].json == {"md5": "ab" * 16, "type": "FEED", "metadata": {}}
    assert tag == "t1" or not once


def test_a_source_that_is_none_is_not_ingested():
    with pytest.raises(ValueError, match="'example' is no url"):
        next(api.ingest({"url": "example"}, {}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"generate_alert": True}, "generate_alert belongs into params"),
        ({"metdata": {}}, "an ingest takes no metdata"),
        ({"params": {"prio": 1}}, "params: Assemblyline takes no prio"),
    ],
)
@pytest.mark.parametrize("once", [False, True])
def test_what_the_server_would_ignore_is_refused_before_anything_is_sent(options, words, once):
    flow = api.ingest_once(UPLOAD, options, "t1") if once else api.ingest(UPLOAD, options)
    with pytest.raises(ValueError, match=words):
        next(flow)


def test_a_file_is_ingested_with_its_tag():
    flow = api.ingest_once(UPLOAD, {"metadata": {"k": "v"}}, "t1")
    result, steps = result_of(flow, items(), reply(CONFIGURATION), reply({"ingest_id": "i"}))
    assert result == "i"
    assert json.loads(steps[-1].parts["json"])["metadata"] == {"k": "v", "airflow_task": "t1"}


def test_what_was_ingested_under_the_tag_before_is_found():
    result, steps = result_of(api.ingest_once(UPLOAD, {}, "t1"), items({"sid": "submitted"}, FOUND))
    assert result == "i"
    assert ingests(steps) == 0


def test_the_lost_answer_of_an_ingest_is_found_by_the_tag():
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), items(), items(FOUND)
    result, steps = result_of(api.ingest_once(UPLOAD, {"params": {"ignore_cache": True}}, "t1"), *replies)
    assert result == "i"
    assert ingests(steps) == 1


def test_an_ingest_without_a_trace_is_repeated_for_the_server_knows_the_file():
    looks = [items() for _ in range(1 + len(api.LOOKS))]
    replies = items(), reply(CONFIGURATION), Uncertain("lost"), *looks, reply({"ingest_id": "second"})
    result, steps = result_of(api.ingest_once(UPLOAD, {}, "t1"), *replies)
    assert (result, ingests(steps)) == ("second", 2)


def test_a_file_larger_than_the_server_takes_is_not_ingested():
    with pytest.raises(ValueError, match="101 bytes"):
        result_of(api.ingest_once(Upload("a", io.BytesIO, 101), {}, "t1"), items(), reply(CONFIGURATION))


# What became of them


@pytest.mark.parametrize(("parts", "key"), [(("i",), "i"), (("i", None), "i"), (("i", ""), "i"), (("i", "AB"), "i/ab")])
def test_a_key_is_taken_apart_as_it_was_made(parts, key):
    assert api.ingest_key(*parts) == key
    assert api.ingest_parts(key) == ("i", key[2:])


def test_many_ingests_cost_one_search_and_the_first_submission_of_each_counts():
    first, anew, other = ({"sid": sid, "metadata": {"ingest_id": of}} for sid, of in ("ai", "bi", "cj"))
    result, (request,) = result_of(api.ingested_submissions(["i", 'j"']), items(first, anew, other))
    assert result == {"i": first, "j": other}
    assert request.json["query"] == r'metadata.ingest_id:("i" OR "j\"")'


def test_the_submission_that_the_ingester_reuses_is_the_latest_of_the_day():
    old, new, ghost = ({"sid": sid, "files": [{"sha256": "x"}], "to_be_deleted": sid == "c"} for sid in "abc")
    result, (files, request) = result_of(
        api.reused_submissions(["x", "y"]), items({"sha256": "x"}), items(old, new, ghost)
    )
    assert result == {"x": new}
    assert files.path == "/api/v4/search/file/"
    assert files.json["query"] == 'sha256:("x" OR "y") AND seen.last:[* TO now-1m]'
    query = 'files.sha256:("x") AND state:completed AND metadata.ingest_id:* AND times.completed:[now-1d TO now]'
    assert request.json["query"] == query


def test_while_files_were_handed_in_a_moment_ago_nothing_is_taken_for_reused():
    result, steps = result_of(api.reused_submissions(["x"]), items())
    assert (result, len(steps)) == ({}, 1)


# Queues


@pytest.mark.parametrize(
    ("active", "paused"),
    [
        ({"ingester": True, "dispatcher": True}, set()),
        ({"ingester": True, "dispatcher": False}, {"dispatcher"}),
    ],
)
def test_the_switches_of_components_are_read(active, paused):
    assert result_of(api.paused_components(), reply(active))[0] == paused


@pytest.mark.parametrize(("answer", "taken_up"), [(reply({"wq_id": "D-x-WQ"}), True), (NotFound("none"), False)])
def test_a_submission_is_taken_up_when_a_dispatcher_can_be_watched(answer, taken_up):
    assert result_of(api.is_taken_up("s"), answer)[0] is taken_up


def test_who_may_not_watch_is_told_so():
    with pytest.raises(Forbidden):
        result_of(api.is_taken_up("s"), Forbidden("no"))
