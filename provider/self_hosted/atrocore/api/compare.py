"""Whether a value given is the value stored, whatever the two look like.

When in doubt they are not the same: an update too many does no harm, one too few is a change lost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")  # no leading zeros: those are article numbers
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*")
SWITCH = {"true": True, "1": True, "false": False, "0": False}


def nothing(value: Any) -> bool:
    """Whether it stands for no value: null, "", an empty list or object."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def same(field: str, given: Any, stored: Any) -> bool:
    """Whether storing the given value would change nothing.

    Numbers are compared as numbers ("0" and 0; floats with tolerance), moments as moments in UTC, ``...Ids`` as sets;
    null, "", an empty list and an absent value are all nothing.

    :param field: its name
    :param given: what a row says
    :param stored: what AtroCore says
    """
    if nothing(given) or nothing(stored):
        return nothing(given) and nothing(stored)
    if isinstance(given, bool) or isinstance(stored, bool):
        return bool(_switch(given) == _switch(stored))
    if isinstance(given, list) and isinstance(stored, list):
        return set(map(str, given)) == set(map(str, stored)) if field.endswith("Ids") else given == stored
    if isinstance(given, int | float) or isinstance(stored, int | float):
        return _same_number(_number(given), _number(stored))
    return bool(given == stored) or _same_moment(given, stored)


def holds(stored: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a record has all these values already, so that storing them would change nothing.

    :param stored: the record
    :param values: fields to be set; what begins with "_", such as ``_prev``, is no field
    """
    return all(same(name, value, stored.get(name)) for name, value in values.items() if not name.startswith("_"))


def _switch(value: Any) -> Any:
    return SWITCH.get(str(value).lower(), value)


def _number(value: Any) -> float | None:
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    return float(value) if isinstance(value, int | float | str) else None


def _same_number(given: float | None, stored: float | None) -> bool:
    return given is not None and stored is not None and math.isclose(given, stored, rel_tol=1e-12, abs_tol=1e-12)


def _same_moment(given: Any, stored: Any) -> bool:
    moment = _moment(given)
    return moment is not None and moment == _moment(stored)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
