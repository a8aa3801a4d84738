"""Comparison of given and stored values."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from self_hosted.atrocore.api.comparison import is_same

EMPTY: list[Any] = [None, "", [], {}]
VALUES: list[Any] = ["a", "0", 0, 0.0, False, True, 1, ["a"], {"a": 1}, "007", "2026-01-01 00:00:00"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0", 0),
        (0, "0"),
        (1.5, "1.5"),
        ("1.50", 1.5),
        (12, 12.0),
        (0.1 + 0.2, 0.3),
        ("-3", -3),
        ("1e3", 1000),
        (True, 1),
        ("true", True),
        (0, False),
        ("2026-01-01T01:00:00+01:00", "2026-01-01 00:00:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00"),
        ("2026-01-01", "2026-01-01"),
        ({"a": 1}, {"a": 1}),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_values_that_are_written_differently_are_the_same(given, stored):
    assert is_same("field", given, stored)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (7, "007"),
        ("7", "007"),
        ("1.5", "1.50"),
        (1.5, 1.6),
        ("a lot", 3),
        ("yes", True),
        (False, None),
        (0, None),
        (0, ""),
        ("a", "A"),
        (True, False),
        (["a", "b"], ["b", "a"]),
        (["a"], "a"),
        ("2026-01-01 00:00:00", "2026-01-01 00:00:01"),
        ("2026-13-01 00:00", "2026-01-01 00:00:00"),
    ],
)
def test_values_that_differ_are_not_the_same(given, stored):
    assert not is_same("field", given, stored)


def test_all_empty_values_are_the_same():
    for given in EMPTY:
        for stored in EMPTY:
            assert is_same("field", given, stored), (given, stored)


def test_an_empty_value_differs_from_any_other():
    for value in VALUES:
        for empty in EMPTY:
            assert not is_same("field", value, empty), (value, empty)
            assert not is_same("field", empty, value), (value, empty)


def test_each_value_is_the_same_as_itself():
    for value in VALUES:
        assert is_same("field", value, value), value


def test_the_order_of_ids_does_not_matter():
    assert is_same("categoriesIds", ["a", "b"], ["b", "a"])
    assert not is_same("categoriesIds", ["a"], ["b", "a"])


def test_a_number_is_the_same_as_text_and_as_float():
    numbers = random.Random(1)
    for _ in range(2000):
        number = round(numbers.uniform(-1e7, 1e7), numbers.randrange(5))
        assert is_same("price", str(number), number)
        assert is_same("price", number, str(number))
        assert is_same("price", number, number * (1 + 1e-15))
        assert not is_same("price", number, number + 0.001)


def test_a_timestamp_is_the_same_in_every_time_zone():
    numbers = random.Random(2)
    for _ in range(500):
        timestamp = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=numbers.randrange(10**8))
        stored = timestamp.strftime("%Y-%m-%d %H:%M:%S")
        given = timestamp.astimezone(timezone(timedelta(minutes=15 * numbers.randrange(-48, 56))))
        assert is_same("releasedAt", given.isoformat(), stored)
        assert not is_same("releasedAt", (given + timedelta(seconds=1)).isoformat(), stored)


def test_the_comparison_is_symmetric():
    values = [*EMPTY, *VALUES, "1", "1.0", 1.0, "true", "2026-01-01T00:00:00Z", ["b", "a"]]
    for left in values:
        for right in values:
            assert is_same("field", left, right) == is_same("field", right, left), (left, right)
