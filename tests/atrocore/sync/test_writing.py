"""Batches and the results of their items, by hand."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.sync.target import Change, Outcome
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import describe

NO_UPSERT = NotFoundError("servers with the dialect espo have no such route")
CHANGED = "Code: 409. Message: The data set [Name] has been changed in the meantime."
TRUE = reply(200, True)


def create(key="A", **new):
    return Change("create", key, f"id of {key}", new, row=1)


def update(key="A", old=None, do="update", **new):
    return Change(do, key, f"id of {key}", new, old=old or {}, row=1)


def write(batch, *replies, fields=("name", "price", "isActive"), **options):
    target, schema = describe(*fields, **options)
    return run_by_hand(target.write(schema, batch), *replies)


def results(*items):
    return reply(200, list(items))


def payload_of(change, **options):
    """Return the payload of a change's item."""
    [request], _ = write([change], results({"status": "Updated"}), **options)
    assert (request.method, request.path) == ("POST", "/api/upsert")
    [item] = request.json
    assert item["entity"] == "Product"
    return item["payload"]


def outcome_of(change, result):
    _, [outcome] = write([change], results(result))
    return outcome


# payloads


def test_a_new_record_has_key_values_and_id():
    assert payload_of(create(name="a", price=1)) == {"sku": "A", "name": "a", "price": 1, "id": "id of A"}


def test_an_update_expects_the_old_values():
    payload = payload_of(update(old={"name": "a", "price": 1}, name="b", price=2))
    assert payload == {"name": "b", "price": 2, "id": "id of A", "_prev": {"name": "a", "price": 1}}


def test_numbers_keep_their_type():
    # PHP takes an int for another value than the stored float
    payload = payload_of(update(price=2, sortOrder=3), fields=("price", "sortOrder"))
    assert [type(payload["price"]), type(payload["sortOrder"])] == [float, int]


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("releasedAt", "2026-03-01T00:00:00Z", "2026-03-01 00:00:00"),  # the only form that all versions read
        ("madeOn", "2026-03-01", "2026-03-01"),
        ("name", None, None),
        ("price", None, None),
        ("isActive", None, False),  # 2.3 rejects null
        ("categoriesIds", None, []),
        ("taskStatus", None, []),
        ("productStatus", None, None),
    ],
)
def test_values_are_written_as_all_versions_read_them(name, value, sent):
    assert payload_of(update(**{name: value}), fields=(name,))[name] == sent


def test_a_text_with_nul_fails_without_being_sent():
    batch = [update("A", name="ab\0cd"), update("B", name="b")]
    [request], outcomes = write(batch, results({"status": "Updated"}))
    assert [item["payload"]["id"] for item in request.json] == ["id of B"]
    assert [(outcome.key, outcome.result) for outcome in outcomes] == [("A", "failed"), ("B", "updated")]
    assert outcomes[0].message == "name: the server cuts a text at its NUL character; remove it"


def test_a_batch_of_such_texts_needs_no_request():
    requests, [outcome] = write([update(name="\0")])
    assert (requests, outcome.result) == ([], "failed")


def test_the_language_of_the_connection_is_left_out():
    [request], _ = write([create()], results({"status": "Created"}))
    assert not request.headers["language"]


def test_a_key_of_the_entity_itself_is_its_id():
    assert payload_of(Change("create", "my-id", "my-id", {"name": "a"}), key="id") == {"id": "my-id", "name": "a"}


# results of items


@pytest.mark.parametrize(
    ("change", "result", "expected"),
    [
        (create(), {"status": "Created", "id": "id of A", "entity": "Product"}, "created"),
        (create(), {"status": "Created", "entity": {"id": "id of A"}}, "created"),
        (create(), {"status": "Updated", "entity": {"id": "id of A"}}, "updated"),
        (create(), {"status": "NotModified", "id": "id of A"}, "unchanged"),
        (update(), {"status": "Updated", "id": "id of A"}, "updated"),
        (update(), {"status": "Created", "id": "id of A"}, "created"),  # it was deleted meanwhile
        (update(), {"status": "NotModified"}, "unchanged"),
        (update(), {"status": "Failed", "message": "Code: 304. Message: "}, "unchanged"),
        (update(), {"status": "Failed", "code": 409, "message": "editedByAnotherUser"}, "conflict"),
        (update(), {"status": "Failed", "message": CHANGED}, "conflict"),
        (update(do="deactivate"), {"status": "Updated"}, "deactivated"),
        (update(do="deactivate"), {"status": "Created"}, "created"),
        (update(do="restore"), {"status": "Updated"}, "restored"),
        (update(do="restore"), {"status": "Created"}, "restored"),
        (update(do="restore"), {"status": "NotModified"}, "restored"),
    ],
)
def test_the_outcome_is_what_the_server_answered(change, result, expected):
    assert outcome_of(change, result) == Outcome(
        "A",
        expected,
        "it was changed in the meantime" if expected == "conflict" else "",
        ref="id of A",
        row=1,
    )


@pytest.mark.parametrize(
    ("result", "message", "is_final"),
    [
        ({"message": "Code: 400. Message: Validation failed."}, "Validation failed.", True),
        ({"code": 400, "message": "noSuchOptions"}, "noSuchOptions", True),
        ({"message": "Code: 403. Message: "}, "rejected without a reason (code 403)", True),
        ({"code": 500, "message": "Out of memory"}, "Out of memory", False),
        ({"message": "Code: 503. Message: busy"}, "busy", False),
        ({"code": 7, "message": "SQLSTATE[22001]: too long"}, "SQLSTATE[22001]: too long", True),
        ({"message": "Code: 0. Message: SQLSTATE[08006] x"}, "SQLSTATE[08006] x", False),
        ({}, "rejected without a reason (code 400)", True),
    ],
)
def test_a_failed_item_has_the_words_of_the_server(result, message, is_final):
    outcome = outcome_of(update(), {"status": "Failed", **result})
    assert (outcome.result, outcome.message, outcome.is_final) == ("failed", message, is_final)


def test_an_unknown_status_is_a_failure():
    assert outcome_of(update(), {"status": "Odd"}).result == "failed"


def test_another_record_with_the_same_unique_values_is_no_success():
    outcome = outcome_of(create(), {"status": "Updated", "id": "other"})
    assert outcome.result == "failed"
    assert outcome.message == "AtroCore changed the record other instead: its unique fields have the same values"


def test_a_batch_that_fails_as_a_whole_raises():
    with pytest.raises(OutcomeUnknownError):
        write([create()], OutcomeUnknownError("lost"))


def test_an_empty_batch_needs_no_request():
    assert write([]) == ([], [])


# new records with relations


def write_related(*answers, **new):
    """Create a record with relations; return the payloads and the outcome."""
    fields = ("name", "brand", "parentId", "categories", "mainImage")
    [request], [outcome] = write([create(**new)], results(*answers), fields=fields)
    return [item["payload"] for item in request.json], outcome


@pytest.mark.parametrize(("name", "value"), [("categoriesIds", ["c1"]), ("parentId", "p1"), ("mainImageId", "f1")])
def test_a_new_record_is_stored_before_its_relations(name, value):
    # with a single item, 1.10.30 stores the record without its relations, and fails
    payloads, outcome = write_related({"status": "Created"}, {"status": "Updated"}, name="a", **{name: value})
    record = {"sku": "A", "name": "a", "id": "id of A"}
    assert payloads == [record, {**record, name: value}]
    assert outcome == Outcome("A", "created", ref="id of A", row=1)


@pytest.mark.parametrize("new", [{"brandId": "b1"}, {"categoriesIds": None}, {"parentId": None}])
def test_other_new_records_are_one_item(new):
    payloads, outcome = write_related({"status": "Created"}, **new)
    assert (len(payloads), outcome.result) == (1, "created")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"status": "Created"}, {"status": "NotModified"}, "created"),
        ({"status": "Failed", "code": 400}, {"status": "Created"}, "created"),
        ({"status": "Updated"}, {"status": "NotModified"}, "updated"),
        ({"status": "NotModified"}, {"status": "NotModified"}, "unchanged"),
        ({"status": "NotModified"}, {"status": "Updated"}, "updated"),
        (
            {"status": "Failed", "code": 400, "message": "no"},
            {"status": "Failed", "code": 400, "message": "no"},
            "failed",
        ),
    ],
)
def test_the_results_of_a_record_and_its_relations_are_joined(first, second, expected):
    _, outcome = write_related(first, second, categoriesIds=["c1"])
    assert outcome.result == expected


def test_a_record_without_its_relations_is_a_failure():
    _, outcome = write_related(
        {"status": "Created"}, {"status": "Failed", "message": "Code: 400. Message: unknown"}, categoriesIds=["c1"]
    )
    assert (outcome.result, outcome.message) == ("failed", "created without its relations: unknown")


def test_the_results_of_a_mixed_batch_belong_to_their_records():
    batch = [create("A", categoriesIds=["c1"]), create("B"), create("C", categoriesIds=["c1"])]
    answers = [{"status": status} for status in ("Created", "Updated", "Created", "NotModified", "NotModified")]
    _, outcomes = write(batch, results(*answers), fields=("categories",))
    assert [(outcome.key, outcome.result) for outcome in outcomes] == [
        ("A", "created"),
        ("B", "created"),
        ("C", "unchanged"),
    ]


def test_relations_of_existing_records_are_one_item():
    assert payload_of(update(categoriesIds=["c1"]), fields=("categories",))["categoriesIds"] == ["c1"]


# without upsert


def test_without_upsert_a_new_record_is_stored_with_its_relations():
    batch = [create("A", categoriesIds=["c1"])]
    requests, _ = write(batch, NO_UPSERT, reply(200, {"id": "id of A"}), fields=("categories",))
    assert requests[1].json == {"sku": "A", "categoriesIds": ["c1"], "id": "id of A"}


def test_without_upsert_records_are_written_one_by_one():
    batch = [create("A", name="a"), create("B", name="b")]
    requests, outcomes = write(batch, NO_UPSERT, reply(200, {"id": "id of A"}), ConflictError("Duplicate"))
    assert [(request.method, request.path) for request in requests[1:]] == [("POST", "/api/Product")] * 2
    assert requests[1].json == {"sku": "A", "name": "a", "id": "id of A"}
    assert [(outcome.key, outcome.result) for outcome in outcomes] == [("A", "created"), ("B", "conflict")]


def test_without_upsert_updates_expect_the_old_values_too():
    batch = [update("A", {"name": "a"}, name="b"), update("B", name="b")]
    requests, outcomes = write(batch, NO_UPSERT, reply(200, {"id": "1"}), reply(304))
    assert (requests[1].method, requests[1].path) == ("PATCH", "/api/Product/id%20of%20A")
    assert requests[1].json == {"name": "b", "_prev": {"name": "a"}}
    assert [outcome.result for outcome in outcomes] == ["updated", "unchanged"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConflictError("editedByAnotherUser"), ("conflict", "editedByAnotherUser", True)),
        (InvalidRequestError("'Name' is required."), ("failed", "'Name' is required.", True)),
        (PermissionDeniedError("no"), ("failed", "no", True)),
        (NotFoundError("gone"), ("failed", "gone", True)),
        (ServerError("broken"), ("failed", "broken", False)),
    ],
)
def test_without_upsert_each_record_has_its_own_failure(error, expected):
    _, outcomes = write([update("A", name="a"), update("B", name="b")], NO_UPSERT, error, reply(200, {"id": "1"}))
    assert (outcomes[0].result, outcomes[0].message, outcomes[0].is_final) == expected
    assert outcomes[1].result == "updated"


def test_an_id_that_cannot_be_used_in_a_path_fails_alone():
    batch = [Change("update", "A", "a/b", {"name": "a"}), update("B", name="b")]
    _, outcomes = write(batch, NO_UPSERT, reply(200, {"id": "1"}))
    assert [outcome.result for outcome in outcomes] == ["failed", "updated"]


# deactivate, restore, delete


def test_records_are_deactivated_by_their_switch():
    payload = payload_of(update(old={"name": "a"}, do="deactivate"))
    assert payload == {"isActive": False, "id": "id of A"}


def test_an_inactive_record_is_restored_by_its_switch():
    assert payload_of(update(do="restore", name="b")) == {"isActive": True, "name": "b", "id": "id of A"}
    assert payload_of(update(do="restore", isActive=False)) == {"isActive": False, "id": "id of A"}


def test_a_deleted_record_is_restored_with_its_values_before_it_is_written():
    replies = reply(200, {"restored": 1, "errors": []}), results({"status": "Updated"})
    requests, [outcome] = write([update(do="restore", name="b")], *replies, finds_deleted=True)
    assert [request.path for request in requests] == ["/api/entityRestore", "/api/upsert"]
    assert requests[0].json == {"entityName": "Product", "ids": ["id of A"]}
    assert outcome.result == "restored"


def test_a_server_that_cannot_restore_creates_the_record_again():
    replies = NotFoundError("no such action"), results({"status": "Created"})
    _, [outcome] = write([update(do="restore", name="b")], *replies, finds_deleted=True)
    assert outcome.result == "restored"


def test_deletions_are_checked_since_the_response_counts_failures_as_done():
    batch = [update("A", do="delete"), update("B", do="delete")]
    left = reply(200, {"list": [{"id": "id of B"}]})
    used = InvalidRequestError("Brand(s), which is(are) used in some products, cannot be deleted.")
    requests, outcomes = write(batch, reply(200, {"deleted": 2, "errors": []}), left, used)
    assert [request.path for request in requests] == [
        "/api/entityMassDelete",
        "/api/Product",
        "/api/Product/id%20of%20B",
    ]
    assert requests[0].json == {"entityName": "Product", "ids": ["id of A", "id of B"]}
    assert [(outcome.result, outcome.message) for outcome in outcomes] == [("deleted", ""), ("failed", used.message)]


def test_a_record_that_the_mass_deletion_left_is_deleted_alone():
    left = reply(200, {"list": [{"id": "id of A"}]})
    _, [outcome] = write([update(do="delete")], reply(200, {"count": 1}), left, TRUE)
    assert outcome.result == "deleted"


def test_a_deletion_by_an_id_that_cannot_be_sent_fails_alone():
    batch = [Change("delete", "A", ref, {}) for ref in ("", "x" * 1000, "id of B")]
    requests, outcomes = write(batch, reply(200, {"deleted": 1, "errors": []}), reply(200, {"list": []}))
    assert requests[0].json["ids"] == ["id of B"]
    assert [outcome.result for outcome in outcomes] == ["failed", "failed", "deleted"]


def test_without_a_usable_id_nothing_is_deleted():
    requests, [outcome] = write([Change("delete", "A", "", {})])
    assert (requests, outcome.result) == ([], "failed")
