"""Ingests, the submissions that come from them, and paused components."""

from __future__ import annotations

import io
import json

import pytest

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api import recovery, server
from self_hosted.assemblyline.api.submissions import activity, idempotency, ingests
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, PermissionDeniedError
from self_hosted.core.http.flow import Upload
from tests.assemblyline.flows import CONFIGURATION, OUTCOME, UPLOAD, items, reply, result_of, tagged

DOCUMENT = tagged(metadata={"airflow_task": "t1", "ingest_id": "i"})


def count_ingests(steps):
    return sum(getattr(step, "path", "") == "/api/v4/ingest/" for step in steps)


def test_an_ingest_returns_its_id():
    options = {"params": {"ttl": 1}, "metadata": {idempotency.METADATA_KEY: "t1"}}
    result, (request,) = result_of(ingests.create(UPLOAD, options), reply({"ingest_id": "i"}))
    assert result == "i"
    assert json.loads(request.parts["json"]) == options
    assert not request.is_idempotent


@pytest.mark.parametrize("once", [False, True])
def test_a_file_that_the_server_has_is_ingested_by_hash(once):
    source, options = {"md5": "AB" * 16}, {"type": "FEED"}
    flow = ingests.create_once(source, options, "t1") if once else ingests.create(source, options)
    before = [items(), reply(CONFIGURATION)] if once else []
    result, steps = result_of(flow, *before, reply({"ingest_id": "i"}))
    assert result == "i"
    tag = steps[-1].json["metadata"].pop(idempotency.METADATA_KEY)
    assert steps[-1].json == {"md5": "ab" * 16, "type": "FEED", "metadata": {}}
    assert tag == "t1" or not once


def test_an_invalid_source_is_not_ingested():
    with pytest.raises(ValueError, match=r"url must start like https://example.com, not 'example'"):
        next(ingests.create({"url": "example"}, {}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generate_alert": True}, "generate_alert belongs into params"),
        ({"metdata": {}}, "options: unknown metdata"),
        ({"params": {"prio": 1}}, "params: unknown prio"),
    ],
)
@pytest.mark.parametrize("once", [False, True])
def test_options_that_the_server_would_ignore_are_rejected_before_any_request(options, message, once):
    flow = ingests.create_once(UPLOAD, options, "t1") if once else ingests.create(UPLOAD, options)
    with pytest.raises(ValueError, match=message):
        next(flow)


def test_a_file_is_ingested_with_its_tag():
    flow = ingests.create_once(UPLOAD, {"metadata": {"k": "v"}}, "t1")
    result, steps = result_of(flow, items(), reply(CONFIGURATION), reply({"ingest_id": "i"}))
    assert result == "i"
    assert json.loads(steps[-1].parts["json"])["metadata"] == {"k": "v", "airflow_task": "t1"}


def test_an_earlier_ingest_with_the_tag_is_found():
    result, steps = result_of(ingests.create_once(UPLOAD, {}, "t1"), items(tagged("submitted"), DOCUMENT))
    assert result == "i"
    assert count_ingests(steps) == 0


def test_an_ingest_whose_response_was_lost_is_found_by_tag():
    replies = items(), reply(CONFIGURATION), OutcomeUnknownError("lost"), items(), items(DOCUMENT)
    result, steps = result_of(ingests.create_once(UPLOAD, {"params": {"ignore_cache": True}}, "t1"), *replies)
    assert result == "i"
    assert count_ingests(steps) == 1


def test_an_ingest_without_an_effect_is_repeated_because_the_server_knows_the_file():
    looks = [items() for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    replies = items(), reply(CONFIGURATION), OutcomeUnknownError("lost"), *looks, reply({"ingest_id": "second"})
    result, steps = result_of(ingests.create_once(UPLOAD, {}, "t1"), *replies)
    assert (result, count_ingests(steps)) == ("second", 2)


def test_a_file_above_the_servers_limit_is_not_ingested():
    with pytest.raises(ValueError, match="101 bytes"):
        result_of(ingests.create_once(Upload("a", io.BytesIO, 101), {}, "t1"), items(), reply(CONFIGURATION))


# Their submissions


@pytest.mark.parametrize(
    ("arguments", "key", "parsed"),
    [
        (("i",), "i", ("i", "")),
        (("i", None), "i", ("i", "")),
        (("i", ""), "i", ("i", "")),
        (("i", "AB"), '["i", "ab"]', ("i", "ab")),
    ],
)
def test_a_key_is_parsed_as_it_was_built(arguments, key, parsed):
    assert waits.build_ingest_key(*arguments) == key
    assert waits.parse_ingest_key(key) == parsed


@pytest.mark.parametrize("ingest_id", ["[i]", '["a" TO "b"]'])
def test_an_id_that_only_looks_like_a_key_is_an_id(ingest_id):
    assert waits.parse_ingest_key(waits.build_ingest_key(ingest_id)) == (ingest_id, "")


def test_many_ingests_cost_one_search_and_the_oldest_submission_of_each_counts():
    ids = [("a", "i"), ("b", "i"), ("c", "j")]
    first, copy, other = ({**OUTCOME, "sid": sid, "metadata": {"ingest_id": id_}} for sid, id_ in ids)
    result, (request,) = result_of(ingests.get_submissions(["i", 'j"']), items(first, copy, other))
    assert result == {"i": first, "j": other}
    assert request.json["query"] == r'metadata.ingest_id:("i" OR "j\"")'


def test_the_ingester_reuses_the_newest_submission_of_the_day():
    old, new, cancelled = (
        {**OUTCOME, "sid": sid, "files": [{"sha256": "x"}], "to_be_deleted": sid == "c"} for sid in "abc"
    )
    result, (files, request) = result_of(
        ingests.get_reused_submissions(["x", "y"]), items({"sha256": "x"}), items(old, new, cancelled)
    )
    assert result == {"x": new}
    assert files.path == "/api/v4/search/file/"
    assert files.json["query"] == 'sha256:("x" OR "y") AND seen.last:[* TO now-1m]'
    query = 'files.sha256:("x") AND state:completed AND metadata.ingest_id:* AND times.completed:[now-1d TO now]'
    assert request.json["query"] == query


def test_nothing_is_reused_while_files_were_submitted_a_moment_ago():
    result, steps = result_of(ingests.get_reused_submissions(["x"]), items())
    assert (result, len(steps)) == ({}, 1)


# Components


@pytest.mark.parametrize(
    ("active", "paused"),
    [
        ({"ingester": True, "dispatcher": True}, set()),
        ({"ingester": True, "dispatcher": False}, {"dispatcher"}),
    ],
)
def test_paused_components_are_listed(active, paused):
    assert result_of(server.list_paused_components(), reply(active))[0] == paused


@pytest.mark.parametrize(
    ("response", "is_dispatched"), [(reply({"wq_id": "D-x-WQ"}), True), (NotFoundError("none"), False)]
)
def test_a_submission_is_dispatched_if_a_dispatcher_can_be_watched(response, is_dispatched):
    assert result_of(activity.is_dispatched("s"), response)[0] is is_dispatched


def test_a_missing_permission_is_an_error():
    with pytest.raises(PermissionDeniedError):
        result_of(activity.is_dispatched("s"), PermissionDeniedError("no"))
