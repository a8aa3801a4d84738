"""A project that exists, brought to what a DAG wants: only what differs is written, and what it was is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from self_hosted.ayon.api.known import refuse_taken
from self_hosted.ayon.api.projects import (
    project,
    project_anatomy,
    project_users,
    set_project_anatomy,
    set_project_user,
    update_project,
)
from self_hosted.ayon.api.wanted import WantedProject
from self_hosted.core.errors import Broken, Conflict
from self_hosted.core.flow import Flow


def bring_up_to_date(wanted: WantedProject) -> Flow[list[str]]:
    """Change what differs; a preset counts for new projects only, so it is left out.

    :return: what was changed: "label", "attributes.fps", "anatomy.tags", "users.anna", ...
    """
    fields = yield from _update_fields(wanted)
    anatomy = yield from _update_anatomy(wanted)
    users = yield from give_access(wanted)
    return [*fields, *anatomy, *users]


def give_access(wanted: WantedProject) -> Flow[list[str]]:
    """Give the wanted users their access groups, where they have others.

    :return: for whom: "users.anna", ...
    """
    if not wanted.users:
        return []
    current = yield from project_users(wanted.name)
    differing = [name for name, groups in wanted.users.items() if set(groups) != set(current.get(name, []))]
    for name in differing:
        yield from set_project_user(wanted.name, name, wanted.users[name])
    return [f"users.{name}" for name in differing]


def _update_fields(wanted: WantedProject) -> Flow[list[str]]:
    current = yield from project(wanted.name)
    given = {"code": wanted.code, "label": wanted.label, "library": wanted.library}
    fields = {key: value for key, value in given.items() if value is not None and current.get(key) != value}
    data = {"color": wanted.color} if wanted.color and current["data"].get("color") != wanted.color else {}
    attrib = {
        key: value for key, value in wanted.all_attributes.items() if not _holds(current["attrib"].get(key), value)
    }
    changes = {**fields, **({"data": data} if data else {}), **({"attrib": attrib} if attrib else {})}
    if changes:
        yield from _written(wanted, changes)
    return [*fields, *data, *(f"attributes.{key}" for key in attrib)]


def _written(wanted: WantedProject, changes: dict[str, Any]) -> Flow[None]:
    try:
        yield from update_project(wanted.name, changes)
    except (Broken, Conflict):
        yield from refuse_taken(wanted)
        raise


def _update_anatomy(wanted: WantedProject) -> Flow[list[str]]:
    parts = {key: part for key, part in (wanted.anatomy or {}).items() if key != "attributes"}
    if not parts:
        return []
    current = yield from project_anatomy(wanted.name)
    differing = {key: part for key, part in parts.items() if not _holds(current.get(key), part)}
    if differing:
        merged = {
            key: {**current[key], **part} if isinstance(part, Mapping) else part for key, part in differing.items()
        }
        yield from set_project_anatomy(wanted.name, {**current, **merged})
    return [f"anatomy.{key}" for key in differing]


def _holds(current: Any, wanted: Any) -> bool:
    """Whether this is so already. AYON adds defaults to what it is given, so only what is wanted is compared."""
    if isinstance(wanted, Mapping) and isinstance(current, Mapping):
        return all(_holds(current.get(key), value) for key, value in wanted.items())
    if _is_list(wanted) and _is_list(current):
        return len(wanted) == len(current) and all(map(_holds, current, wanted))
    return bool(current == wanted) or _same_moment(current, wanted)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same_moment(current: Any, wanted: Any) -> bool:
    """Whether two texts are the same date and time, which AYON may write in another way than it was given."""
    try:
        return datetime.fromisoformat(current) == datetime.fromisoformat(wanted)
    except (TypeError, ValueError):
        return False
