"""Values and parts of documents, addressed by dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def get_values(document: Mapping[str, Any], field: str) -> Iterator[Any]:
    """Yield the values of a field; each item of a list is a value. Keys of metadata may contain dots.

    :param document: a document or a part of one
    :param field: dotted name
    """
    name, _, rest = field.partition(".")
    value = document.get(field, document.get(name))
    if field in document or not rest:
        yield from value if isinstance(value, list) else [] if value is None else [value]
        return
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, Mapping):
            yield from get_values(part, rest)


def select_fields(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named fields that have a value.

    :param document: a document or a part of one
    :param names: dotted names
    """
    selected: dict[str, Any] = {}
    for name in names:
        top, _, rest = name.partition(".")
        value = document.get(name, document.get(top))
        is_nested = bool(rest) and name not in document
        if is_nested and isinstance(value, list):
            _merge_list(selected, top, [select_fields(part, [rest]) for part in value if isinstance(part, Mapping)])
        elif is_nested and isinstance(value, Mapping):
            _merge(selected.setdefault(top, {}), select_fields(value, [rest]))
        elif value is not None and not is_nested:
            selected[name] = value
    return {name: value for name, value in selected.items() if value != {}}


def _merge_list(selected: dict[str, Any], name: str, parts: list[dict[str, Any]]) -> None:
    earlier = selected.get(name, [{} for _ in parts])
    selected[name] = [{**old, **new} for old, new in zip(earlier, parts, strict=True)]


def _merge(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(target.get(name), dict) and isinstance(value, dict):
            _merge(target[name], value)
        else:
            target[name] = value
