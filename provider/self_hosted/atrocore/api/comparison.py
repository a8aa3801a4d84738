"""Comparison of given values with stored ones, which may be written differently.

In doubt, values differ: a needless update is harmless, a missing one loses a change.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from self_hosted.core.timestamps import read_timestamp

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")  # no leading zeros: those are article numbers
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}  # what AtroCore reads as such, so not "yes" or "on"


def is_empty(value: Any) -> bool:
    """Return whether a value stands for no value: null, "", an empty list or object.

    :param value: of a field
    """
    return value is None or (isinstance(value, str | list | dict) and not value)


def is_same(field: str, given: Any, stored: Any) -> bool:
    """Return whether storing the given value would change nothing.

    Numbers are compared as numbers ("0" and 0; floats with a tolerance), timestamps in UTC, ``...Ids`` as sets.
    Null, "", an empty list and an absent value are the same.

    :param field: name of the field
    :param given: the value of a row
    :param stored: the value of the record
    """
    if is_empty(given) or is_empty(stored):
        return is_empty(given) and is_empty(stored)
    if isinstance(given, bool) or isinstance(stored, bool):
        return bool(_as_boolean(given) == _as_boolean(stored))
    if isinstance(given, list) and isinstance(stored, list):
        return set(map(str, given)) == set(map(str, stored)) if field.endswith("Ids") else given == stored
    if isinstance(given, int | float) or isinstance(stored, int | float):
        return _is_same_number(_as_number(given), _as_number(stored))
    return bool(given == stored) or _is_same_timestamp(given, stored)


def has_values(record: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether a record has all values already, so that storing them would change nothing.

    :param record: the stored record
    :param values: fields to set; names that begin with "_", such as ``_prev``, are not fields
    """
    return all(is_same(name, value, record.get(name)) for name, value in values.items() if not name.startswith("_"))


def _as_boolean(value: Any) -> Any:
    return BOOLEANS.get(str(value).lower(), value)


def _as_number(value: Any) -> float | None:
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except OverflowError:  # JSON has integers of any size
        return None


def _is_same_number(given: float | None, stored: float | None) -> bool:
    return given is not None and stored is not None and math.isclose(given, stored, rel_tol=1e-12, abs_tol=1e-12)


def _is_same_timestamp(given: Any, stored: Any) -> bool:
    timestamp = _as_timestamp(given)
    return timestamp is not None and timestamp == _as_timestamp(stored)


def _as_timestamp(value: Any) -> datetime | None:
    if not isinstance(value, str) or not TIMESTAMP.fullmatch(value):
        return None
    try:
        return read_timestamp(value)
    except ValueError:
        return None
