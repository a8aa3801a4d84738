"""A mirror: products that the source lacks are deactivated or deleted, within the scope."""

from __future__ import annotations

import pytest

from tests.atrocore.conftest import counts, products

SCOPE = [{"type": "startsWith", "attribute": "name", "value": "Wheel"}]
DEACTIVATE = {"mode": "mirror", "on_missing": "deactivate"}
DELETE = {"mode": "mirror", "on_missing": "delete", "scope": SCOPE, "confirm": True}


@pytest.fixture
def key(dialect):
    return "sku" if dialect == "espo" else "number"


@pytest.fixture
def catalogue(key, sync):
    """Return six wheels and one door, which are stored."""
    given = [{key: f"W-{n}", "name": f"Wheel {n}", "isActive": True} for n in range(6)]
    sync([*given, {key: "D-1", "name": "Door", "isActive": True}], key_field=key)
    return given


def list_active(hook):
    return sorted(record["name"] for record in hook.list_records("Product") if record["isActive"])


def test_missing_products_are_deactivated_once_and_activated_when_they_are_back(hook, sync, catalogue, key):
    options = {"key_field": key, "scope": SCOPE, **DEACTIVATE}
    without_switch = [{key: row[key], "name": row["name"]} for row in catalogue]
    result = sync(without_switch[:4], **options)
    assert counts(result) == {"unchanged": 4, "deactivated": 2}
    assert result["missing"] == 2
    assert list_active(hook) == ["Door", "Wheel 0", "Wheel 1", "Wheel 2", "Wheel 3"]
    assert counts(sync(without_switch[:4], **options)) == {"unchanged": 4}
    assert counts(sync(without_switch, **options)) == {"unchanged": 4, "restored": 2}
    assert len(list_active(hook)) == 7


def test_missing_products_are_deleted_within_the_scope(served, sync, catalogue, key):
    options = {"key_field": key, **DELETE}
    assert counts(sync(catalogue[:4], **options)) == {"unchanged": 4, "deleted": 2}
    assert sorted(products(served)) == ["D-1", "W-0", "W-1", "W-2", "W-3"]
    assert counts(sync(catalogue[:4], **options)) == {"unchanged": 4}


def test_a_planned_deletion_is_applied(served, plan, apply, catalogue, key):
    planned = plan(catalogue[:4], key_field=key, **DELETE)
    assert counts(planned) == {"delete": 2, "unchanged": 4}
    assert counts(apply(planned)) == {"deleted": 2, "unchanged": 4}
    assert sorted(products(served)) == ["D-1", "W-0", "W-1", "W-2", "W-3"]


def test_without_a_mirror_missing_products_are_only_counted(served, sync, catalogue, key):
    assert counts(sync(catalogue[:4], key_field=key)) == {"unchanged": 4}
    assert len(products(served)) == 7


def test_nothing_is_deleted_if_a_row_has_no_key(served, sync, catalogue, key):
    given = [*catalogue[:4], {key: "", "name": "Wheel"}]
    result = sync(given, key_field=key, fail_on="never", **DELETE)
    assert counts(result) == {"unchanged": 4, "failed": 1, "skipped": 1}
    assert "none of 2 missing records is removed" in str(result["problems"])  # the row may stand for either product
    assert len(products(served)) == 7


def test_new_products_of_a_mirror_are_active(hook, sync, key):
    rows = [{key: "N-1", "name": "New"}]
    assert counts(sync(rows, key_field=key, **DEACTIVATE)) == {"created": 1}
    assert list_active(hook) == ["New"]
    assert counts(sync(rows, key_field=key, **DEACTIVATE)) == {"unchanged": 1}


def test_new_products_of_a_mirror_are_as_the_source_says(hook, sync, key):
    sync([{key: "N-1", "name": "New", "isActive": False}], key_field=key, **DEACTIVATE)
    assert list_active(hook) == []
