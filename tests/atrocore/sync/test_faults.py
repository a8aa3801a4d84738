"""Faults that were observed on real servers: values that were stored wrongly, or not at all, and reported as done."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change

GERMAN = {"languages": ["de_DE"]}
IN_GERMAN = {"connection": {"extra": {"language": "de_DE"}}}
EDITOR = {
    "id": "editor",
    "name": "Editor",
    "data": {"Product": {"create": "yes", "read": "all", "edit": "all", "delete": "no"}},
    "fieldData": {"Product": {"price": {"read": "yes", "edit": "no"}, "mpn": {"read": "no", "edit": "no"}}},
}
NAME_IN_GERMAN = {"type": "varchar", "required": True, "multilangField": "name", "multilangLocale": "de_DE"}
DATES = {"fields": {"Product": {"releasedAt": {"type": "datetime"}, "madeOn": {"type": "date"}}}}


# content language


def test_the_language_of_the_connection_changes_neither_what_is_read_nor_what_is_written(atrocore):
    atrocore.served.seed(GERMAN)
    products = atrocore.describe("name", FieldSpec("name", locale="de_DE"), **IN_GERMAN)
    assert products.create("A", name="Door", nameDeDe="Tuer").result == "created"
    [stored] = products.find("A")
    assert stored.values == {"name": "Door", "nameDeDe": "Tuer"}
    assert products.change(stored, name="Gate").result == "updated"
    assert products.find("A")[0].values == {"name": "Gate", "nameDeDe": "Tuer"}


def test_a_required_field_of_a_language_is_named(atrocore):
    atrocore.served.seed({**GERMAN, "fields": {"Product": {"nameDeDe": NAME_IN_GERMAN}}})
    assert atrocore.describe("name").schema.required == ("nameDeDe",)


# types


@pytest.mark.parametrize(
    ("name", "field_type"),
    [("price", "number"), ("isActive", "boolean"), ("sortOrder", "integer"), ("tag", "options"), ("ean", "text")],
)
def test_types_are_known_in_all_dialects(atrocore, name, field_type):
    assert atrocore.describe(name).schema.fields[name].type == field_type


def test_dates_and_moments_are_stored_as_they_are_meant(atrocore):
    atrocore.served.seed(DATES)
    products = atrocore.describe("name", "releasedAt", "madeOn")
    products.create("A", name="a", releasedAt="2026-03-01T00:00:00Z", madeOn="2026-03-01")
    [stored] = products.find("A")
    assert stored.values == {"name": "a", "releasedAt": "2026-03-01T00:00:00Z", "madeOn": "2026-03-01"}
    record = atrocore.record(stored.ref)
    assert (record["releasedAt"], record["madeOn"]) == ("2026-03-01 00:00:00", "2026-03-01")


def test_an_empty_switch_is_stored_as_false_and_then_unchanged(atrocore):
    products = atrocore.describe("name", "isActive")
    assert products.create("A", name="a", isActive=None).result == "created"
    [stored] = products.find("A")
    assert stored.values["isActive"] is False
    assert products.target.same(products.schema.fields["isActive"], None, stored.values["isActive"])


def test_emptied_values_are_read_as_empty(atrocore):
    products = atrocore.describe("name", "price", "tag", "mpn")
    products.create("A", name="a", price=1, tag=["x"], mpn="m")
    [stored] = products.find("A")
    assert products.change(stored, price=None, tag=None, mpn=None).result == "updated"
    assert products.find("A")[0].values == {"name": "a", "price": None, "tag": None, "mpn": None}


def test_a_text_with_nul_is_refused(atrocore):
    products = atrocore.describe("name")
    assert products.create("A", name="ab\0cd").result == "failed"
    assert products.find("A") == []


# fields that the server drops


def test_fields_that_the_role_may_not_edit_are_known_before_the_first_write(atrocore):
    atrocore.served.seed({"records": {"Role": [EDITOR]}, "account": {"isAdmin": False, "rolesIds": ["editor"]}})
    schema = atrocore.describe("name", "price", "mpn").schema
    assert [name for name, field in schema.fields.items() if field.forbidden] == ["price", "mpn"]
    assert set(schema.forbidden) == {"delete", "restore"}


@pytest.mark.parametrize("name", ["brandName", "createdAt", "modifiedAt", "createdById"])
def test_fields_that_only_the_server_sets_are_known_before_the_first_write(atrocore, name):
    assert atrocore.describe(name).schema.fields[name].forbidden


def test_the_name_of_a_linked_record_is_a_text_that_may_not_be_written(atrocore):
    field = atrocore.describe("brandName").schema.fields["brandName"]
    assert (field.type, field.forbidden) == ("text", "the server sets it; write brandId")


@pytest.mark.parametrize("name", ["priceUnitId", "parentId", "mainImageId", "categoriesIds", "brandId"])
def test_fields_that_the_openapi_document_lacks_are_stored(atrocore, name):
    atrocore.seed("Category", {"id": "r1", "code": "a", "name": "a"})
    atrocore.seed("Brand", {"id": "r1", "code": "a", "name": "a"})
    atrocore.seed("Product", {"id": "r1", "key": "parent", "name": "a"})
    value = {"priceUnitId": "eur", "categoriesIds": ["r1"]}.get(name, "r1")
    products = atrocore.describe("name", "price", name)
    assert not products.schema.fields[name].forbidden
    assert products.create("A", **{"name": "a", "price": 1, name: value}).result == "created"
    assert products.find("A")[0].values[name] == value


def test_an_unknown_record_of_a_relation_is_not_resolved(atrocore):
    atrocore.seed("Category", {"id": "c1", "code": "a", "name": "a"})
    products = atrocore.describe("categoriesIds")
    field = products.schema.fields["categoriesIds"]
    assert products.hook.run(products.target.resolve(field, ["c1", "nosuch"])) == {"c1": "c1"}


# contradictions


def test_a_new_record_with_a_unique_value_of_another_is_never_created(atrocore):
    atrocore.seed("Brand", {"id": "bosch", "code": "x", "name": "Bosch"})
    brands = atrocore.describe("code", entity="Brand", key="name")
    outcome = brands.create("Bosch 2", code="x")
    assert outcome.result in {"updated", "failed"}  # 1.x says updated, and stores nothing


def test_a_record_that_vanished_is_not_reported_as_updated(atrocore):
    atrocore.seed("Product", {"id": "1", "key": "A", "name": "a"})
    products = atrocore.describe("name")
    [stored] = products.read("1")
    products.write(Change("delete", "A", "1", {}))
    assert products.change(stored, name="b").result in {"created", "failed"}


def test_a_batch_that_is_sent_again_while_the_server_works_on_it_ends_with_its_values(atrocore):
    """A killed worker's retry, or a second sync: the server finds no record for either, and stores the first."""
    syncs = [atrocore.describe("name", "price") for _ in range(2)]
    keys = [f"W-{n}" for n in range(20)]
    batch = [Change("create", key, syncs[0].target.new_ref(key), {"name": "a", "price": 1}) for key in keys]
    before = atrocore.count_requests()
    atrocore.served.seed({"holds_upserts": True})
    with ThreadPoolExecutor(2) as both:
        running = [both.submit(sync.write, *batch) for sync in syncs]
        deadline = time.monotonic() + 60
        while atrocore.count_requests() < before + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        atrocore.served.seed({"holds_upserts": False})
        outcomes = [outcome for each in running for outcome in each.result()]
    found = syncs[0].list_all()
    assert {stored.key: stored.values for stored in found} == {key: {"name": "a", "price": 1} for key in keys}
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    assert failed or atrocore.name == "espo"  # the engine reads them back
    assert all("constraints" in outcome.message for outcome in failed)
