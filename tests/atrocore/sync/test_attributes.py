"""Values of attributes: found by code, read for many products at once, and written where they differ."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.api import attribute_values
from self_hosted.core.sync.fields import Attribute


def stored(site, key, name, language="main"):
    """Return a stored value and its unit; None if the attribute is not assigned."""
    if not site.has_rows:
        rows = site.hook.run(attribute_values.list_assigned("Product", site.ref(key)))
        found = [row for row in rows if row["attributeId"] == site.id(name)]
        return (found[0].get("value"), found[0].get("valueUnitId")) if found else None
    where = [
        {"type": "equals", "attribute": "productId", "value": site.ref(key)},
        {"type": "equals", "attribute": "attributeId", "value": site.id(name)},
        {"type": "equals", "attribute": "language", "value": language},
    ]
    found = site.hook.list_records("ProductAttributeValue", where)
    assert len(found) <= 1
    return (found[0].get("value"), found[0].get("valueUnitId")) if found else None


def test_values_of_all_types_are_stored_and_the_second_sync_plans_nothing(site):
    kinds = {"text": "varchar", "count": "int", "size": "float", "flag": "bool", "since": "date", "at": "datetime"}
    codes = {name: site.add_attribute(name, kind) for name, kind in kinds.items()}
    declared = [Attribute(code, column=name) for name, code in codes.items()]
    rows = [
        site.row("1", text="rot & blau", count="7", size="2,5", flag="ja", since="2026-03-01", at="2026-03-01 10:30"),
        site.row("2", text="grün", count=0, size=-1.25, flag=False, since=None, at=datetime(2026, 3, 1, 9, tzinfo=UTC)),
        site.row("3", text="", count="", size="", flag="", since="", at=""),
    ]
    assert site.sync(rows, *declared) == {"created": 3}
    values = [stored(site, "1", name)[0] for name in kinds]
    assert values == ["rot & blau", 7, 2.5, True, "2026-03-01", "2026-03-01 10:30:00"]
    assert stored(site, "2", "size")[0] == pytest.approx(-1.25)
    assert stored(site, "2", "flag")[0] is False
    assert stored(site, "3", "text") is None
    assert site.sync(rows, *declared) == {"unchanged": 3}


def test_only_records_whose_values_differ_are_written(site):
    declared = [Attribute(site.add_attribute(name, "varchar"), column=name) for name in ("colour", "shape")]
    rows = [site.row(str(n), colour="red", shape="round") for n in range(12)]
    assert site.sync(rows, *declared) == {"created": 12}
    rows[3] = {**rows[3], "colour": "blue"}
    assert site.sync(rows, *declared) == {"unchanged": 11, "updated": 1}
    assert [stored(site, "3", name)[0] for name in ("colour", "shape")] == ["blue", "round"]
    assert site.sync(rows, *declared) == {"unchanged": 12}


def test_fields_and_values_change_together(site):
    code = site.add_attribute("colour", "varchar")
    site.sync([site.row("1", colour="red")], Attribute(code, column="colour"))
    row = {**site.row("1", colour="blue"), "name": "Other"}
    assert site.sync([row], Attribute(code, column="colour")) == {"updated": 1}
    assert (site.record("1")["name"], stored(site, "1", "colour")[0]) == ("Other", "blue")


def test_an_attribute_is_assigned_to_an_existing_product(site):
    code = site.add_attribute("colour", "varchar")
    assert site.sync([site.row("1")]) == {"created": 1}
    assert site.sync([site.row("1", colour="red")], Attribute(code, column="colour")) == {"updated": 1}
    assert stored(site, "1", "colour")[0] == "red"


def test_a_value_is_emptied(site):
    code = site.add_attribute("colour", "varchar")
    site.sync([site.row("1", colour="red")], Attribute(code, column="colour"))
    declared = Attribute(code, column="colour", empty="clear")
    assert site.sync([site.row("1", colour="")], declared) == {"updated": 1}
    assert not stored(site, "1", "colour")[0]
    assert site.sync([site.row("1", colour="")], declared) == {"unchanged": 1}


def test_values_have_units(site):
    measure = site.add("Measure", "weight")
    for name in ("kg", "g"):
        site.add("Unit", name, name=f"{site.prefix}{name}", measureId=measure, multiplier=1)
    code = site.add_attribute("weight", "float", measureId=measure)
    declared = Attribute(code, column="weight", unit_column="unit")
    rows = [site.row("1", weight="2,5", unit=f"{site.prefix}kg"), site.row("2", weight=3, unit=site.code("g"))]
    assert site.sync(rows, declared) == {"created": 2}
    assert [stored(site, key, "weight") for key in "12"] == [(2.5, site.id("kg")), (3, site.id("g"))]
    assert site.sync(rows, declared) == {"unchanged": 2}
    assert site.sync(rows, Attribute(code, column="weight", unit=f"{site.prefix}g")) == {"updated": 1, "unchanged": 1}
    assert stored(site, "1", "weight") == (2.5, site.id("g"))


def test_an_unknown_attribute_is_rejected_with_similar_ones(site):
    code = site.add_attribute("colour", "varchar")
    with pytest.raises(AirflowFailException, match=f"no attribute with the code '{code[:-1]}'; similar codes .*{code}"):
        site.sync([site.row("1", colour="red")], Attribute(code[:-1], column="colour"))
