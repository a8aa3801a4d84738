"""Validation of request bodies. A failed validation has status 400 and lists all problems."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.ayon.defaults import LIST_DEFAULTS
from self_hosted.sandbox.ayon.errors import ValidationError
from self_hosted.sandbox.ayon.state import Record, State

Problems = dict[str, str]  # message by field

TYPES: dict[str, tuple[type, str]] = {
    "name": (str, "str type expected"),
    "code": (str, "str type expected"),
    "label": (str, "str type expected"),
    "color": (str, "str type expected"),
    "library": (bool, "value could not be parsed to a boolean"),
    "anatomy": (dict, "value is not a valid dict"),
    "attrib": (dict, "value is not a valid dict"),
    "data": (dict, "value is not a valid dict"),
}
PATTERNS = {
    "color": re.compile(r"#([0-9a-fA-F]{3}){1,2}"),
    "code": re.compile(r"[a-zA-Z0-9_]*"),
    "label": re.compile(r"[^';]*"),
}


async def parse_project_body(request: Request, state: State, required: tuple[str, ...] = ()) -> Record:
    """Return the body of a request about a project, with names in camelCase.

    :param required: fields that a creation needs; empty for an update
    :raises ApiError: if the body is malformed
    """
    try:
        given = json.loads(await request.body())
    except ValueError:
        raise ValidationError(request, {"body": "Expecting value"}) from None
    body = {_to_camel_case(key): value for key, value in given.items()}
    problems = _find_field_problems(body, required) or _find_nested_problems(state, body)
    if problems:
        raise ValidationError(request, problems)
    return body


def find_anatomy_problems(anatomy: Record) -> Problems:
    """Return parts of an anatomy that must be lists but are not, and entries without a name."""
    problems: Problems = {}
    for key in LIST_DEFAULTS:
        entries = anatomy.get(key, [])
        if not isinstance(entries, list):
            problems[key] = "value is not a valid list"
        elif key != "link_types":
            nameless = (index for index, entry in enumerate(entries) if "name" not in entry)
            problems |= {f"{key}.{index}.name": "field required" for index in nameless}
    return problems


def find_attribute_problems(state: State, values: dict[str, Any], location: str) -> Problems:
    """Return attributes with a value of the wrong type. The server ignores unknown attributes.

    :param location: field that contains the attributes
    """
    types = {attribute["name"]: attribute["data"]["type"] for attribute in state.active_attributes}
    problems = {name: _find_value_problem(types[name], value) for name, value in values.items() if name in types}
    return {f"{location}.{name}": message for name, message in problems.items() if message}


def _find_field_problems(body: Record, required: tuple[str, ...]) -> Problems:
    problems = {field: "field required" for field in required if body.get(field) is None}
    for key, (expected, message) in TYPES.items():
        if not isinstance(body.get(key) or expected(), expected):
            problems[key] = message
    # a creation checks code and label only later, where a violation is an unhandled error
    patterns = {key: pattern for key, pattern in PATTERNS.items() if key == "color" or not required}
    for key, pattern in patterns.items():
        if isinstance(body.get(key), str) and not pattern.fullmatch(body[key]):
            problems[key] = f'string does not match regex "^{pattern.pattern}$"'
    return problems


def _find_nested_problems(state: State, body: Record) -> Problems:
    anatomy = body.get("anatomy") or {}
    return {
        **{f"anatomy.{key}": message for key, message in find_anatomy_problems(anatomy).items()},
        **find_attribute_problems(state, anatomy.get("attributes", {}), "anatomy.attributes"),
        **find_attribute_problems(state, body.get("attrib") or {}, "attrib"),
    }


def _find_value_problem(kind: str, value: Any) -> str | None:
    try:
        if value is not None:
            PARSERS[kind](value)
    except (TypeError, ValueError):
        return "invalid datetime format" if kind == "datetime" else f"value is not a valid {kind}"
    return None


def _parse_datetime(value: str) -> datetime:
    if "T" not in value:  # the server rejects a date without a time
        raise ValueError(value)
    return datetime.fromisoformat(value)


PARSERS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "datetime": _parse_datetime,
    "list_of_strings": list,
}


def _to_camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
