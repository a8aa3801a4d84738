"""ProjectSpec: a project as a DAG specifies it, and its validation before anything is sent.

AYON validates little: invalid names and codes cause HTTP 500, and unknown fields are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from self_hosted.ayon.api.identifiers import USER_NAME, parse_project_name, require_match
from self_hosted.core.arguments import (
    MISSING_RESULT,
    check_id,
    is_set,
    parse_bool,
    parse_id,
    parse_object,
    parse_optional,
    parse_str_list,
    parse_text,
    require_not_blank,
)

CODE = re.compile(r"[A-Za-z0-9_]+")
LABEL = re.compile(r"[^';]+")
COLOR = re.compile(r"#([0-9A-Fa-f]{3}){1,2}")
ANATOMY_PARTS: dict[str, type] = {
    "entity_naming": dict,
    "roots": list,
    "templates": dict,
    "attributes": dict,
    "folder_types": list,
    "task_types": list,
    "link_types": list,
    "statuses": list,
    "tags": list,
    "product_base_types": dict,
}
NON_EMPTY_PARTS = {"folder_types", "task_types", "statuses"}


@dataclass(frozen=True)
class ProjectSpec:
    """The desired project. None leaves a value to AYON, or unchanged.

    :param name: 1 to 55 letters, digits and underscores
    :param code: letters, digits and underscores; part of file names
    :param label: the name that the UI shows
    :param library: whether it is a library project
    :param color: ``#rgb`` or ``#rrggbb``
    :param anatomy_preset: name of the preset of a new project; default: the studio's primary one
    :param anatomy: its anatomy, complete or in parts, instead of a preset
    :param attributes: values of project attributes, such as ``{"fps": 25}``; they override preset and anatomy
    :param users: access groups in the project, by user name
    """

    name: str
    code: str
    label: str | None = None
    library: bool | None = None
    color: str | None = None
    anatomy_preset: str | None = None
    anatomy: Mapping[str, Any] | None = None
    attributes: Mapping[str, Any] | None = None
    users: Mapping[str, Sequence[str]] | None = None

    @property
    def all_attributes(self) -> dict[str, Any]:
        """The attributes, including those in the anatomy."""
        return {**(self.anatomy or {}).get("attributes", {}), **(self.attributes or {})}

    def parsed(self) -> ProjectSpec:
        """Return a valid spec, each value in its own type; templates render values as text.

        :raises ValueError: naming the argument, for values that AYON would reject, ignore or misinterpret
        """
        preset, anatomy = _parse_preset(self.anatomy_preset), _parse_anatomy(self.anatomy)
        if preset and anatomy is not None:
            raise ValueError("give either anatomy_preset or anatomy: AYON would ignore the preset")
        return replace(
            self,
            name=parse_project_name("name", self.name),
            code=require_match("code", parse_text("code", self.code), CODE, "letters, digits and underscores"),
            label=parse_optional("label", self.label, _parse_label),
            color=parse_optional("color", self.color, _parse_color),
            anatomy_preset=preset,
            library=parse_optional("library", self.library, parse_bool),
            anatomy=anatomy,
            attributes=_parse_optional_object("attributes", self.attributes),
            users=_parse_users(self.users),
        )


def _parse_label(argument: str, value: Any) -> str:
    return require_match(argument, parse_text(argument, value), LABEL, "text without ' and ;")


def _parse_color(argument: str, value: Any) -> str:
    return require_match(argument, value, COLOR, "of the form #rgb or #rrggbb")


def _parse_preset(value: Any) -> str | None:
    return parse_id("anatomy_preset", value, "an anatomy preset") if is_set(value) else None


def _parse_optional_object(argument: str, value: Any) -> dict[str, Any] | None:
    if value is None or value == MISSING_RESULT:
        return None
    require_not_blank(argument, value)
    return parse_object(argument, value)


def _parse_anatomy(value: Any) -> dict[str, Any] | None:
    anatomy = _parse_optional_object("anatomy", value)
    for name, part in (anatomy or {}).items():
        if name not in ANATOMY_PARTS:
            raise ValueError(f"anatomy has no part {name!r}; valid parts are {', '.join(ANATOMY_PARTS)}")
        if not isinstance(part, ANATOMY_PARTS[name]) or (name in NON_EMPTY_PARTS and not part):
            minimum = " with at least one entry" if name in NON_EMPTY_PARTS else ""
            raise ValueError(f"anatomy: {name} must be a {ANATOMY_PARTS[name].__name__}{minimum}")
    return anatomy


def _parse_users(value: Any) -> dict[str, list[str]] | None:
    users = _parse_optional_object("users", value)
    return None if users is None else {_parse_user(name): _parse_groups(name, users[name]) for name in users}


def _parse_user(name: Any) -> str:
    name = parse_text("users: the name of a user", name)
    return require_match("users: the name of a user", name, USER_NAME, "letters and digits, with _ . - in between")


def _parse_groups(user: str, value: Any) -> list[str]:
    argument = f"users: the access groups of {user!r}"
    if value is None:
        raise ValueError(f"{argument} must be a list; an empty list removes the access")
    require_not_blank(argument, value)
    return [check_id(argument, group) for group in parse_str_list(argument, value)]
