"""Comparison of canonical values.

In doubt, values differ: a needless update is harmless, a missing one loses a change.
"""

from __future__ import annotations

import json
import math
from typing import Any

RELATIVE_TOLERANCE = 1e-12  # of two numbers, unless both are whole

SETS = frozenset({"options", "references"})
"""Types whose values have no order."""


def is_empty(value: Any) -> bool:
    """Return whether a value stands for no value: None, "", an empty list or object.

    :param value: of a field
    """
    return value is None or (isinstance(value, str | list | dict) and not value)


def is_same(field_type: str, wanted: Any, stored: Any) -> bool:
    """Return whether two canonical values are the same.

    :param field_type: the type of their field
    :param wanted: the value of a row
    :param stored: the value of the record
    """
    if is_empty(wanted) or is_empty(stored):
        return is_empty(wanted) and is_empty(stored)
    if field_type in SETS and isinstance(wanted, list) and isinstance(stored, list):
        return set(map(_to_json, wanted)) == set(map(_to_json, stored))
    if isinstance(wanted, str) and isinstance(stored, str):
        return wanted == stored
    if _is_number(wanted) and _is_number(stored):
        return _is_same_number(wanted, stored)
    return _to_json(wanted) == _to_json(stored)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_same_number(wanted: float, stored: float) -> bool:
    if isinstance(wanted, int) and isinstance(stored, int):
        return wanted == stored
    try:
        return math.isclose(wanted, stored, rel_tol=RELATIVE_TOLERANCE)
    except OverflowError:  # no float is near a whole number of this size
        return False


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # True and 1, which are equal in Python, differ
