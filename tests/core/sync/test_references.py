"""References: texts of the source become ids, each looked up once."""

from __future__ import annotations

import logging

import pytest

from self_hosted.core.sync import references
from self_hosted.core.sync.duplicate_keys import check_keys
from self_hosted.core.sync.references import list_created, resolve_references
from self_hosted.core.sync.target import Change
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import KEY, NamingTarget, make_field, make_schema, read_rows, run, type_source

BRAND = make_field("brand", "reference", {"by": "code"}, collection="Brand")
CATEGORIES = make_field("categories", "references", {"missing": "create", "by": "name"}, collection="Category")
PARENT = make_field("parent", "reference", {"by": "sku"}, is_self_reference=True, is_parent=True)
RELATED = make_field("related", "references", {"by": "sku"}, is_self_reference=True)
PRICE = make_field("price", "number")


@pytest.fixture
def workspace():
    with Workspace() as opened:
        yield opened


def resolve(workspace, target, rows, *fields):
    typed = type_source(workspace, make_schema(*fields), rows, target)
    check_keys(typed.snapshot, workspace, "skip")
    resolve_references(run, target, typed.source.schema, KEY, workspace, typed.findings)
    return typed.findings


def values(workspace):
    return [row["verdict"] or row["row"] for row in read_rows(workspace)]


def problems(workspace):
    return [row["problem"] for row in read_rows(workspace) if row["problem"]]


class TestResolved:
    def test_texts_become_ids(self, workspace):
        target = NamingTarget({"Acme": "b1", "Chairs": "c2", "Tables": "c1"})
        rows = [
            {"sku": "A", "brand": "Acme", "categories": "Chairs|Tables", "price": 5},
            {"sku": "B", "brand": "Acme", "categories": ["Chairs"]},
            {"sku": "C", "brand": None},
        ]
        resolve(workspace, target, rows, BRAND, CATEGORIES, PRICE)
        assert values(workspace) == [
            {"brand": "b1", "categories": ["c1", "c2"], "price": 5},
            {"brand": "b1", "categories": ["c2"]},
            {},
        ]
        assert target.lookups == [("brand", ["Acme"]), ("categories", ["Chairs", "Tables"])]

    def test_each_text_is_looked_up_once_in_full_batches(self, workspace, monkeypatch):
        monkeypatch.setattr(references, "ROWS_PER_UPDATE", 3)
        names = [f"B{number}" for number in range(7)]
        target = NamingTarget({name: f"id-{name}" for name in names})
        rows = [{"sku": str(number), "brand": names[number % 7]} for number in range(20)]
        resolve(workspace, target, rows, BRAND)
        assert [texts for _, texts in target.lookups] == [names[:3], names[3:6], names[6:]]
        assert values(workspace) == [{"brand": f"id-B{number % 7}"} for number in range(20)]

    def test_a_cleared_reference_stays_none(self, workspace):
        cleared = make_field("brand", "reference", {"empty": "clear"})
        resolve(workspace, NamingTarget(), [{"sku": "A", "brand": None}], cleared)
        assert values(workspace) == [{"brand": None}]

    def test_two_texts_of_one_record_are_one_id(self, workspace):
        resolve(workspace, NamingTarget({"a": "1", "A": "1"}), [{"sku": "A", "categories": "a|A"}], CATEGORIES)
        assert values(workspace) == [{"categories": ["1"]}]

    def test_without_references_nothing_is_asked(self, workspace):
        target = NamingTarget()
        resolve(workspace, target, [{"sku": "A", "price": 5}], PRICE)
        assert (values(workspace), target.lookups) == ([{"price": 5}], [])

    def test_the_progress_is_logged(self, workspace, caplog, monkeypatch):
        monkeypatch.setattr(references, "SECONDS_BETWEEN_LINES", 0)
        caplog.set_level(logging.INFO)
        resolve(workspace, NamingTarget({"Acme": "b1"}), [{"sku": "A", "brand": "Acme"}], BRAND)
        assert "1 names of brand are looked up" in caplog.text


class TestMissing:
    def test_a_row_that_names_an_unknown_record_fails(self, workspace):
        rows = [{"sku": "A", "brand": "Acme"}, {"sku": "B", "brand": "Other"}]
        findings = resolve(workspace, NamingTarget({"Other": "b2"}), rows, BRAND)
        assert values(workspace) == ["failed", {"brand": "b2"}]
        assert problems(workspace) == ["brand: 'Acme' names no record; give the code of one, or set missing='create'"]
        ((sample,),) = findings.samples.values()
        assert (sample.row, sample.key, sample.field, sample.value) == (1, "A", "brand", "Acme")

    def test_the_target_may_know_the_reason(self, workspace):
        class Explaining(NamingTarget):
            def explain_unresolved(self, field, value):
                return f"is no {field.collection.lower()}: {len(value)}"

        resolve(workspace, Explaining(), [{"sku": "A", "brand": "Acme"}], BRAND)
        assert problems(workspace) == ["brand: 'Acme' is no brand: 4"]

    def test_missing_records_are_created(self, workspace):
        rows = [{"sku": "A", "categories": "Chairs|Tables"}, {"sku": "B", "categories": "Tables"}]
        resolve(workspace, NamingTarget({"Chairs": "c1"}), rows, CATEGORIES)
        assert values(workspace) == [
            {"categories": ["c1", "new-Category-Tables"]},
            {"categories": ["new-Category-Tables"]},
        ]
        assert list(list_created(workspace)) == [
            Change("create", "Tables", "new-Category-Tables", {"name": "Tables"}, collection="Category")
        ]

    def test_two_fields_create_a_record_once(self, workspace):
        main = make_field("main", "reference", {"missing": "create", "by": "name"}, collection="Category")
        resolve(workspace, NamingTarget(), [{"sku": "A", "main": "Tables", "categories": "Tables"}], main, CATEGORIES)
        assert [change.key for change in list_created(workspace)] == ["Tables"]

    def test_only_rows_that_are_sent_create_records(self, workspace):
        rows = [
            {"sku": "A", "categories": "Tables", "price": "x"},
            {"sku": "B", "categories": "Chairs", "brand": "unknown"},
            {"sku": "C", "categories": "Lamps"},
            {"sku": "c", "categories": "Sofas"},
        ]
        resolve(workspace, NamingTarget(), rows, CATEGORIES, BRAND, PRICE)
        assert list(list_created(workspace)) == []

    def test_a_record_whose_id_the_server_chooses_is_not_created(self, workspace):
        resolve(workspace, NamingTarget(chooses_ids=True), [{"sku": "A", "categories": "Tables"}], CATEGORIES)
        assert problems(workspace) == [
            "categories: 'Tables' names no record, and the server chooses the id of a new one; create it first"
        ]

    def test_all_unknown_names_of_a_row_are_found(self, workspace):
        both = make_field("categories", "references", collection="Category")
        rows = [{"sku": "A", "brand": "x", "categories": "y|z"}]
        findings = resolve(workspace, NamingTarget(), rows, BRAND, both)
        assert findings.count("error") == 3


class TestRowsOfTheSource:
    def test_a_row_may_name_another_row(self, workspace):
        rows = [{"sku": "child", "parent": "top", "related": "top|old"}, {"sku": "top"}]
        resolve(workspace, NamingTarget({"old": "r1"}), rows, PARENT, RELATED)
        child, _ = read_rows(workspace)
        assert child["row"] == {"parent": "new-top", "related": ["new-top", "r1"]}
        assert child["parent"] == "top"

    def test_the_id_of_an_existing_record_comes_first(self, workspace):
        resolve(workspace, NamingTarget({"top": "r1"}), [{"sku": "child", "parent": "top"}, {"sku": "top"}], PARENT)
        child, _ = read_rows(workspace)
        assert (child["row"], child["parent"]) == ({"parent": "r1"}, "top")

    def test_a_relation_that_is_no_parent_sets_none(self, workspace):
        resolve(workspace, NamingTarget(), [{"sku": "A", "related": "B"}, {"sku": "B"}], RELATED)
        assert [row["parent"] for row in read_rows(workspace)] == [None, None]

    def test_rows_are_named_by_their_key_only(self, workspace):
        by_name = make_field("parent", "reference", {"by": "name"}, is_self_reference=True, is_parent=True)
        resolve(
            workspace,
            NamingTarget({"top": "r1"}),
            [{"sku": "A", "parent": "top"}, {"sku": "B", "parent": "A"}],
            by_name,
        )
        first, second = read_rows(workspace)
        assert (first["row"], first["parent"]) == ({"parent": "r1"}, None)
        assert second["problem"] == "parent: 'A' names no record; give the name of one, or set missing='create'"

    def test_a_row_that_names_a_faulty_row_fails(self, workspace):
        rows = [{"sku": "child", "parent": "top"}, {"sku": "top", "price": "x"}]
        resolve(workspace, NamingTarget(), rows, PARENT, PRICE)
        assert problems(workspace)[0] == (
            "parent: 'top' names a row that is not sent, or whose id the server chooses; create its record first"
        )

    def test_a_row_whose_id_the_server_chooses_cannot_be_named(self, workspace):
        rows = [{"sku": "child", "parent": "top"}, {"sku": "top"}]
        resolve(workspace, NamingTarget(chooses_ids=True), rows, PARENT)
        assert [row["verdict"] for row in read_rows(workspace)] == ["failed", None]
