"""JSON objects of text files, without names that occur twice."""

from __future__ import annotations

import json
from typing import Any

MAX_ROW_CHARACTERS = 64_000_000


class DuplicateNameError(ValueError):
    """An object has a name twice, so that one of its values would be lost."""


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise DuplicateNameError(f"has the name {repeated!r} twice in one object")
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_build_object)
