"""Planning and applying, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.atrocore import api
from self_hosted.core.errors import Broken, Forbidden, Invalid, NotFound, Uncertain
from tests.atrocore.conftest import reply, run_by_hand


def plan(rows, stored=None, schema=None):
    return api.plan_of("Product", "number", rows, stored or {}, schema)


def change(key, *, creates=True, **values):
    record_id = api.own_id("Product", key) if creates else f"id of {key}"
    return api.Change(key, record_id, creates, values or {"number": key, "name": key})


def listed(*records):
    return reply(200, {"list": list(records)})


def results(outcomes):
    return {outcome.key: outcome.result for outcome in outcomes}


# planning


def test_a_row_nobody_knows_is_created_with_an_id_of_its_own():
    found = plan({"A": {"number": "A", "name": "a"}})
    assert found.changes == [
        api.Change("A", api.own_id("Product", "A"), creates=True, values={"number": "A", "name": "a"})
    ]
    assert found.changes[0].payload == {"number": "A", "name": "a", "id": api.own_id("Product", "A")}


def test_an_own_id_depends_on_entity_and_key_alone_and_fits_old_databases():
    ids = {api.own_id(entity, key) for entity in ("Product", "Brand") for key in ("A", "B")}
    assert len(ids) == 4
    # another release must not give other ids, or it would create everything once more
    assert api.own_id("Product", "A") == "ee9c1c396945591f8058738a"
    assert all(len(id_) == 24 and set(id_) <= set("0123456789abcdef") for id_ in ids)


def test_only_what_differs_is_updated_under_the_stored_id():
    stored = {"A": [{"id": "1", "number": "A", "name": "a", "price": 1, "note": None}]}
    found = plan({"A": {"number": "A", "name": "a", "price": "2", "note": ""}}, stored)
    assert found.changes == [api.Change("A", "1", creates=False, values={"price": "2"})]


def test_what_a_row_does_not_name_is_left_alone():
    stored = {"A": [{"id": "1", "number": "A", "name": "a", "price": 1}]}
    assert results(plan({"A": {"number": "A"}}, stored).settled) == {"A": "unchanged"}


def test_none_empties_a_field():
    stored = {"A": [{"id": "1", "number": "A", "price": 1}]}
    assert plan({"A": {"number": "A", "price": None}}, stored).changes[0].values == {"price": None}


def test_a_key_that_two_records_have_is_ambiguous_and_names_them():
    found = plan({"A": {"number": "A"}}, {"A": [{"id": "1"}, {"id": "2"}]})
    assert found.changes == []
    assert [(one.result, one.message) for one in found.settled] == [("ambiguous", "2 records have this key: 1, 2")]


def test_a_row_the_server_would_cut_fails_and_the_others_go_on():
    schema = api.Schema("Product", {"number": "string", "price": "number"})
    found = plan({"A": {"number": "A", "colour": "red"}, "B": {"number": "B", "price": "1"}}, schema=schema)
    assert results(found.settled) == {"A": "failed"}
    assert [one.values for one in found.changes] == [{"number": "B", "price": 1}]


def test_required_fields_that_new_records_lack_are_named():
    schema = api.Schema("Product", {"number": "string"}, frozenset({"number", "status"}))
    rows = {"A": {"number": "A"}, "B": {"number": "B"}}
    assert plan(rows, schema=schema).lacking == {"status"}
    assert plan(rows, {key: [{"id": key}] for key in rows}, schema).lacking == set()


def test_records_can_be_matched_by_their_id():
    found = api.plan_of("Product", "id", {"7": {"id": "7", "name": "a"}}, {}, None)
    assert found.changes[0].id == "7"


def test_a_plan_asks_only_for_the_fields_that_rows_have():
    rows: dict[str, Any] = {"A": {"number": "A", "name": "a", "price": 1}, "B": {"number": "B", "note": "b"}}
    asked, found = run_by_hand(api.planned("Product", "number", rows, None), listed(), listed())
    assert asked[0].query["select"] == "number,name,note,price"
    assert results(found.foreseen()) == {"A": "created", "B": "created"}


def test_a_record_that_was_renamed_since_it_was_created_is_not_overwritten():
    renamed = {"id": api.own_id("Product", "A"), "number": "A-new"}
    rows = {"A": {"number": "A"}, "B": {"number": "B"}}
    asked, found = run_by_hand(api.planned("Product", "number", rows, None), listed(), listed(renamed))
    assert asked[1].query["where[0][attribute]"] == "id"
    assert [one.key for one in found.changes] == ["B"]
    assert results(found.settled) == {"A": "ambiguous"}
    assert "has the number 'A-new' now" in found.settled[0].message


def test_a_plan_without_creates_looks_up_once():
    stored = {"id": "1", "number": "A", "name": "a"}
    asked, _ = run_by_hand(api.planned("Product", "number", {"A": {"number": "A", "name": "b"}}, None), listed(stored))
    assert len(asked) == 1


# applying


@pytest.mark.parametrize(
    ("answer", "result"),
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
def test_each_item_is_judged_by_itself(answer, result):
    other = {"status": "Updated", "entity": {"id": "id of B", "name": "the whole record, as before 2.3"}}
    changes = [change("A"), change("B", creates=False, name="b")]
    _, outcomes = run_by_hand(api.applied("Product", changes), reply(200, [answer, other]))
    assert results(outcomes) == {"A": result, "B": "updated"}


def test_an_item_that_failed_on_the_servers_side_may_be_tried_again():
    answers = [{"status": "Failed", "code": 500, "message": "deadlock"}, {"status": "Failed", "code": 400}]
    _, outcomes = run_by_hand(api.applied("Product", [change("A"), change("B")]), reply(200, answers))
    assert [outcome.final for outcome in outcomes] == [False, True]
    assert outcomes[1].message == "refused without a reason (code 400)"


def test_a_batch_is_one_request_with_ids():
    changes = [change("A"), change("B", creates=False, name="b")]
    asked, _ = run_by_hand(api.applied("Product", changes), reply(200, [{"status": "Created"}, {"status": "Updated"}]))
    assert asked[0].path == "/api/upsert"
    assert asked[0].json == [{"entity": "Product", "payload": one.payload} for one in changes]
    assert not asked[0].may_be_repeated


def test_a_lost_answer_is_read_back_and_nothing_is_sent_again():
    changes = [change("A"), change("B", creates=False, name="b")]
    there = [{**changes[0].payload}, {"id": "id of B", "name": "b"}]
    asked, outcomes = run_by_hand(api.applied("Product", changes), Uncertain("lost"), listed(*there))
    assert results(outcomes) == {"A": "created", "B": "updated"}
    assert [request.method for request in asked] == ["POST", "GET"]


def test_what_a_lost_batch_did_not_do_is_sent_again_in_halves():
    changes = [change(key) for key in "ABCDE"]
    there = changes[0].payload
    created = {"status": "Created"}
    asked, outcomes = run_by_hand(
        api.applied("Product", changes),
        Uncertain("lost"),
        listed(there),
        reply(200, [created] * 2),
        reply(200, [created, {"status": "NotModified"}]),
    )
    assert results(outcomes) == dict.fromkeys("ABCDE", "created")
    assert [len(request.json) for request in asked if request.method == "POST"] == [5, 2, 2]


def test_a_record_that_spoils_its_batch_is_found_and_the_others_go_through():
    changes = [change(key) for key in "ABCD"]
    created = {"status": "Created"}
    spoilt = Uncertain("SQLSTATE", method="POST", path="/api/upsert", status=500)
    _, outcomes = run_by_hand(
        api.applied("Product", changes),
        spoilt,
        listed(changes[0].payload),
        # B, C
        spoilt,
        listed(changes[1].payload),
        # C
        spoilt,
        listed(),
        # D
        reply(200, [created]),
    )
    assert results(outcomes) == {"A": "created", "B": "created", "C": "failed", "D": "created"}
    failed = next(outcome for outcome in outcomes if outcome.result == "failed")
    assert "SQLSTATE" in failed.message
    assert not failed.final


def test_a_single_record_that_fails_is_not_sent_twice():
    _, outcomes = run_by_hand(api.applied("Product", [change("A")]), Invalid("no"), listed())
    assert results(outcomes) == {"A": "failed"}
    assert outcomes[0].final


def test_when_nothing_gets_through_it_is_the_server_that_is_broken():
    broken = Broken("out of order")
    with pytest.raises(Broken, match="out of order"):
        run_by_hand(
            api.applied("Product", [change("A"), change("B")]),
            *[broken, listed(), broken, listed(), broken, listed()],
        )


def test_what_fails_when_sent_again_is_left_to_the_tasks_retries():
    refused = {"status": "Failed", "code": 400, "message": "database constraints"}
    _, outcomes = run_by_hand(
        api.applied("Product", [change("A"), change("B")]),
        Uncertain("time-out"),
        listed(),
        reply(200, [refused]),
        reply(200, [{"status": "Created"}]),
    )
    assert [outcome.final for outcome in outcomes if outcome.result == "failed"] == [False]


# one by one


def test_without_upsert_records_are_sent_one_by_one():
    changes = [change("A"), change("B", creates=False, name="b"), change("C", creates=False, name="c")]
    asked, outcomes = run_by_hand(
        api.applied("Product", changes), NotFound(""), reply(200, {}), reply(200, {}), reply(304)
    )
    assert [(request.method, request.path) for request in asked[1:]] == [
        ("POST", "/api/Product"),
        ("PATCH", "/api/Product/id%20of%20B"),
        ("PATCH", "/api/Product/id%20of%20C"),
    ]
    assert asked[1].json == changes[0].payload
    assert results(outcomes) == {"A": "created", "B": "updated", "C": "unchanged"}


def test_one_by_one_each_failure_is_a_rows_own():
    changes = [change(key) for key in "ABC"]
    _, outcomes = run_by_hand(
        api.applied("Product", changes), NotFound(""), Invalid("no name"), reply(200, {}), Invalid("no name")
    )
    assert results(outcomes) == {"A": "failed", "B": "created", "C": "failed"}


def test_one_by_one_values_that_are_all_refused_are_no_sign_of_a_broken_server():
    changes = [change(key) for key in "AB"]
    _, outcomes = run_by_hand(api.applied("Product", changes), NotFound(""), Invalid("no"), Invalid("no"))
    assert results(outcomes) == {"A": "failed", "B": "failed"}


def test_one_by_one_a_right_that_is_missing_everywhere_ends_the_sync():
    changes = [change(key) for key in "AB"]
    with pytest.raises(Forbidden):
        run_by_hand(api.applied("Product", changes), NotFound(""), Forbidden("no right"), Forbidden("no right"))
