"""Flows about background jobs by hand, without a server: the queue, runs of feeds, baselines and counters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from self_hosted.atrocore.api import export_jobs, import_jobs, jobs
from self_hosted.atrocore.api.dialects import DIALECTS
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Pause, Request
from tests.atrocore.conftest import reply, run_by_hand

COUNTS: dict[str, Any] = dict.fromkeys(
    ["createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount"], 1
)
LATER, EARLIER = "2026-06-01 12:30:00", "2026-05-01 12:30:00"


def list_reply(*records: dict[str, Any]) -> Any:
    return reply(200, {"list": records})


def job(job_id: str, created_at: str = LATER, /, **fields: Any) -> dict[str, Any]:
    return {"id": job_id, "createdAt": created_at, "state": "Success", "parentId": None, **fields}


# the queue


def test_jobs_of_the_queue_are_read_with_one_list_without_their_payload():
    requests, found = run_by_hand(jobs.find(["a", "b"]), list_reply({"id": "a", "status": "Running"}))
    assert found == {"a": {"id": "a", "status": "Running"}}
    [request] = requests
    assert (request.path, request.query["select"]) == ("/api/Job", "id,status,type,message")


def test_lists_of_a_thousand_jobs_fit_into_a_url():
    ids = [f"{number:032x}-abc" for number in range(1000)]
    requests, _ = run_by_hand(jobs.find(ids), *[list_reply()] * 11)
    assert max(len(request.target) for request in requests) < 8000
    assert [job_id for request in requests for job_id in request.query["where[0][value][]"]] == ids


@pytest.mark.parametrize("runs", [True, False])
def test_the_server_reports_whether_its_queue_is_processed(runs):
    assert run_by_hand(jobs.check_background_processing(), reply(200, runs))[1] is runs


@pytest.mark.parametrize("rejection", [PermissionDeniedError(""), NotFoundError("")])
def test_without_permission_or_route_it_is_unknown_whether_the_queue_is_processed(rejection):
    assert run_by_hand(jobs.check_background_processing(), rejection)[1] is None


def test_the_items_of_an_upsert_are_counted_by_status():
    items = [{"status": "Created"}, {"status": "Failed", "message": "no name"}, {"status": "Created"}]
    details = jobs.read_details({"status": "Success", "type": "Upsert", "message": json.dumps(items)})
    assert details == {"items": {"Created": 2, "Failed": 1}, "failures": [{"item": 1, "message": "no name"}]}


def test_only_the_first_twenty_failed_items_are_returned_with_short_messages():
    items = [{"status": "Failed", "message": "SELECT " * 500}] * 100
    details = jobs.read_details({"status": "Success", "type": "Upsert", "message": json.dumps(items)})
    assert details["items"] == {"Failed": 100}
    assert [failure["item"] for failure in details["failures"]] == list(range(20))
    assert len(json.dumps(details)) < 12_000


@pytest.mark.parametrize(
    "message", ["Call to a member function get() on null", '{"status": "Created"}', '["x"]', "[7]"]
)
def test_a_successful_upsert_job_without_items_is_a_failure(message):
    details = jobs.read_details({"status": "Success", "type": "Upsert", "message": message})
    assert details == {"failure": message}


def test_a_failed_job_without_a_message_has_a_default_one():
    assert jobs.read_details({"status": "Failed", "message": None}) == {"failure": "no reason given"}


def test_the_message_of_another_job_is_returned():
    assert jobs.read_details({"status": "Success", "type": "MassUpdate", "message": "5 done"}) == {"message": "5 done"}


# runs of feeds


def test_jobs_and_runs_are_found_with_one_request():
    requests, _ = run_by_hand(import_jobs.find(["i", FeedRun("f", EARLIER), FeedRun("g", LATER)]), list_reply())
    [request] = requests
    assert {name: value for name, value in request.query.items() if name.startswith("where")} == {
        "where[0][type]": "or",
        "where[0][value][0][type]": "in",
        "where[0][value][0][attribute]": "id",
        "where[0][value][0][value][]": ["i"],
        "where[0][value][1][type]": "in",
        "where[0][value][1][attribute]": "parentId",
        "where[0][value][1][value][]": ["i"],
        **_run_condition(2, "f", EARLIER),
        **_run_condition(3, "g", LATER),
    }


def _run_condition(index: int, feed_id: str, after: str) -> dict[str, str]:
    prefix = f"where[0][value][{index}]"
    return {
        f"{prefix}[type]": "and",
        f"{prefix}[value][0][type]": "equals",
        f"{prefix}[value][0][attribute]": "importFeedId",
        f"{prefix}[value][0][value]": feed_id,
        f"{prefix}[value][1][type]": "greaterThan",
        f"{prefix}[value][1][attribute]": "createdAt",
        f"{prefix}[value][1][value]": after,
    }


def test_lists_of_many_jobs_and_runs_fit_into_a_url():
    keys: list[str | FeedRun] = [f"{number:032x}-abc" for number in range(60)]
    keys += [FeedRun(f"{number:032x}-feed", LATER) for number in range(60)]
    requests, _ = run_by_hand(import_jobs.find(keys), *[list_reply()] * 8)
    assert max(len(request.target) for request in requests) < 8000
    targets = " ".join(request.target for request in requests)
    assert all(f"{number:032x}-abc" in targets and f"{number:032x}-feed" in targets for number in range(60))


def test_runs_of_one_feed_are_distinguished_by_their_baselines():
    keys = [FeedRun("f", LATER), FeedRun("f", EARLIER), FeedRun("g", EARLIER)]
    of_feed = job("at that time", LATER, importFeedId="f"), job("after it", "2026-06-01 12:30:01", importFeedId="f")
    requests, found = run_by_hand(import_jobs.find(keys), list_reply(*of_feed))
    assert {key: [each["id"] for each in of_key] for key, of_key in found.items()} == {
        keys[0]: ["after it"],
        keys[1]: ["at that time", "after it"],
    }
    # one condition for each feed, with the earlier of its baselines
    assert requests[0].target.count("greaterThan") == 2


def test_a_job_is_returned_with_the_parts_it_was_split_into():
    found = run_by_hand(import_jobs.find(["a", "b"]), list_reply(job("a"), job("a1", parentId="a"), job("b")))[1]
    assert {key: [each["id"] for each in of_key] for key, of_key in found.items()} == {"a": ["a", "a1"], "b": ["b"]}


def test_parts_of_export_jobs_are_not_queried():
    requests, found = run_by_hand(export_jobs.find(["a"]), list_reply(job("a")))
    assert found == {"a": [job("a")]}
    assert "parentId" not in requests[0].target


def test_counters_are_added_up_and_read_only_if_a_record_lacks_them():
    requests, counts = run_by_hand(
        import_jobs.sum_counters([job("a", **COUNTS), job("b", createdCount=None)]),
        reply(200, {**COUNTS, "createdCount": 5}),
    )
    assert [request.path for request in requests] == ["/api/ImportJob/b/recordCounters"]
    assert counts == {"created": 6, "updated": 2, "deleted": 2, "skipped": 2, "errors": 2}


def test_counters_that_the_job_itself_has_are_not_read_separately():
    requests, counters = run_by_hand(import_jobs.get_counters("a"), reply(200, job("a", **COUNTS, message="m")))
    assert [request.path for request in requests] == ["/api/ImportJob/a"]
    assert counters == {"id": "a", "state": "Success", **COUNTS}


def test_counters_that_the_job_lacks_are_read_separately():
    separate = {"id": "a", "state": "Success", **COUNTS, "createdCount": 5}
    requests, counters = run_by_hand(
        import_jobs.get_counters("a"), reply(200, job("a", **{**COUNTS, "createdCount": None})), reply(200, separate)
    )
    assert [request.path for request in requests] == ["/api/ImportJob/a", "/api/ImportJob/a/recordCounters"]
    assert counters == separate


@pytest.mark.parametrize(
    ("get_baseline", "entity"), [(import_jobs.get_baseline, "ImportJob"), (export_jobs.get_baseline, "ExportJob")]
)
def test_a_baseline_is_the_time_of_the_newest_job_and_is_returned_in_a_later_second(get_baseline, entity):
    steps = get_baseline("f")
    request = next(steps)
    assert request.path == f"/api/{entity}"
    assert (request.query["sortBy"], request.query["asc"], request.query["maxSize"]) == ("createdAt", False, 1)
    assert steps.send(list_reply(job("a"))) == Pause(1)
    with pytest.raises(StopIteration) as end:
        steps.send(None)
    assert end.value.value == LATER


def test_the_baseline_of_a_feed_that_never_ran_is_in_1970():
    assert run_by_hand(import_jobs.get_baseline("f"), list_reply())[1] == "1970-01-01 00:00:00"


@pytest.mark.parametrize(("entity", "field"), [("Job", "payload"), ("QueueItem", "data")])
def test_feeds_that_create_export_jobs_are_listed(entity, field):
    data: list[Any] = [{"feed": {"id": "f"}}, None, [], {}, {"feed": []}, {"feed": None}]
    creators = list_reply(*({"id": str(number), field: value} for number, value in enumerate(data)))
    replies = [creators, list_reply()] if entity == "Job" else [list_reply(), creators]
    requests, feeds = run_by_hand(export_jobs.list_feeds_creating_jobs(), *replies)
    assert feeds == {"f"}
    # before core 1.12, the queue is another entity
    assert [request.path for request in requests] == ["/api/Job", "/api/QueueItem"]
    assert all("ExportJobCreator" in request.target for request in requests)


@pytest.mark.parametrize("error", [PermissionDeniedError(""), NotFoundError("")])
def test_without_permission_for_a_queue_no_feed_of_it_creates_jobs(error):
    creator = {"id": "c", "payload": {"feed": {"id": "f"}}}
    assert run_by_hand(export_jobs.list_feeds_creating_jobs(), error, error)[1] == set()
    assert run_by_hand(export_jobs.list_feeds_creating_jobs(), list_reply(creator), error)[1] == {"f"}


def test_the_queue_before_1_12_is_not_queried_in_other_dialects():
    queue = Request("GET", "/api/QueueItem")
    assert DIALECTS["1.x-2.2"].translate(queue).path == "/api/v1/QueueItem"
    for dialect in ("2.3", "espo"):
        with pytest.raises(NotFoundError):
            DIALECTS[dialect].translate(queue)


def test_a_cancel_is_idempotent_and_returns_whether_the_job_was_unfinished():
    requests, cancelled = run_by_hand(export_jobs.cancel("a"), reply(200, False))
    assert (requests[0].method, requests[0].path, cancelled) == ("POST", "/api/ExportJob/a/cancel", False)
    assert requests[0].is_idempotent


CANCEL = ("PATCH", "/api/ExportJob/a", {"state": "Canceled"})


def sent(requests: list[Any]) -> list[Any]:
    """Return what the requests after the one that only servers since 2.3 know do."""
    assert (requests[0].method, requests[0].path) == ("POST", "/api/ExportJob/a/cancel")
    return [
        (request.method, request.path, request.json) if request.method == "PATCH" else request.method
        for request in requests[1:]
    ]


def test_before_2_3_the_state_of_a_running_export_is_set():
    running, cancelled = (reply(200, job("a", state=state)) for state in ("Running", "Canceled"))
    requests, was_running = run_by_hand(export_jobs.cancel("a"), NotFoundError(""), running, cancelled)
    assert (sent(requests), was_running) == (["GET", CANCEL], True)
    assert requests[-1].is_idempotent


def test_before_2_3_an_export_that_has_ended_is_not_cancelled():
    requests, cancelled = run_by_hand(export_jobs.cancel("a"), NotFoundError(""), reply(200, job("a")))
    assert (sent(requests), cancelled) == (["GET"], False)


REFUSALS = {
    "by an error": InvalidRequestError("Unexpected job state."),
    "without a change": reply(304),
    "with the old state": reply(200, job("a", state="Running")),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_before_2_3_a_refused_cancel_is_an_error_unless_the_export_has_ended(refusal):
    running, ended = (reply(200, job("a", state=state)) for state in ("Running", "Success"))
    requests, was_running = run_by_hand(export_jobs.cancel("a"), NotFoundError(""), running, refusal, ended)
    assert (sent(requests), was_running) == (["GET", CANCEL, "GET"], False)
    with pytest.raises((InvalidRequestError, ServerError), match=r"Unexpected job state|did not cancel the job"):
        run_by_hand(export_jobs.cancel("a"), NotFoundError(""), running, refusal, running)


def test_a_missing_export_is_not_cancelled():
    with pytest.raises(NotFoundError, match="no such job"):
        run_by_hand(export_jobs.cancel("a"), NotFoundError(""), NotFoundError("no such job"))


@pytest.mark.parametrize("dialect", ["1.x-2.2", "espo"])
def test_the_route_that_cancels_an_export_exists_since_2_3(dialect):
    route = Request("POST", "/api/ExportJob/a/cancel")
    assert DIALECTS["2.3"].translate(route).path == "/api/ExportJob/a/cancel"
    with pytest.raises(NotFoundError, match="no such route"):
        DIALECTS[dialect].translate(route)
    assert DIALECTS[dialect].translate(Request("POST", "/api/Product/a/cancel")).path == "/api/v1/Product/a/cancel"
