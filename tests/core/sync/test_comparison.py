"""Comparison of canonical values: in doubt, they differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync.comparison import is_empty, is_same
from self_hosted.core.sync.values import canonical
from tests.core.sync.typing_cases import make_field

NO_VALUES: tuple[Any, ...] = (None, "", [], {})


@pytest.mark.parametrize(
    ("type", "wanted", "stored"),
    [
        ("text", "a", "a"),
        ("number", 5, 5.0),
        ("number", 0.1 + 0.2, 0.3),
        ("number", 3, 3.0000000000000004),
        ("number", 2**53 + 1, 2**53 + 1),
        ("boolean", True, True),
        ("options", ["a", "b"], ["b", "a"]),
        ("list", ["a", {"b": 1, "c": 2}], ["a", {"c": 2, "b": 1}]),
        *(("text", one, other) for one in NO_VALUES for other in NO_VALUES),
    ],
)
def test_equal_values(type, wanted, stored):
    assert is_same(type, wanted, stored)
    assert is_same(type, stored, wanted)


@pytest.mark.parametrize(
    ("type", "wanted", "stored"),
    [
        ("text", "a", "A"),
        ("text", "a", "a "),
        ("text", "\u00e9", "e\u0301"),
        ("text", "1", 1),
        ("text", "a", None),
        ("number", 0, None),
        ("number", 5, 5.1),
        ("number", 0.3, 0.3000001),
        ("number", 2**53 + 1, 2**53),
        ("integer", 10**20 + 1, 10**20),
        ("number", 10**400, 0.5),
        ("boolean", True, 1),
        ("boolean", False, None),
        ("options", ["a"], ["a", "b"]),
        ("options", ["a"], "a"),
        ("list", ["a", "b"], ["b", "a"]),
        ("list", [1], [True]),
    ],
)
def test_different_values(type, wanted, stored):
    assert not is_same(type, wanted, stored)
    assert not is_same(type, stored, wanted)


@given(
    st.sampled_from(["text", "number", "list", "options"]),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text()),
)
def test_a_value_is_the_same_as_itself_after_it_was_stored(type, value):
    field = make_field("field", type)
    assert is_same(type, canonical(field, value), canonical(field, json.loads(json.dumps(value))))


def test_empty_values():
    assert all(map(is_empty, NO_VALUES))
    assert not any(map(is_empty, (0, False, " ", ["a"], 0.0)))
