"""The old values that an update expects, as far as AtroCore compares them correctly (seen on 1.10.30)."""

from __future__ import annotations

import pytest

from self_hosted.core.sync.target import Change
from tests.atrocore.conftest import reply, run_by_hand
from tests.atrocore.sync.samples import FIELDS, describe


def lock_of(name, old, new):
    """Return the old values that are sent with an update of one field, and whether they lock it."""
    target, schema = describe(name)
    change = Change("update", "A", "1", {name: new}, {name: old})
    [request], _ = run_by_hand(target.write(schema, [change]), reply(200, [{"status": "Updated"}]))
    return request.json[0]["payload"].get("_prev", {}), target.is_locked(change)


@pytest.mark.parametrize("old", ["00123", "12.50", "1E5", " 12", "12345678901234567890", ".5", "+1"])
def test_old_texts_that_php_takes_for_numbers_are_not_expected(old):
    # servers compare "00123" with 123, so that each update would be a conflict
    assert lock_of("name", old, "b") == ({}, False)


@pytest.mark.parametrize("old", ["4006381333931", "0", "12 V", "W-1", "-", "", None, "1.2.3", "-5"])
def test_other_old_texts_are_expected(old):
    assert lock_of("name", old, "b") == ({"name": old}, True)


@pytest.mark.parametrize(
    ("name", "old", "new", "sent"),
    [
        ("price", 13, 14, 13.0),
        ("isActive", False, True, False),
        ("isActive", None, True, None),
        ("taskStatus", ["mar", "tech"], ["mar"], ["mar", "tech"]),
        ("releasedAt", "2026-03-01T00:00:00Z", None, "2026-03-01 00:00:00"),
        ("brandId", "acme", "bosch", "acme"),
    ],
)
def test_other_old_values_are_expected(name, old, new, sent):
    assert lock_of(name, old, new) == ({name: sent}, True)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("categoriesIds", ["c1"], ["c2"]), ("data", {"a": 1}, {"a": 2}), ("taskStatus", ["007"], ["mar"])],
)
def test_values_that_would_always_be_a_conflict_are_not_expected(name, old, new):
    assert lock_of(name, old, new) == ({}, False)


@pytest.mark.parametrize("name", ["shopName", "colourNames", "completeness"])
def test_attributes_that_are_not_compared_are_not_locked(name, monkeypatch):
    monkeypatch.setitem(FIELDS, name, {"type": "varchar"})
    assert lock_of(name, "a", "b") == ({}, False)


def test_a_change_without_all_its_old_values_is_not_locked():
    target, _ = describe("name", "price")
    assert target.is_locked(Change("update", "A", "1", {"name": "b", "price": 2}, {"name": "a", "price": 1}))
    assert not target.is_locked(Change("update", "A", "1", {"name": "b", "price": 2}, {"name": "a"}))
    assert not target.is_locked(Change("update", "A", "1", {"name": "b", "price": 2}, {"name": "01", "price": 1}))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("price", ["a"], 1), ("price", True, 1), ("isActive", "x", True), ("releasedAt", {}, None), ("taskStatus", 5, [])],
)
def test_old_values_of_another_type_than_the_field_are_not_expected(name, old, new):
    assert lock_of(name, old, new) == ({}, False)
