"""Lists and objects in cells, also as JSON in a text."""

from __future__ import annotations

import json
import re
from typing import Any

from self_hosted.core.http.nesting import is_deeper
from self_hosted.core.sync.numbers import normalize
from self_hosted.core.sync.readers.cells import MAX_LEVELS

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def to_object(cell: Any) -> dict[str, Any]:
    """Return the object that a cell holds, with numbers in their canonical form.

    :param cell: an object, or its JSON
    :raises ValueError: for anything else, NaN and infinity
    """
    value = parse_json(cell, dict)
    if not isinstance(value, dict):
        raise ValueError('is not an object; write it as JSON, like {"name": "value"}')
    plain: dict[str, Any] = to_plain(value)
    return plain


def parse_json(cell: Any, expected: type) -> Any:
    """Return the value of a text that is JSON of the expected type; any other cell as it is.

    :param cell: any
    :param expected: list or dict
    :raises ValueError: if it is nested more than 50 levels deep
    """
    if not isinstance(cell, str) or not cell.lstrip().startswith(("[", "{")):
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    if is_deeper(value, MAX_LEVELS):
        raise ValueError(f"is nested too deeply; at most {MAX_LEVELS} levels are possible")
    return value if isinstance(value, expected) else cell


def to_plain(value: Any) -> Any:
    """Return JSON with numbers in their canonical form.

    :param value: JSON
    :raises ValueError: for NaN, infinity, numbers that are too large, and texts that cannot be encoded
    """
    if isinstance(value, dict):
        return {to_plain(name): to_plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [to_plain(each) for each in value]
    if isinstance(value, str) and _LONE_SURROGATE.search(value):
        raise ValueError("is not valid Unicode; remove the escape of half a character")
    return normalize(value) if isinstance(value, float) else value
