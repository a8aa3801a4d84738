"""A project as a DAG wants it, and what can be said against it before anything is sent.

AYON does not say much against it: bad names and codes make it fail with HTTP 500, unknown fields it ignores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from self_hosted.ayon.api.forms import NAME, RIGHT_NAME, check_form

CODE = re.compile(r"[A-Za-z0-9_]+")
LABEL = re.compile(r"[^';]+")
COLOR = re.compile(r"#([0-9A-Fa-f]{3}){1,2}")
USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*[A-Za-z0-9]")
ANATOMY: dict[str, type] = {
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
NEVER_EMPTY = {"folder_types", "task_types", "statuses"}


@dataclass(frozen=True)
class WantedProject:
    """A project as it ought to be; None leaves it to AYON, or as it is.

    :param name: 1 to 55 letters, digits and underscores
    :param code: letters, digits and underscores; AYON puts it into file names
    :param label: what people see instead of the name
    :param library: whether it is a library, from which other projects take
    :param color: #rgb or #rrggbb
    :param anatomy_preset: name of the preset it begins with; by default the studio's primary one
    :param anatomy: its anatomy, whole or in parts, instead of a preset
    :param attributes: values of project attributes, such as {"fps": 25}, on top of preset or anatomy
    :param users: names of users to their access groups in the project
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
        """The attributes, with those that stand in the anatomy."""
        return {**(self.anatomy or {}).get("attributes", {}), **(self.attributes or {})}

    def check(self) -> None:
        """Refuse what AYON would not take, or not understand; `ValueError` names the argument."""
        check_form("name", self.name, NAME, RIGHT_NAME)
        check_form("code", self.code, CODE, "letters, digits and underscores")
        if self.label is not None:
            check_form("label", self.label, LABEL, "text without ' and ;")
        if self.color is not None:
            check_form("color", self.color, COLOR, "of the form #rgb or #rrggbb")
        if self.library is not None and not isinstance(self.library, bool):
            raise ValueError(f"library must be true or false, not {self.library!r}")
        if self.anatomy_preset and self.anatomy is not None:
            raise ValueError("give anatomy_preset or anatomy, not both: AYON would ignore the preset")
        _check_mapping("attributes", self.attributes)
        _check_anatomy(self.anatomy)
        _check_users(self.users)


def _check_mapping(argument: str, given: object) -> None:
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"{argument} must be a mapping, not {given!r}")


def _check_anatomy(anatomy: Mapping[str, Any] | None) -> None:
    _check_mapping("anatomy", anatomy)
    for key, value in (anatomy or {}).items():
        if key not in ANATOMY:
            raise ValueError(f"anatomy has no {key!r}, which AYON would ignore; it has {', '.join(ANATOMY)}")
        if not isinstance(value, ANATOMY[key]) or (key in NEVER_EMPTY and not value):
            some = "with at least one entry" if key in NEVER_EMPTY else ""
            raise ValueError(f"anatomy: {key} must be a {ANATOMY[key].__name__} {some}".rstrip())


def _check_users(users: Mapping[str, Sequence[str]] | None) -> None:
    _check_mapping("users", users)
    for name, groups in (users or {}).items():
        check_form("users: a user's name", name, USER, "letters, digits and _ . - within")
        if isinstance(groups, str) or not isinstance(groups, Sequence) or not all(isinstance(g, str) for g in groups):
            raise ValueError(f"users: {name!r} needs a list of access groups, not {groups!r}")
