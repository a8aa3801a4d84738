"""Parses the arguments ``fields`` and ``key_field``: declarations of fields become `FieldSpec`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.core.arguments import is_set, parse_choice, parse_json, parse_text
from self_hosted.core.sync.field_options import (
    NO_DEFAULTS,
    OPTIONS,
    PARSERS,
    FieldDefaults,
    check_option_names,
    parse_options,
)
from self_hosted.core.sync.field_spec import FieldSpec, Kind


def parse_fields(fields: Any, key: Any, defaults: FieldDefaults = NO_DEFAULTS) -> list[FieldSpec] | None:
    """Return the declared fields, the key field first; None if the columns of the source are the names of the fields.

    :param fields: ``{"column": "field"}``, where a declaration or None may stand for the field; or a list of
        declarations and names; also as JSON. None = see `specs_for_columns`
    :param key: name of the key field, or ``{"column": "field"}``
    :param defaults: what applies to all fields
    :raises ValueError: naming the argument and the field
    """
    key_column, key_field = _parse_key(key)
    parsed = parse_json("fields", fields)
    if parsed is None:
        return None
    specs = [spec for given in _list_declarations(parsed) for spec in _parse_declaration(given, defaults)]
    _require_distinct(specs)
    return _put_key_first(specs, key_field, key_column, defaults)


def specs_for_columns(columns: Iterable[str], key: Any, defaults: FieldDefaults = NO_DEFAULTS) -> list[FieldSpec]:
    """Return a field of the same name for each column of the source, the key field first.

    :param columns: of the source
    :param key: see `parse_fields`
    :param defaults: see `parse_fields`
    :raises ValueError: see `parse_fields`
    """
    key_column, key_field = _parse_key(key)
    named = {column: key_field if column == key_column else column for column in columns}
    return parse_fields(named, key, defaults) or []


def columns_of(specs: Iterable[FieldSpec]) -> list[str]:
    """Return the columns that the source must have.

    :param specs: of the fields
    """
    return list(dict.fromkeys(spec.column for spec in specs if spec.column is not None))


def key_columns(key: Any) -> list[str]:
    """Return the column that the source must have if its columns are the names of the fields.

    :param key: see `parse_fields`
    :raises ValueError: see `parse_fields`
    """
    column, field = _parse_key(key)
    return [column or field]


def is_key(spec: FieldSpec, key: FieldSpec) -> bool:
    """Return whether a declaration, as a target has completed it, is that of the key field.

    :param spec: of a field
    :param key: the declaration of the key field
    """
    return (spec.field, spec.kind, spec.column, spec.locale) == (key.field, key.kind, key.column, key.locale)


def parse_key_name(key: Any) -> str:
    """Return the name of the key field.

    :param key: see `parse_fields`
    :raises ValueError: see `parse_fields`
    """
    return _parse_key(key)[1]


def _parse_key(key: Any) -> tuple[str | None, str]:
    """Return the column of the key field, None if it is not given, and the field."""
    parsed = parse_json("key_field", key)
    if isinstance(parsed, Mapping) and len(parsed) == 1:
        column, field = next(iter(parsed.items()))
        return parse_text("key_field", column), _parse_name("key_field", field)
    if not isinstance(parsed, str) or not parsed.strip():
        raise ValueError(f"key_field must be the name of a field, or {{'column': 'field'}}, not {key!r}")
    return None, parsed


def _list_declarations(given: Any) -> list[Mapping[str, Any]]:
    if isinstance(given, Mapping):
        declared = [_in_column(column, each) for column, each in given.items() if is_set(each)]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        declared = [{"field": each} if isinstance(each, str) else each for each in given]
    else:
        raise ValueError(f"fields must be {{'column': 'field'}} or a list of declarations, not {given!r}")
    for each in declared:
        if not isinstance(each, Mapping):
            raise ValueError(f"fields: {each!r} must be the name of a field or a declaration, such as Text('name')")
    return declared


def _in_column(column: str, given: Any) -> Any:
    if isinstance(given, str):
        return {"field": given, "column": column}
    if isinstance(given, Mapping) and given.get("column", column) != column:
        raise ValueError(f"fields: {column} is declared with another column, {given['column']!r}; name one of them")
    return {**given, "column": column} if isinstance(given, Mapping) else given


def _parse_declaration(given: Mapping[str, Any], defaults: FieldDefaults) -> list[FieldSpec]:
    field = _parse_name("fields: field", given.get("field"))
    kind: Any = parse_choice(f"fields: {field}: type", given.get("type", "auto"), OPTIONS)
    check_option_names(field, kind, given)
    options = parse_options(f"fields: {field}: ", {name: given.get(name) for name in PARSERS})
    column, value, unit_column, unit = (options.pop(name) for name in ("column", "value", "unit_column", "unit"))
    options["date_format"] = options.pop("format")
    chosen = {**defaults._asdict(), **{name: option for name, option in options.items() if option is not None}}
    spec = FieldSpec(field, kind, **_one_source(field, column, value, "column", "value", default=field), **chosen)
    if unit is None and unit_column is None:
        return [spec]
    source = _one_source(field, unit_column, unit, "unit_column", "unit")
    return [spec, FieldSpec(field, "unit", **source, own=spec.own, empty=spec.empty, locale=spec.locale)]


def _require_distinct(specs: Sequence[FieldSpec]) -> None:
    seen = set[tuple[str, str, str]]()
    for spec in specs:
        identity = (spec.field, spec.locale, spec.kind if spec.kind in _OWN_NAMES else "")
        if identity in seen:
            raise ValueError(f"fields: more than one declaration writes into {spec.field}; keep one of them")
        seen.add(identity)


_OWN_NAMES: frozenset[Kind] = frozenset({"attribute", "unit"})
"""Kinds whose names may equal those of fields."""


def _put_key_first(
    specs: Sequence[FieldSpec], field: str, column: str | None, defaults: FieldDefaults
) -> list[FieldSpec]:
    declared = [spec for spec in specs if spec.field == field and not spec.locale and spec.kind not in _OWN_NAMES]
    key = declared[0] if declared else FieldSpec(field, column=column or field, own=defaults.own)
    if key.column is None:
        raise ValueError(f"fields: {field} is the key field; give it a column, not one value for all rows")
    if column not in {None, key.column}:
        raise ValueError(f"key_field names the column {column!r} for {field}, but fields names {key.column!r}")
    return [key, *(spec for spec in specs if spec is not key)]


def _one_source(
    field: str, column: str | None, value: Any, column_name: str, value_name: str, default: str | None = None
) -> dict[str, Any]:
    if column is not None and value is not None:
        raise ValueError(f"fields: {field}: give {column_name} or {value_name}, not both")
    return {"column": default if column is None and value is None else column, "value": value}


def _parse_name(argument: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{argument} must be the name of a field, not {value!r}")
    return value
