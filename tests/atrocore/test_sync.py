"""Plans and their application, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore.api.schemas import Schema
from self_hosted.atrocore.api.sync import batches, plans
from self_hosted.atrocore.api.sync.changes import Change, deterministic_id
from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from tests.atrocore.conftest import reply, run_by_hand


def compute(rows, stored=None, schema=None):
    return plans.compute("Product", "number", rows, stored or {}, schema)


def change(key, *, creates=True, **values):
    record_id = deterministic_id("Product", key) if creates else f"id of {key}"
    return Change(key, record_id, creates, values or {"number": key, "name": key})


def list_reply(*records):
    return reply(200, {"list": list(records)})


def results(outcomes):
    return {outcome.key: outcome.result for outcome in outcomes}


# plans


def test_a_row_without_a_record_is_created_with_a_deterministic_id():
    plan = compute({"A": {"number": "A", "name": "a"}})
    record_id = deterministic_id("Product", "A")
    assert plan.changes == [Change("A", record_id, creates=True, values={"number": "A", "name": "a"})]
    assert plan.changes[0].payload == {"number": "A", "name": "a", "id": record_id}


def test_a_deterministic_id_depends_on_entity_and_key_only_and_fits_old_databases():
    ids = {deterministic_id(entity, key) for entity in ("Product", "Brand") for key in ("A", "B")}
    assert len(ids) == 4
    # a release with other ids would create every record again
    assert deterministic_id("Product", "A") == "ee9c1c396945591f8058738a"
    assert all(len(record_id) == 24 and set(record_id) <= set("0123456789abcdef") for record_id in ids)


def test_only_differences_are_updated_with_the_stored_id():
    stored = {"A": [{"id": "1", "number": "A", "name": "a", "price": 1, "note": None}]}
    plan = compute({"A": {"number": "A", "name": "a", "price": "2", "note": ""}}, stored)
    assert plan.changes == [Change("A", "1", creates=False, values={"price": "2"})]


def test_a_field_that_a_row_lacks_is_unchanged():
    stored = {"A": [{"id": "1", "number": "A", "name": "a", "price": 1}]}
    assert results(compute({"A": {"number": "A"}}, stored).settled) == {"A": "unchanged"}


def test_none_empties_a_field():
    stored = {"A": [{"id": "1", "number": "A", "price": 1}]}
    assert compute({"A": {"number": "A", "price": None}}, stored).changes[0].values == {"price": None}


def test_the_key_of_two_records_is_ambiguous_and_names_them():
    plan = compute({"A": {"number": "A"}}, {"A": [{"id": "1"}, {"id": "2"}]})
    assert plan.changes == []
    assert [(outcome.result, outcome.message) for outcome in plan.settled] == [
        ("ambiguous", "2 records have this key: 1, 2")
    ]


def test_a_row_with_a_field_that_the_server_would_drop_fails_alone():
    schema = Schema("Product", {"number": "string", "price": "number"})
    plan = compute({"A": {"number": "A", "colour": "red"}, "B": {"number": "B", "price": "1"}}, schema=schema)
    assert results(plan.settled) == {"A": "failed"}
    assert [planned.values for planned in plan.changes] == [{"number": "B", "price": 1}]


def test_required_fields_that_new_records_lack_are_named():
    schema = Schema("Product", {"number": "string"}, frozenset({"number", "status"}))
    rows = {"A": {"number": "A"}, "B": {"number": "B"}}
    assert compute(rows, schema=schema).missing_fields == {"status"}
    assert compute(rows, {key: [{"id": key}] for key in rows}, schema).missing_fields == set()


def test_records_can_be_matched_by_their_id():
    plan = plans.compute("Product", "id", {"7": {"id": "7", "name": "a"}}, {}, None)
    assert plan.changes[0].id == "7"


def test_a_plan_reads_only_the_fields_of_the_rows():
    rows: dict[str, Any] = {"A": {"number": "A", "name": "a", "price": 1}, "B": {"number": "B", "note": "b"}}
    requests, plan = run_by_hand(plans.make("Product", "number", rows, None), list_reply(), list_reply())
    assert requests[0].query["select"] == "number,name,note,price"
    assert results(plan.preview()) == {"A": "created", "B": "created"}


def test_a_record_with_a_new_key_is_not_overwritten():
    renamed = {"id": deterministic_id("Product", "A"), "number": "A-new"}
    rows = {"A": {"number": "A"}, "B": {"number": "B"}}
    requests, plan = run_by_hand(plans.make("Product", "number", rows, None), list_reply(), list_reply(renamed))
    assert requests[1].query["where[0][attribute]"] == "id"
    assert [planned.key for planned in plan.changes] == ["B"]
    assert results(plan.settled) == {"A": "ambiguous"}
    assert "now has the number 'A-new'" in plan.settled[0].message


def test_a_plan_without_creates_reads_once():
    stored = {"id": "1", "number": "A", "name": "a"}
    rows = {"A": {"number": "A", "name": "b"}}
    requests, _ = run_by_hand(plans.make("Product", "number", rows, None), list_reply(stored))
    assert len(requests) == 1


# batches


@pytest.mark.parametrize(
    ("item", "result"),
    [
        ({"status": "Created"}, "created"),
        ({"status": "Updated"}, "updated"),
        ({"status": "NotModified"}, "unchanged"),
        ({"status": "Failed", "message": "Code: 304. Not Modified"}, "unchanged"),
        ({"status": "Failed", "message": "fieldIsRequired"}, "failed"),
        ({"status": "Failed", "message": ""}, "failed"),
        ({"status": "Something new"}, "failed"),
        ({}, "failed"),
    ],
)
def test_each_item_of_a_response_has_its_own_outcome(item, result):
    other = {"status": "Updated", "entity": {"id": "id of B", "name": "the whole record, as before 2.3"}}
    changes = [change("A"), change("B", creates=False, name="b")]
    _, outcomes = run_by_hand(batches.apply("Product", changes), reply(200, [item, other]))
    assert results(outcomes) == {"A": result, "B": "updated"}


def test_the_failure_of_an_item_is_permanent_unless_the_server_failed():
    items = [{"status": "Failed", "code": 500, "message": "deadlock"}, {"status": "Failed", "code": 400}]
    _, outcomes = run_by_hand(batches.apply("Product", [change("A"), change("B")]), reply(200, items))
    assert [outcome.is_permanent for outcome in outcomes] == [False, True]
    assert outcomes[1].message == "rejected without a reason (code 400)"


def test_a_batch_is_one_request_with_ids():
    changes = [change("A"), change("B", creates=False, name="b")]
    items = [{"status": "Created"}, {"status": "Updated"}]
    requests, _ = run_by_hand(batches.apply("Product", changes), reply(200, items))
    assert requests[0].path == "/api/upsert"
    assert requests[0].json == [{"entity": "Product", "payload": sent.payload} for sent in changes]
    assert not requests[0].is_idempotent


def test_after_a_lost_response_completed_changes_are_not_sent_again():
    changes = [change("A"), change("B", creates=False, name="b")]
    stored = [{**changes[0].payload}, {"id": "id of B", "name": "b"}]
    requests, outcomes = run_by_hand(
        batches.apply("Product", changes), OutcomeUnknownError("lost"), list_reply(*stored)
    )
    assert results(outcomes) == {"A": "created", "B": "updated"}
    assert [request.method for request in requests] == ["POST", "GET"]


def test_after_a_lost_response_missing_changes_are_sent_again_in_halves():
    changes = [change(key) for key in "ABCDE"]
    created = {"status": "Created"}
    requests, outcomes = run_by_hand(
        batches.apply("Product", changes),
        OutcomeUnknownError("lost"),
        list_reply(changes[0].payload),
        reply(200, [created] * 2),
        reply(200, [created, {"status": "NotModified"}]),
    )
    assert results(outcomes) == dict.fromkeys("ABCDE", "created")
    assert [len(request.json) for request in requests if request.method == "POST"] == [5, 2, 2]


def test_a_record_that_makes_its_batch_fail_is_isolated():
    changes = [change(key) for key in "ABCD"]
    created = {"status": "Created"}
    failure = OutcomeUnknownError("SQLSTATE", method="POST", path="/api/upsert", status=500)
    _, outcomes = run_by_hand(
        batches.apply("Product", changes),
        failure,
        list_reply(changes[0].payload),
        # B, C
        failure,
        list_reply(changes[1].payload),
        # C
        failure,
        list_reply(),
        # D
        reply(200, [created]),
    )
    assert results(outcomes) == {"A": "created", "B": "created", "C": "failed", "D": "created"}
    failed = next(outcome for outcome in outcomes if outcome.result == "failed")
    assert "SQLSTATE" in failed.message
    assert not failed.is_permanent


def test_a_single_failing_record_is_not_sent_twice():
    _, outcomes = run_by_hand(batches.apply("Product", [change("A")]), InvalidRequestError("no"), list_reply())
    assert results(outcomes) == {"A": "failed"}
    assert outcomes[0].is_permanent


def test_the_error_is_raised_if_all_changes_fail():
    failure = ServerError("out of order")
    with pytest.raises(ServerError, match="out of order"):
        run_by_hand(
            batches.apply("Product", [change("A"), change("B")]),
            *[failure, list_reply(), failure, list_reply(), failure, list_reply()],
        )


def test_a_failure_of_a_repeated_item_is_not_permanent():
    rejected = {"status": "Failed", "code": 400, "message": "database constraints"}
    _, outcomes = run_by_hand(
        batches.apply("Product", [change("A"), change("B")]),
        OutcomeUnknownError("timeout"),
        list_reply(),
        reply(200, [rejected]),
        reply(200, [{"status": "Created"}]),
    )
    assert [outcome.is_permanent for outcome in outcomes if outcome.result == "failed"] == [False]


# one by one


def test_without_upsert_records_are_sent_one_by_one():
    changes = [change("A"), change("B", creates=False, name="b"), change("C", creates=False, name="c")]
    requests, outcomes = run_by_hand(
        batches.apply("Product", changes), NotFoundError(""), reply(200, {"id": "a"}), reply(200, {}), reply(304)
    )
    assert [(request.method, request.path) for request in requests[1:]] == [
        ("POST", "/api/Product"),
        ("PATCH", "/api/Product/id%20of%20B"),
        ("PATCH", "/api/Product/id%20of%20C"),
    ]
    assert requests[1].json == changes[0].payload
    assert results(outcomes) == {"A": "created", "B": "updated", "C": "unchanged"}


def test_one_by_one_a_failure_affects_one_row():
    changes = [change(key) for key in "ABC"]
    _, outcomes = run_by_hand(
        batches.apply("Product", changes),
        NotFoundError(""),
        InvalidRequestError("no name"),
        reply(200, {"id": "b"}),
        InvalidRequestError("no name"),
    )
    assert results(outcomes) == {"A": "failed", "B": "created", "C": "failed"}


def test_one_by_one_rejected_values_do_not_end_the_sync():
    changes = [change(key) for key in "AB"]
    _, outcomes = run_by_hand(
        batches.apply("Product", changes), NotFoundError(""), InvalidRequestError("no"), InvalidRequestError("no")
    )
    assert results(outcomes) == {"A": "failed", "B": "failed"}


def test_one_by_one_a_missing_permission_for_all_records_ends_the_sync():
    changes = [change(key) for key in "AB"]
    with pytest.raises(PermissionDeniedError):
        run_by_hand(
            batches.apply("Product", changes),
            NotFoundError(""),
            PermissionDeniedError("no permission"),
            PermissionDeniedError("no permission"),
        )


def test_one_by_one_a_stored_id_that_cannot_be_used_in_a_path_fails_its_row():
    changes = [Change("A", "a/b", creates=False, values={"name": "a"}), change("B", creates=False, name="b")]
    requests, outcomes = run_by_hand(batches.apply("Product", changes), NotFoundError(""), reply(200, {}))
    assert results(outcomes) == {"A": "failed", "B": "updated"}
    assert [request.method for request in requests] == ["POST", "PATCH"]


DATABASE_LOST = "An exception occurred while executing a query: SQLSTATE[57P01]: Admin shutdown: 7 FATAL:  terminating"


@pytest.mark.parametrize(
    ("item", "is_permanent"),
    [
        ({"code": 500, "message": "deadlock"}, False),
        ({"message": "Code: 500. Message: deadlock"}, False),  # before 2.3
        ({"code": 7, "message": DATABASE_LOST}, False),
        ({"message": f"Code: 7. Message: {DATABASE_LOST}"}, False),
        ({"code": 7, "message": "SQLSTATE[22001]: value too long"}, True),
        ({"message": "Code: 403. Message: "}, True),
        ({"code": "42S22", "message": "no such column"}, True),
        ({"code": "23505", "message": "duplicate key"}, True),
        ({"message": "Service 'NoSuch' was not found"}, True),
    ],
)
def test_a_failed_item_is_left_to_the_tasks_retries_if_the_server_failed(item, is_permanent):
    answer = reply(200, [{"status": "Failed", **item}, {"status": "Created"}])
    _, outcomes = run_by_hand(batches.apply("Product", [change("A"), change("B")]), answer)
    assert [outcome.is_permanent for outcome in outcomes if outcome.result == "failed"] == [is_permanent]
