"""Cells of Python code and databases, as JSON; what cannot be used fails its row by name."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.core.sync.read_source import read


def read_cell(value, **options):
    found = read([{"sku": 1, "x": value}], **options)
    assert found.problems == [""]
    return found.cells[0]["x"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (12345, 12345),
        (12345.0, 12345.0),
        (-0.5, -0.5),
        (" Größe\n\0 ", " Größe\n\0 "),
        ("", None),
        (Decimal("12.50"), Decimal("12.50")),
        (Decimal("1E+3"), Decimal(1000)),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 10, 0), "2026-03-01T10:00:00"),
        (datetime(2026, 3, 1, 10, tzinfo=UTC), "2026-03-01T10:00:00+00:00"),
        (datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T10:00:00+02:00"),
        (time(10, 5), "10:05:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ("Größe".encode(), "Größe"),
        (bytearray(b"a"), "a"),
        (memoryview(b"b"), "b"),
        ([1, ("a", None)], [1, ["a", None]]),
        ({"b", "a"}, ["a", "b"]),
        ({"a": {"decimal": "1"}}, {"a": {"decimal": "1"}}),
        ({"decimal": "12.50"}, {"decimal": "12.50"}),
        ({"object": 1, "absent": True}, {"object": 1, "absent": True}),
        ({"a": [Decimal("1.0"), Decimal("1.5"), date(2026, 3, 1)]}, {"a": [1, 1.5, "2026-03-01"]}),
    ],
)
def test_values_become_json(value, expected):
    found = read_cell(value)
    assert found == expected
    assert type(found) is type(expected)


def test_a_decimal_keeps_all_its_digits():
    assert str(read_cell(Decimal("12.50"))) == "12.50"
    assert read([{"sku": 1, "x": Decimal(1), "y": "1"}]).decimal_columns == {"x"}


def test_null_values_stand_for_no_value():
    assert read_cell("NULL", null_values="NULL") is None
    assert read_cell("-", null_values=["NULL", "-"]) is None
    assert read_cell("null", null_values="NULL") == "null"
    assert read_cell("∅", null_values="∅") is None


class NotATime(datetime):
    """As NaT of pandas: a datetime that equals nothing."""

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True

    __hash__ = datetime.__hash__


def nest(levels):
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "x: nan is no value; give a number, or leave the cell empty"),
        (math.inf, "x: inf is no value"),
        (Decimal("NaN"), "x: NaN is no value"),
        (Decimal("1E+400"), r"x: 1E\+400 is no value"),
        (NotATime(2026, 3, 1), "x: .* is no value; give a date"),
        (10**400, "x: the number has 1329 bits, more than 1000"),
        (b"\xff\x00", r"x: the bytes b'\\xff\\x00' are not UTF-8; give a text"),
        ("\ud800", r"x: the text '\\ud800' is not valid Unicode"),
        (object, "x: <class 'object'> of the type type is not supported; give a text, a number or a date"),
        (timedelta(1), "x: .* of the type timedelta is not supported"),
        (1j, "x: 1j of the type complex is not supported"),
        ([{"a": math.nan}], "x: nan is no value"),
        ({1: 2}, "x: the name 1 in an object must be a text"),
        ({"\ud800": 2}, "is not valid Unicode"),
        (nest(60), "x: the value is nested more than 50 levels deep"),
        (ENDLESS, "x: the value is nested more than 50 levels deep"),
    ],
)
def test_a_value_that_cannot_be_used_fails_its_row_by_name(value, message):
    found = read([{"sku": 1, "x": value}, {"sku": 2, "x": 1}])
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found.problems[0])
    assert not found.problems[1]
    assert isinstance(found.cells[0]["x"], str)


def test_a_value_that_cannot_be_shown_fails_its_row_by_name():
    huge = {"a": 10 ** (sys.get_int_max_str_digits() + 1)}
    assert read([{"sku": 1, "x": huge}]).cells == [{"sku": 1, "x": "a value of the type dict"}]


def test_all_problems_of_a_row_are_named():
    problem = read([{"sku": math.nan, "x": b"\xff"}]).problems[0]
    assert "sku: nan is no value" in problem
    assert "; x: the bytes" in problem


def test_columns_that_are_not_used_fail_no_row():
    found = read([{"sku": math.nan, "x": object()}], problem_columns=["sku"])
    assert found.problems == ["sku: nan is no value; give a number, or leave the cell empty"]
    assert found.cells[0]["x"].startswith("<object object")


def make_numpy_value(name, value):
    """As the scalars of numpy, which tasks with pandas return."""

    def item(self):
        return value

    return type(name, (), {"item": item, "__module__": "numpy"})()


def test_numbers_of_numpy_become_numbers():
    assert read_cell([make_numpy_value("int64", 5), make_numpy_value("bool_", True)]) == [5, True]
    assert read_cell([make_numpy_value("float32", 0.5)]) == [0.5]
    assert read([{"sku": make_numpy_value("float32", math.nan)}]).problems[0].startswith("sku: nan is no value")


def test_a_datetime_of_numpy_fails_its_row():
    problem = read([{"sku": make_numpy_value("datetime64", 1_700_000_000_000_000_000)}]).problems[0]
    assert "of the type datetime64 is not supported" in problem
