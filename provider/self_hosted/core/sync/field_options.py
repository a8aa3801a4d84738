"""Options of declarations, and the defaults that apply to all fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args

from self_hosted.core.arguments import MISSING_RESULT, is_set, parse_choice, parse_text
from self_hosted.core.sync.field_spec import Kind
from self_hosted.core.sync.fields import Empty, Own
from self_hosted.core.sync.moments import check_format, check_zone
from self_hosted.core.sync.numbers import MARKS

COMMON = ("type", "field", "column", "value", "own", "empty")
_NUMBER = ("decimal", "unit", "unit_column")
_MOMENT = ("format", "time_zone")
_RELATION = ("by", "mode", "missing", "separator")
OPTIONS: Mapping[Kind, tuple[str, ...]] = {
    "auto": ("locale", *_NUMBER, *_MOMENT, *_RELATION),
    "text": ("locale",),
    "number": _NUMBER,
    "boolean": (),
    "date": ("format",),
    "moment": _MOMENT,
    "relation": _RELATION,
    "attribute": ("locale", *_NUMBER, *_MOMENT, "separator"),
    "file": (),
}
"""The options of each kind of declaration, besides the common ones."""


class FieldDefaults(NamedTuple):
    """What applies to all fields whose declarations do not say otherwise.

    :param own: see `fields.Own`
    :param empty: see `fields.Empty`
    :param decimal: the decimal mark; "" = decided from all values of each column
    :param date_format: of dates and moments; "" = ISO 8601
    """

    own: Own = "always"
    empty: Empty = "keep"
    decimal: str = ""
    date_format: str = ""


NO_DEFAULTS = FieldDefaults()


def parse_defaults(own: Any = None, empty: Any = None, decimal: Any = None, date_format: Any = None) -> FieldDefaults:
    """Return the parsed arguments of an operator that apply to all fields.

    :param own: see `FieldDefaults`
    :param empty: see `FieldDefaults`
    :param decimal: see `FieldDefaults`
    :param date_format: see `FieldDefaults`
    :raises ValueError: naming the argument
    """
    given = {"own": own, "empty": empty, "decimal": decimal, "date_format": date_format}
    return FieldDefaults(**{name: parsed for name, parsed in parse_options("", given).items() if parsed is not None})


def check_option_names(field: str, kind: Kind, given: Mapping[str, Any]) -> None:
    """Check that a declaration has only options of its kind.

    :param field: its field
    :param kind: its kind
    :param given: the declaration
    :raises ValueError: naming the option and the valid ones
    """
    valid = (*COMMON, *OPTIONS[kind])
    for name in given:
        if name not in valid:
            near = get_close_matches(str(name), valid, n=3) or valid
            raise ValueError(f"fields: {field} has the unknown option {name!r}; valid: {', '.join(near)}")


def parse_options(prefix: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parsed options, None for those that are not set. A blank is set: it may be a separator.

    :param prefix: before the name of an option in errors
    :param given: the options by name
    :raises ValueError: naming the option
    """
    return {
        name: PARSERS[name](f"{prefix}{name}", value) if is_set(value) and value != MISSING_RESULT else None
        for name, value in given.items()
    }


def _one_of(choices: Collection[str]) -> Callable[[str, Any], str]:
    return lambda argument, value: parse_choice(argument, value, choices)


def _checked(check: Callable[[str], None]) -> Callable[[str, Any], str]:
    def parse(argument: str, value: Any) -> str:
        try:
            check(text := parse_text(argument, value))
        except ValueError as error:
            raise ValueError(f"{argument} {error}") from None
        return text

    return parse


PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "column": parse_text,
    "value": lambda _, value: value,
    "own": _one_of(get_args(Own)),
    "empty": _one_of(get_args(Empty)),
    "locale": parse_text,
    "decimal": _one_of(MARKS),
    "unit": parse_text,
    "unit_column": parse_text,
    "format": _checked(check_format),
    "date_format": _checked(check_format),
    "time_zone": _checked(check_zone),
    "by": parse_text,
    "mode": _one_of(("replace", "add")),
    "missing": _one_of(("fail", "create")),
    "separator": parse_text,
}
