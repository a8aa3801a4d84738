"""What is found on the server is compared with the request before it counts as the request's effect."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore.api import import_jobs, records
from self_hosted.atrocore.api.feed_jobs import FeedRun
from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.sync.target import Change
from tests.atrocore.conftest import counts, products, reply, run_by_hand
from tests.atrocore.sync.samples import describe
from tests.conftest import Served
from tests.task_logs import clock

__all__ = ["clock"]

LOST = OutcomeUnknownError("lost", method="POST", path="/api/Product")
BEFORE, TIME = "2026-06-01 12:00:00", "2026-06-01 12:30:00"
GIVEN = {"id": "1", "name": "a", "price": "2.50"}


def create_and_read_back(found: dict[str, Any], values: dict[str, Any] = GIVEN) -> Any:
    return run_by_hand(records.create("Product", values), LOST, reply(200, found))[1]


@pytest.mark.parametrize(
    "found",
    [
        GIVEN,
        {"id": "1", "name": "a", "price": 2.5, "createdAt": TIME},
        {"id": "1", "name": "a"},  # the server has no such field
    ],
)
def test_a_record_with_the_sent_values_is_the_effect_of_the_create(found: dict[str, Any]) -> None:
    assert create_and_read_back(found) == found


@pytest.mark.parametrize("found", [{**GIVEN, "name": "another"}, {**GIVEN, "price": 3}])
def test_a_record_with_other_values_is_not_adopted(found: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknownError, match="the record 1 has other values: lost"):
        create_and_read_back(found)


def test_a_record_with_a_random_id_belongs_to_nobody_else() -> None:
    assert create_and_read_back({"id": "x", "name": "A"}, {"name": "a"})["name"] == "A"


def test_a_create_whose_rejection_is_lost_does_not_return_the_record_of_somebody_else(
    served: Served, hook: AtrocoreHook
) -> None:
    served.seed({"records": {"Brand": [{"id": "acme", "name": "Acme"}]}})
    served.fail("drop", method="POST", path="/api/Brand")
    with pytest.raises(OutcomeUnknownError, match="the record acme has other values"):
        hook.create_record("Brand", {"id": "acme", "name": "Other"})


def test_one_by_one_a_record_with_other_values_fails_its_row_and_a_retry_may_succeed() -> None:
    target, schema = describe("name")
    found = reply(200, {"id": "1", "sku": "A", "name": "of somebody else"})
    answers = NotFoundError(""), LOST, found
    [outcome] = run_by_hand(target.write(schema, [Change("create", "A", "1", {"name": "a"})]), *answers)[1]
    assert (outcome.result, outcome.is_final) == ("failed", False)


@pytest.mark.usefixtures("clock")
def test_a_lost_batch_adopts_only_records_with_the_sent_values(served: Served, plan: Any, apply: Any) -> None:
    planned = plan([{"number": key, "name": "a"} for key in "AB"])
    other = {"id": deterministic_id("Product", "B"), "number": "B", "name": "of somebody else"}
    served.seed({"records": {"Product": [other]}})
    served.fail("status", method="POST", path="/api/upsert", status=502)
    assert counts(apply(planned, fail_on="never")) == {"created": 1, "conflict": 1}
    assert products(served)["B"]["name"] == "of somebody else"


# jobs


def find_import_jobs(key: str | FeedRun, *jobs: dict[str, Any]) -> list[str]:
    listed = [{"state": "Success", "createdAt": TIME, "parentId": None, **job} for job in jobs]
    found = run_by_hand(import_jobs.find([key]), reply(200, {"list": listed}))[1]
    return [job["id"] for job in found.get(key, [])]


def test_a_job_of_a_feed_with_the_id_of_another_job_is_not_part_of_that_job() -> None:
    jobs = {"id": "x", "importFeedId": "f"}, {"id": "part", "parentId": "x", "importFeedId": "f"}
    of_feed_x = {"id": "other", "importFeedId": "x"}
    assert find_import_jobs("x", *jobs, of_feed_x) == ["x", "part"]
    assert find_import_jobs(FeedRun("x", BEFORE), *jobs, of_feed_x) == ["other"]


def test_jobs_that_a_server_returns_without_regard_to_the_filter_are_left_out() -> None:
    others = {"id": "earlier", "importFeedId": "f", "createdAt": BEFORE}, {"id": "of g", "importFeedId": "g"}
    assert find_import_jobs(FeedRun("f", BEFORE), *others, {"id": "mine", "importFeedId": "f"}) == ["mine"]
    assert find_import_jobs("mine", *others) == []


def test_records_without_a_value_are_not_found_by_the_text_none() -> None:
    listed = reply(200, {"list": [{"id": "1", "number": None}, {"id": "2"}, {"id": "3", "number": "A"}]})
    found = run_by_hand(records.find("Product", "number", ["A"]), listed)[1]
    assert found == {"A": [{"id": "3", "number": "A"}]}
