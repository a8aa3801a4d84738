"""Records and their attribute values: what becomes of one if the other fails, and how many requests they take."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import OutcomeUnknownError, ServerError
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change
from tests.atrocore.conftest import reply

NEW = ("2.3", "2.2")
COLOUR, WEIGHT = "attributes.colour", "attributes.weight"


@pytest.fixture
def products(atrocore):
    """Products with the attributes colour and weight."""
    newest = {"systemName": "colour", "entityId": "Product", "attributePanelId": "p"} if atrocore.name == "2.3" else {}
    atrocore.seed("Attribute", {"id": "a1", "name": "Colour", "code": "colour", "type": "varchar", **newest})
    newest |= {"systemName": "weight"} if newest else {}
    atrocore.seed("Attribute", {"id": "a2", "name": "Weight", "code": "weight", "type": "float", **newest})
    declared = [FieldSpec(name, kind="attribute") for name in ("colour", "weight")]
    return atrocore.describe("name", "ean", *declared)


def new(products, key, colour="red", **values):
    return Change("create", key, products.target.new_ref(key), {"name": "a", COLOUR: colour, **values})


def test_values_are_read_with_the_records(products):
    products.write(new(products, "A", **{WEIGHT: 2.5}), new(products, "B"))
    found = {stored.key: stored.values for stored in products.list_all()}
    assert found["A"] == {"name": "a", "ean": None, COLOUR: "red", WEIGHT: 2.5}
    assert found["B"] == {"name": "a", "ean": None, COLOUR: "red", WEIGHT: None}
    assert {stored.key: stored.values for stored in products.find("A", "B")} == found


def test_many_values_take_few_requests(atrocore, products):
    batch = [new(products, f"K-{n}", **{WEIGHT: n}) for n in range(80)]
    before = atrocore.count_requests()
    assert {outcome.result for outcome in products.write(*batch)} == {"created"}
    written = atrocore.count_requests() - before
    products.list_all()
    read = atrocore.count_requests() - before - written
    assert (written, read) == {
        "1.10": (2, 2),  # an upsert of records, and one of values
        "espo": (240, 2),  # one by one
    }.get(atrocore.name, (161, 1))  # an upsert, then two requests for each record


def test_a_record_that_fails_gets_no_values(atrocore, products):
    good, bad = new(products, "A"), new(products, "B", ean="12")
    assert [outcome.result for outcome in products.write(good, bad)] == ["created", "failed"]
    if atrocore.name not in NEW:
        rows = atrocore.connect().list_records("ProductAttributeValue")
        assert [row["productId"] for row in rows] == [good.ref]


def test_a_value_that_was_changed_meanwhile_is_a_conflict(atrocore, products):
    products.write(new(products, "A"))
    [stored] = products.find("A")
    assert products.change(stored, **{COLOUR: "blue"}).result == "updated"
    is_guarded = products.target.is_locked(Change("update", "A", stored.ref, {COLOUR: "b"}, {COLOUR: "a"}))
    assert is_guarded == (atrocore.name not in NEW)  # else the engine reads the record before
    if is_guarded:
        outcome = products.change(stored, name="b", **{COLOUR: "green"})
        assert (outcome.result, outcome.message) == ("conflict", "the attribute colour was changed in the meantime")
        [stored] = products.find("A")
        assert (stored.values["name"], stored.values[COLOUR]) == ("a", "blue")


def test_a_value_that_is_stored_already_is_unchanged(products):
    products.write(new(products, "A"))
    [stored] = products.find("A")
    assert products.change(stored, **{COLOUR: "red"}).result == "unchanged"
    assert products.change(stored, name="b", **{COLOUR: "red"}).result == "updated"


def test_attributes_that_the_server_assigned_to_a_new_product_get_their_values(atrocore, products):
    change = new(products, "A")
    if atrocore.name not in NEW:
        row = {"id": "v1", "productId": change.ref, "attributeId": "a1", "language": "main", "value": "default"}
        atrocore.seed("ProductAttributeValue", row)
    assert [outcome.result for outcome in products.write(change)] == ["created"]
    assert products.find("A")[0].values[COLOUR] == "red"


def test_a_restored_record_gets_its_values(atrocore, products):
    products.write(new(products, "A"))
    products.target.finds_deleted = True
    products.write(Change("delete", "A", products.target.new_ref("A"), {}))
    if atrocore.name == "espo":  # it hides deleted records
        return
    [stored] = products.find("A")
    assert stored.is_deleted
    assert products.change(stored, "restore", **{COLOUR: "blue"}).result == "restored"
    [stored] = products.find("A")
    assert stored.values[COLOUR] == "blue"


def run(flow, answer):
    """Run a flow whose request for attribute values gets an answer."""
    request = next(flow)
    while True:
        try:
            value = answer(request)
            request = flow.throw(value) if isinstance(value, Exception) else flow.send(value)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("error", [ServerError("broken"), OutcomeUnknownError("lost")])
def test_values_that_cannot_be_stored_fail_their_record(atrocore, products, error):
    def answer(request):
        if "AttributeValue" in f"{request.path}{request.json}" or "addAttributes" in request.path:
            return error
        created = {"status": "Created", "id": request.json[0]["payload"]["id"]}
        return reply(200, [created], request)

    [outcome] = run(products.target.write(products.schema, [new(products, "A")]), answer)
    assert (outcome.result, outcome.is_final) == ("failed", False)
    assert outcome.message == f"created without its attribute values: {error.message}"


def test_lists_without_values_are_completed_record_by_record(atrocore, products):
    if atrocore.name not in NEW:
        return
    products.write(new(products, "A"))
    ref, requested = products.target.new_ref("A"), []

    def answer(request):
        requested.append(request.path)
        if request.path.endswith("attributeValues"):
            return reply(200, [{"attributeId": "a1", "value": "red"}], request)
        return reply(200, {"list": [{"id": ref, products.target.key: "A", "name": "a"}]}, request)

    [stored] = run(products.target.read(products.schema, [ref]), answer)
    assert stored.values == {"name": "a", "ean": None, COLOUR: "red", WEIGHT: None}
    assert requested == ["/api/Product", f"/api/Product/{ref}/attributeValues"]
