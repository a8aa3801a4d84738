"""Optimistic locks: the old values (``_prev``) that AtroCore compares with the stored ones before an update."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.core.sync.target import JSON, Change, FieldType

NUMERIC = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
"""Texts that PHP takes for numbers."""
PLAIN_INTEGER = re.compile(r"0|-?[1-9]\d{0,14}", re.ASCII)
"""Texts that stay the same when PHP converts them to a number and back."""
NEVER_EQUAL = frozenset({"object", "list", "references"})
"""Types whose old values are always a conflict."""
TYPES: Mapping[FieldType, Sequence[type]] = {
    **{"number": (int, float), "integer": (int,), "boolean": (bool,)},
    **{"options": (list,), "references": (list,), "list": (list,), "object": (dict,)},
}
"""The types of canonical values; text for all other types of fields."""
NOT_COMPARED = re.compile(r"complete.*|.*Names?", re.DOTALL)
"""Names of attributes that AtroCore does not compare."""


def build_lock(bindings: Mapping[str, Binding], change: Change) -> dict[str, Any]:
    """Return the old values of the changed attributes, as far as AtroCore compares them correctly.

    PHP converts texts that look like numbers before it compares them, but not the stored ones: the right old value
    "00123" would always be a conflict.

    :param bindings: the fields by name
    :param change: the change
    """
    old = {name: value for name, value in change.old.items() if name in change.new and _can_lock(bindings[name], value)}
    return {
        bindings[name].attribute: None if value is None else bindings[name].write(value) for name, value in old.items()
    }


def is_locked(bindings: Mapping[str, Binding], change: Change) -> bool:
    """Return whether AtroCore rejects a change if any of the old values is no longer there.

    :param bindings: the fields by name
    :param change: the change
    """
    return all(name in change.old and _is_guarded(bindings[name], change.old[name]) for name in change.new)


def _is_guarded(binding: Binding, old: JSON) -> bool:
    return binding.guard == "writer" or _can_lock(binding, old)


def _can_lock(binding: Binding, old: JSON) -> bool:
    if binding.guard != "server" or not _has_its_type(binding.field.type, old):
        return False
    if old is None and binding.field.type == "options":
        return False  # stored as null or as [], which are not the same here
    is_compared = binding.field.type not in NEVER_EQUAL and not NOT_COMPARED.fullmatch(binding.attribute)
    return is_compared and not any(map(_is_converted, old if isinstance(old, list) else [old]))


def _has_its_type(field_type: FieldType, old: JSON) -> bool:
    """Return whether a value is of its field's type: one that a server returned may be of any."""
    return old is None or type(old) in TYPES.get(field_type, (str,))


def _is_converted(value: JSON) -> bool:
    return isinstance(value, str) and bool(NUMERIC.fullmatch(value)) and not PLAIN_INTEGER.fullmatch(value)
