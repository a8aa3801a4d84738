"""Whether two values are the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from self_hosted.atrocore.api.compare import same

NOTHINGS: list[Any] = [None, "", [], {}]
SOMETHINGS: list[Any] = ["a", "0", 0, 0.0, False, True, 1, ["a"], {"a": 1}, "007", "2026-01-01 00:00:00"]


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
def test_values_that_look_different_are_the_same(given, stored):
    assert same("field", given, stored)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (7, "007"),
        ("7", "007"),
        ("1.5", "1.50"),
        (1.5, 1.6),
        ("a lot", 3),
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
def test_values_that_differ_are_not(given, stored):
    assert not same("field", given, stored)


@pytest.mark.parametrize("given", NOTHINGS)
@pytest.mark.parametrize("stored", NOTHINGS)
def test_nothing_is_nothing_however_written(given, stored):
    assert same("field", given, stored)


@pytest.mark.parametrize("something", SOMETHINGS)
@pytest.mark.parametrize("nothing", NOTHINGS)
def test_nothing_is_never_something(something, nothing):
    assert not same("field", something, nothing)
    assert not same("field", nothing, something)


@pytest.mark.parametrize("value", SOMETHINGS)
def test_everything_is_the_same_as_itself(value):
    assert same("field", value, value)


def test_the_order_of_ids_does_not_matter():
    assert same("categoriesIds", ["a", "b"], ["b", "a"])
    assert not same("categoriesIds", ["a"], ["b", "a"])


def test_any_number_survives_being_text_and_float():
    numbers = random.Random(1)
    for _ in range(2000):
        number = round(numbers.uniform(-1e7, 1e7), numbers.randrange(5))
        assert same("price", str(number), number)
        assert same("price", number, str(number))
        assert same("price", number, number * (1 + 1e-15))
        assert not same("price", number, number + 0.001)


def test_any_moment_is_the_same_in_every_zone():
    numbers = random.Random(2)
    for _ in range(500):
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=numbers.randrange(10**8))
        stored = moment.strftime("%Y-%m-%d %H:%M:%S")
        elsewhere = moment.astimezone(timezone(timedelta(minutes=15 * numbers.randrange(-48, 56))))
        assert same("releasedAt", elsewhere.isoformat(), stored)
        assert not same("releasedAt", (elsewhere + timedelta(seconds=1)).isoformat(), stored)


def test_sameness_has_no_direction():
    values = [*NOTHINGS, *SOMETHINGS, "1", "1.0", 1.0, "true", "2026-01-01T00:00:00Z", ["b", "a"]]
    for one in values:
        for other in values:
            assert same("field", one, other) == same("field", other, one), (one, other)
