"""The arguments of `RudderUpdateRuleOperator`, parsed once after templating."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from self_hosted.core.arguments import (
    MISSING_RESULT,
    is_set,
    parse_bool,
    parse_id,
    parse_json,
    parse_list,
    parse_object_list,
    parse_optional,
    parse_optional_text,
    parse_str_list,
    parse_text,
    require_not_blank,
)
from self_hosted.core.imports import lazy_import
from self_hosted.rudder.api.ids import check_object_id

if TYPE_CHECKING:
    from self_hosted.rudder.api import targets
else:
    targets = lazy_import("self_hosted.rudder.api.targets")

TEXTS = ("reason", "change_request_name", "change_request_description")


class RuleArguments(NamedTuple):
    """See `RudderUpdateRuleOperator`.

    :param rule_id: id of the rule
    :param values: the values to set, under Rudder's names of the fields
    :param reason: without blanks around it
    :param change_request_name: name of the change request
    :param change_request_description: its description
    """

    rule_id: str
    values: Mapping[str, Any]
    reason: str | None
    change_request_name: str | None
    change_request_description: str | None

    @classmethod
    def parse(cls, operator: Any) -> RuleArguments:
        """Return the arguments.

        :param operator: its attributes are the arguments, after templating
        :raises ValueError: naming the argument
        """
        rule_id = check_object_id("rule_id", parse_id("rule_id", operator.rule_id, "a rule"))
        parsed = {name: PARSERS[name](name, getattr(operator, name)) for name in FIELDS}
        values = {FIELDS[name]: value for name, value in parsed.items() if value is not None}
        if not values:
            raise ValueError(f"nothing to update: give at least one of {', '.join(FIELDS)}")
        texts = {name: parse_optional_text(name, getattr(operator, name)) for name in TEXTS}
        return cls(rule_id, values, **{**texts, "reason": (texts["reason"] or "").strip() or None})


def _parse_description(argument: str, value: Any) -> str | None:
    """Return a text, which may be empty: that deletes the description."""
    return value if isinstance(value, str) and not value else parse_optional_text(argument, value)


def _parse_optional_bool(argument: str, value: Any) -> bool | None:
    return parse_optional(argument, value, parse_bool)


def _parse_category(argument: str, value: Any) -> str | None:
    return parse_id(argument, value, "a category") if is_set(value) else None


def _parse_list_with(parse: Callable[[str, Any], list[Any]]) -> Callable[[str, Any], list[Any] | None]:
    """Return a parser of a whole list. An empty text is ambiguous: it might leave the list unchanged, or clear it."""

    def parse_list_or_none(argument: str, value: Any) -> list[Any] | None:
        require_not_blank(argument, value)
        return None if value is None or value == MISSING_RESULT else parse(argument, value)

    return parse_list_or_none


def _parse_directives(argument: str, value: Any) -> list[str]:
    return [check_object_id(argument, directive, "directive") for directive in parse_str_list(argument, value)]


def _parse_targets(argument: str, value: Any) -> list[Any]:
    parsed = parse_json(argument, value)
    return [targets.normalize(parse_list([parsed] if isinstance(parsed, Mapping) else parsed))]


def _parse_tags(argument: str, value: Any) -> list[dict[str, str]]:
    tags = parse_object_list(argument, value)
    return [{str(name): parse_text(f"{argument}: {name}", text) for name, text in tag.items()} for tag in tags]


FIELDS = {
    "display_name": "displayName",
    "category_id": "categoryId",
    "short_description": "shortDescription",
    "long_description": "longDescription",
    "directives": "directives",
    "targets": "targets",
    "enabled": "enabled",
    "tags": "tags",
}
"""The arguments that are fields of a rule, and Rudder's names of them."""

PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "display_name": parse_optional_text,
    "category_id": _parse_category,
    "short_description": _parse_description,
    "long_description": _parse_description,
    "directives": _parse_list_with(_parse_directives),
    "targets": _parse_list_with(_parse_targets),
    "enabled": _parse_optional_bool,
    "tags": _parse_list_with(_parse_tags),
}
"""How the fields are parsed; None = the field keeps its value."""
