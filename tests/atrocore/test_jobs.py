"""Flows about background jobs by hand, without a server: lists, runs of feeds, baselines, what became of an upsert."""

from __future__ import annotations

import json
from typing import Any

import pytest

from self_hosted.atrocore import api
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Pause
from tests.atrocore.conftest import reply, run_by_hand

LATER, EARLIER = "2026-06-01 12:30:00", "2026-05-01 12:30:00"


def listed(*records: dict[str, Any]) -> Any:
    return reply(200, {"list": records})


def job(job_id: str, created_at: str = LATER, /, **fields: Any) -> dict[str, Any]:
    return {"id": job_id, "createdAt": created_at, "state": "Success", "parentId": None, **fields}


# the queue


def test_jobs_of_the_queue_are_read_by_one_list_without_their_payload():
    asked, found = run_by_hand(api.jobs(["a", "b"]), listed({"id": "a", "status": "Running"}))
    assert found == {"a": {"id": "a", "status": "Running"}}
    [request] = asked
    assert (request.path, request.query["select"]) == ("/api/Job", "id,status,type,message")


def test_a_thousand_jobs_are_read_by_lists_that_fit_into_a_url():
    ids = [f"{number:032x}-abc" for number in range(1000)]
    asked, _ = run_by_hand(api.jobs(ids), *[listed()] * 11)
    assert max(len(request.target) for request in asked) < 8000
    assert [id_ for request in asked for id_ in request.query["where[0][value][]"]] == ids


@pytest.mark.parametrize("runs", [True, False])
def test_the_server_tells_whether_its_queue_is_served(runs):
    assert run_by_hand(api.background_processing_runs(), reply(200, runs))[1] is runs


@pytest.mark.parametrize("refusal", [Forbidden(""), NotFound("")])
def test_a_server_that_does_not_tell_whether_its_queue_is_served_is_no_error(refusal):
    assert run_by_hand(api.background_processing_runs(), refusal)[1] is None


def test_the_items_of_an_upsert_are_counted_by_status():
    items = [{"status": "Created"}, {"status": "Failed", "message": "no name"}, {"status": "Created"}]
    facts = api.job_facts({"status": "Success", "type": "Upsert", "message": json.dumps(items)})
    assert facts == {"items": {"Created": 2, "Failed": 1}, "failures": [{"item": 1, "message": "no name"}]}


def test_of_many_items_that_failed_the_first_twenty_are_told_in_short():
    items = [{"status": "Failed", "message": "SELECT " * 500}] * 100
    facts = api.job_facts({"status": "Success", "type": "Upsert", "message": json.dumps(items)})
    assert facts["items"] == {"Failed": 100}
    assert [failure["item"] for failure in facts["failures"]] == list(range(20))
    assert len(json.dumps(facts)) < 12_000


@pytest.mark.parametrize(
    "message", ["Call to a member function get() on null", '{"status": "Created"}', '["x"]', "[7]"]
)
def test_an_upsert_that_tells_of_no_items_failed_though_its_job_is_a_success(message):
    facts = api.job_facts({"status": "Success", "type": "Upsert", "message": message})
    assert facts == {"failure": message}


def test_a_job_that_failed_without_a_word_says_so():
    assert api.job_facts({"status": "Failed", "message": None}) == {"failure": "no reason is told"}


def test_what_another_job_says_is_passed_on():
    assert api.job_facts({"status": "Success", "type": "MassUpdate", "message": "5 done"}) == {"message": "5 done"}


# runs of feeds


def test_a_run_is_told_from_a_job_by_its_key():
    assert api.run_of(api.run_key("f", LATER)) == ("f", LATER)
    assert api.run_of("0123-4567") is None


def test_jobs_and_runs_are_asked_for_in_one_request():
    keys = ["i", api.run_key("f", EARLIER), api.run_key("g", LATER)]
    asked, _ = run_by_hand(api.import_jobs(keys), listed())
    [request] = asked
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


def test_many_jobs_and_runs_are_asked_for_by_lists_that_fit_into_a_url():
    keys = [f"{number:032x}-abc" for number in range(60)]
    keys += [api.run_key(f"{number:032x}-feed", LATER) for number in range(60)]
    asked, _ = run_by_hand(api.import_jobs(keys), *[listed()] * 8)
    assert max(len(request.target) for request in asked) < 8000
    targets = " ".join(request.target for request in asked)
    assert all(f"{number:032x}-abc" in targets and f"{number:032x}-feed" in targets for number in range(60))


def test_runs_of_one_feed_are_told_apart_by_their_moments():
    keys = [api.run_key("f", LATER), api.run_key("f", EARLIER), api.run_key("g", EARLIER)]
    jobs = job("at that moment", LATER, importFeedId="f"), job("after it", "2026-06-01 12:30:01", importFeedId="f")
    asked, found = run_by_hand(api.import_jobs(keys), listed(*jobs))
    assert {key: [one["id"] for one in its_jobs] for key, its_jobs in found.items()} == {
        keys[0]: ["after it"],
        keys[1]: ["at that moment", "after it"],
    }
    # of the two moments only the earlier one is asked for
    assert asked[0].target.count("greaterThan") == 2


def test_a_job_comes_with_the_parts_it_was_split_into():
    found = run_by_hand(api.import_jobs(["a", "b"]), listed(job("a"), job("a1", parentId="a"), job("b")))[1]
    assert {key: [one["id"] for one in its_jobs] for key, its_jobs in found.items()} == {"a": ["a", "a1"], "b": ["b"]}


def test_an_export_job_has_no_parts_to_be_asked_for():
    asked, found = run_by_hand(api.export_jobs(["a"]), listed({"id": "a", "state": "Running"}))
    assert found == {"a": [{"id": "a", "state": "Running"}]}
    assert "parentId" not in asked[0].target


def test_counts_are_added_up_and_asked_for_only_where_a_record_lacks_them():
    counted: dict[str, Any] = dict.fromkeys(
        ["createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount"], 1
    )
    asked, counts = run_by_hand(
        api.import_counts([job("a", **counted), job("b", createdCount=None)]),
        reply(200, {**counted, "createdCount": 5}),
    )
    assert [request.path for request in asked] == ["/api/ImportJob/b/recordCounters"]
    assert counts == {"created": 6, "updated": 2, "deleted": 2, "skipped": 2, "errors": 2}


@pytest.mark.parametrize(("flow", "entity"), [(api.import_baseline, "ImportJob"), (api.export_baseline, "ExportJob")])
def test_a_baseline_is_the_moment_of_the_newest_job_and_its_second_is_over_when_it_is_told(flow, entity):
    steps = flow("f")
    request = next(steps)
    assert request.path == f"/api/{entity}"
    assert (request.query["sortBy"], request.query["asc"], request.query["maxSize"]) == ("createdAt", False, 1)
    assert steps.send(listed(job("a"))) == Pause(1)
    with pytest.raises(StopIteration) as end:
        steps.send(None)
    assert end.value.value == LATER


def test_a_feed_that_was_never_run_has_a_baseline_long_ago():
    assert run_by_hand(api.import_baseline("f"), listed())[1] == "1970-01-01 00:00:00"


def test_feeds_that_more_export_jobs_are_being_made_for_are_named():
    asked, feeds = run_by_hand(
        api.feeds_about_to_export(), listed({"payload": {"feed": {"id": "f"}}}, {"payload": None})
    )
    assert feeds == {"f"}
    assert "ExportJobCreator" in asked[0].target


def test_who_may_not_see_the_queue_takes_the_export_jobs_there_are():
    assert run_by_hand(api.feeds_about_to_export(), Forbidden(""))[1] == set()


def test_cancelling_may_be_repeated_and_tells_whether_the_job_was_under_way():
    asked, cancelled = run_by_hand(api.cancel_export_job("a"), reply(200, False))
    assert (asked[0].method, asked[0].path, cancelled) == ("POST", "/api/ExportJob/a/cancel", False)
    assert asked[0].may_be_repeated


@pytest.mark.parametrize(("fail_on", "share"), [("any", 0), ("never", 1), ("0.05", 0.05), (0.5, 0.5), (0, 0)])
def test_how_much_may_fail_is_said_in_words_or_as_a_share(fail_on, share):
    assert api.tolerated(fail_on) == share


@pytest.mark.parametrize("fail_on", ["some", -0.1, 1.5, None, "nan"])
def test_what_says_not_how_much_may_fail_is_refused(fail_on):
    with pytest.raises(ValueError, match="fail_on: must be any, never, or a share from 0 to 1"):
        api.tolerated(fail_on)
