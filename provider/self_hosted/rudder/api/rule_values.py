"""Values of a rule's fields: which of them differ from the desired ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from self_hosted.rudder.api import targets
from self_hosted.rudder.api.ids import check_object_id

FINGERPRINT_DIGITS = 12


def normalize(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return desired values in the form that Rudder stores.

    :param values: field names of Rudder and their values
    :raises ValueError: for invalid targets and ids of directives
    """
    for directive in values.get("directives") or ():
        check_object_id("directives", directive, "directive")
    return {**values, "targets": [targets.normalize(values["targets"])]} if "targets" in values else dict(values)


def find_differences(rule: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return the fields whose values differ from the desired ones.

    :param rule: Rudder's JSON of the rule
    :param values: the desired values
    """
    return [name for name, value in values.items() if _comparable(name, rule.get(name)) != _comparable(name, value)]


def compute_fingerprint(values: Mapping[str, Any]) -> str:
    """Return a short text that is equal for values that Rudder treats as equal.

    :param values: the desired values, normalized
    """
    comparable = {name: _comparable(name, value) for name, value in sorted(values.items())}
    ordered = {name: sorted(value) if isinstance(value, set) else value for name, value in comparable.items()}
    return hashlib.sha256(json.dumps(ordered).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _comparable(name: str, value: Any) -> Any:
    """Return a form of the value that is equal if Rudder treats the values as equal."""
    convert = _COMPARABLE_FORMS.get(name)
    return convert(value) if convert and value is not None else value


def _comparable_targets(stored: list[Any]) -> Any:
    try:
        return targets.normalize(stored)
    except ValueError:  # a form that only older servers wrote differs from every valid one
        return stored


def _comparable_tags(tags: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(name, str(value)) for tag in tags for name, value in tag.items()}


_COMPARABLE_FORMS: dict[str, Callable[[Any], Any]] = {
    "directives": set,
    "targets": _comparable_targets,
    "tags": _comparable_tags,
}
