"""Units of numbers: named by name or code, for all rows or per row."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.sync.fields import Number


def units(site, *keys):
    return [site.record(key).get("priceUnitId") for key in keys]


def test_all_rows_have_the_declared_unit(site):
    declared, rows = Number("price", unit="EUR"), [site.row("1", price="12.5"), site.row("2", price=3)]
    assert site.sync(rows, declared) == {"created": 2}
    assert units(site, "1", "2") == ["eur", "eur"]
    assert site.sync(rows, declared) == {"unchanged": 2}
    assert site.sync(rows, Number("price", unit="USD")) == {"updated": 2}
    assert units(site, "1", "2") == ["usd", "usd"]


def test_each_row_names_its_unit(site):
    declared = Number("price", unit_column="currency")
    rows = [site.row("1", price="12,5", currency="EUR"), site.row("2", price="3", currency=" usd ")]
    assert site.sync(rows, declared) == {"created": 2}
    assert units(site, "1", "2") == ["eur", "usd"]
    assert site.sync(rows, declared) == {"unchanged": 2}


def test_an_unknown_unit_fails_its_row_and_names_the_valid_ones(site):
    rows = [site.row("1", price=1, currency="EURO"), site.row("2", price=1, currency="EUR")]
    assert site.sync(rows, Number("price", unit_column="currency")) == {"created": 1, "failed": 1}
    assert "'EUR'" in site.problems()
    with pytest.raises(AirflowFailException, match=r"'XYZ' is not an option; valid: .*'EUR'"):
        site.sync(rows, Number("price", unit="XYZ"))


def test_the_unit_of_a_number_that_keeps_its_value_stays(site):
    assert site.sync([site.row("1", price=5)], Number("price", unit="USD")) == {"created": 1}
    assert site.sync([site.row("1", price="")], Number("price", unit="EUR")) == {"unchanged": 1}
    assert units(site, "1") == ["usd"]


def test_a_number_without_units_is_rejected(site):
    with pytest.raises(AirflowFailException, match="quantity has no unit; leave out unit and unit_column"):
        site.sync([site.row("1", quantity=1)], Number("quantity", unit="EUR"))
