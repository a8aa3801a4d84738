"""Pages, look-ups and reads, by hand."""

from __future__ import annotations

import json

import pytest

from self_hosted.core.http.errors import InvalidRequestError, ServerError
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Page, Stored
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import describe

TOO_LONG = InvalidRequestError("URI too long", status=414)


def listed(*records):
    return reply(200, {"list": list(records)})


def where_of(request):
    return json.loads(request.query["where"])


def read_one(name, stored):
    """Return the canonical value of a field of one record."""
    target, schema = describe(name)
    _, found = run_by_hand(target.read(schema, ["1"]), listed({"id": "1", "sku": "A", **stored}))
    return next(iter(found[0].values.values()))


# pages


def test_a_page_begins_behind_the_last_id_of_the_one_before():
    target, schema = describe("name")
    records = [{"id": f"{n:03}", "sku": f"W-{n}", "name": "a"} for n in range(200)]
    [request], page = run_by_hand(target.page(schema, None), listed(*records))
    assert request.query == {
        **{"select": "sku,name,isActive", "maxSize": 1000, "sortBy": "id", "asc": True, "collectionOnly": True}
    }
    assert page.cursor == "199"
    [request], page = run_by_hand(target.page(schema, page.cursor), listed({"id": "200", "sku": "B", "name": ""}))
    assert where_of(request) == [{"type": "greaterThan", "attribute": "id", "value": "199"}]
    assert page == Page([Stored("B", "200", {"name": None})], None)


def test_pages_hold_only_records_in_the_scope():
    scope = [{"type": "equals", "attribute": "brandId", "value": "acme"}]
    target, schema = describe(where=scope)
    [request], _ = run_by_hand(target.page(schema, "1"), listed())
    assert where_of(request) == [*scope, {"type": "greaterThan", "attribute": "id", "value": "1"}]
    assert target.scope == scope


def test_a_server_that_returns_the_last_record_again_is_an_error():
    target, schema = describe()
    with pytest.raises(ServerError, match="the page after id '1' contains this id"):
        run_by_hand(target.page(schema, "1"), listed({"id": "1"}))


def test_an_invalid_scope_is_refused_before_any_request():
    with pytest.raises(ValueError, match="'equal' is not a type of condition"):
        describe(where=[{"type": "equal", "attribute": "sku", "value": "a"}])


def test_the_language_of_the_connection_is_left_out():
    target, schema = describe()
    [request], _ = run_by_hand(target.page(schema, None), listed())
    assert not request.headers["language"]


@pytest.mark.parametrize(("total", "expected"), [(54, 54), (0, 0), (-1, None), (-2, None), (None, None)])
def test_records_are_counted(total, expected):
    target, _ = describe()
    [request], found = run_by_hand(target.count(), reply(200, {"total": total, "list": []}))
    assert found == expected
    assert request.query == {"select": "id", "maxSize": 1, "totalOnly": True}


# values


@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        ("price", {"price": 12.5}, 12.5),
        ("price", {"price": 13.0}, 13),
        ("quantity", {"quantity": "0"}, 0),  # a text in the response to a create
        ("name", {"name": ""}, None),
        ("name", {}, None),
        ("isActive", {"isActive": False}, False),
        ("releasedAt", {"releasedAt": "2026-03-01 00:00:00"}, "2026-03-01T00:00:00Z"),
        ("madeOn", {"madeOn": "2026-03-01"}, "2026-03-01"),
        ("categories", {"categoriesIds": ["c2", "c1"]}, ["c1", "c2"]),
        ("categories", {"categoriesIds": []}, None),
        ("taskStatus", {"taskStatus": ["tech", "mar"]}, ["mar", "tech"]),
        ("brand", {"brandId": "b", "brandName": "Acme"}, "b"),
        ("data", {"data": {"a": 1}}, {"a": 1}),
    ],
)
def test_values_are_canonical(name, stored, expected):
    assert read_one(name, stored) == expected


@pytest.mark.parametrize(("stored", "key"), [("00123", "00123"), (12345.0, "12345"), (12345, "12345"), (None, "")])
def test_keys_are_texts(stored, key):
    target, schema = describe()
    _, found = run_by_hand(target.read(schema, ["1"]), listed({"id": "1", "sku": stored}))
    assert [record.key for record in found] == [key]


def test_inactive_records_are_marked():
    target, schema = describe("name")
    assert target.activity_field == "isActive"
    _, found = run_by_hand(target.read(schema, ["1", "2"]), listed({"id": "1", "isActive": False}, {"id": "2"}))
    assert [record.is_active for record in found] == [False, True]
    assert [record.values for record in found] == [{"name": None}] * 2


def test_a_missing_value_of_a_switch_is_its_stored_false():
    target, schema = describe("isActive")
    field = schema.fields["isActive"]
    assert target.same(field, None, False)
    assert target.same(field, None, None)
    assert not target.same(field, None, True)
    assert not target.same(field, False, None)
    assert target.same(field, False, False)


# look-ups


def test_keys_and_ids_of_new_records_are_looked_up_together():
    target, schema = describe("name")
    ids = [target.new_ref(key) for key in ("A", "B")]
    record = {"id": ids[1], "sku": "other", "name": "b"}
    [request], found = run_by_hand(target.find(schema, ["A", "B"]), listed({"id": "1", "sku": "A"}, record))
    by_key = {"type": "in", "attribute": "sku", "value": ["A", "B"]}
    by_id = {"type": "in", "attribute": "id", "value": ids}
    assert where_of(request) == [{"type": "or", "value": [by_key, by_id]}]
    assert [(stored.key, stored.ref) for stored in found] == [("A", "1"), ("other", ids[1])]


def test_a_hundred_rows_are_looked_up_with_one_request():
    target, schema = describe("name", "price", "quantity")
    keys = [f"KEY-{n:06}" for n in range(target.capacity.keys_per_lookup)]
    [request], _ = run_by_hand(target.find(schema, keys), listed())
    assert len(request.target) < 8000


def test_many_long_keys_are_looked_up_in_parts():
    target, schema = describe()
    keys = [f"{n:03}{'x' * 200}" for n in range(40)]
    requests, found = run_by_hand(target.find(schema, keys), *[listed({"id": str(n), "sku": "a"}) for n in range(2)])
    assert [stored.ref for stored in found] == ["0", "1"]
    assert sum(len(where_of(request)[0]["value"][0]["value"]) for request in requests) == 40
    assert all(len(request.target) < 8000 for request in requests)


def test_a_filter_that_is_too_long_for_the_server_is_halved():
    target, schema = describe()
    requests, found = run_by_hand(target.find(schema, ["A", "B"]), TOO_LONG, listed({"id": "1"}), listed({"id": "2"}))
    assert [where_of(request)[0]["value"][0]["value"] for request in requests] == [["A", "B"], ["A"], ["B"]]
    assert [stored.ref for stored in found] == ["1", "2"]


@pytest.mark.parametrize(
    ("keys", "error"), [(["A"], TOO_LONG), (["A", "B"], InvalidRequestError("no such field", status=400))]
)
def test_other_rejections_are_raised(keys, error):
    target, schema = describe()
    with pytest.raises(InvalidRequestError):
        run_by_hand(target.find(schema, keys), error)


def test_more_records_than_one_page_are_found():
    target, schema = describe()
    twins = [{"id": f"{n:03}", "sku": "A"} for n in range(201)]
    requests, found = run_by_hand(target.find(schema, ["A"]), listed(*twins[:200]), listed(*twins[200:]))
    assert len(found) == 201
    assert where_of(requests[1])[1] == {"type": "greaterThan", "attribute": "id", "value": "199"}


@pytest.mark.parametrize("key", ['6" pipe', "a\\nb", "{x}"])
def test_keys_that_servers_alter_in_json_are_looked_up_in_brackets(key):
    target, schema = describe()
    [request], _ = run_by_hand(target.find(schema, [key]), listed())
    assert "where" not in request.query
    assert request.query["where[0][value][0][value][]"] == [key]


def test_without_keys_nothing_is_looked_up():
    target, schema = describe()
    assert run_by_hand(target.find(schema, [])) == ([], [])
    assert run_by_hand(target.read(schema, [])) == ([], [])


def test_records_matched_by_id_are_looked_up_by_id():
    target, schema = describe("name", key="id")
    [request], found = run_by_hand(target.find(schema, ["a", "b"]), listed({"id": "a", "name": "x"}))
    assert where_of(request) == [{"type": "in", "attribute": "id", "value": ["a", "b"]}]
    assert found == [Stored("a", "a", {"name": "x"})]


def test_deleted_records_are_found_if_the_sync_must_know_them():
    target, schema = describe(finds_deleted=True)
    deleted, alive = {"id": "1", "sku": "A", "deleted": True}, {"id": "2", "sku": "A", "deleted": False}
    requests, found = run_by_hand(target.find(schema, ["A"]), listed(), listed(deleted, alive))
    assert where_of(requests[1])[1] == {"type": "bool", "value": ["onlyDeleted"]}
    # older servers ignore this condition, and return the others
    assert [(stored.ref, stored.is_deleted) for stored in found] == [("1", True)]
    assert target.capacity.lists_deleted


# relations


def test_relations_are_resolved_by_their_field():
    target, schema = describe(FieldSpec("categories", kind="relation", by="code"))
    records = [{"id": "c1", "code": "a"}, {"id": "c2", "code": "b"}, {"id": "c3", "code": "b"}]
    [request], found = run_by_hand(target.resolve(schema.fields["categoriesIds"], ["a", "b", "c"]), listed(*records))
    assert (request.path, request.query["select"]) == ("/api/Category", "code")
    assert found == {"a": "c1"}  # neither the ambiguous nor the unknown one


def test_ids_of_a_relation_are_checked():
    target, schema = describe("categoriesIds")
    [request], found = run_by_hand(target.resolve(schema.fields["categoriesIds"], ["c1", "no"]), listed({"id": "c1"}))
    assert where_of(request) == [{"type": "in", "attribute": "id", "value": ["c1", "no"]}]
    assert found == {"c1": "c1"}
