"""Changes of an existing project: only values that differ from the desired ones are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from self_hosted.ayon.api.projects import records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.api.projects.reference_checks import require_free_names
from self_hosted.core.http.errors import ConflictError, ServerError
from self_hosted.core.http.flow import Flow


def apply(project_spec: ProjectSpec) -> Flow[list[str]]:
    """Change all values that differ. The anatomy preset applies to new projects only, so it is left out.

    :param project_spec: the desired project
    :return: names of the changed values: "label", "attributes.fps", "anatomy.tags", "users.anna", ...
    """
    fields = yield from _apply_fields(project_spec)
    anatomy = yield from _apply_anatomy(project_spec)
    users = yield from apply_users(project_spec)
    return [*fields, *anatomy, *users]


def apply_users(project_spec: ProjectSpec) -> Flow[list[str]]:
    """Set the access groups of users whose access groups differ.

    :param project_spec: the desired project
    :return: names of the changed values: "users.anna", ...
    """
    if not project_spec.users:
        return []
    current = yield from records.get_users(project_spec.name)
    differing = [name for name, groups in project_spec.users.items() if set(groups) != set(current.get(name, []))]
    for name in differing:
        yield from records.set_user(project_spec.name, name, project_spec.users[name])
    return [f"users.{name}" for name in differing]


def _apply_fields(project_spec: ProjectSpec) -> Flow[list[str]]:
    current = yield from records.get(project_spec.name)
    desired = {"code": project_spec.code, "label": project_spec.label, "library": project_spec.library}
    fields = {name: value for name, value in desired.items() if value is not None and current.get(name) != value}
    color = project_spec.color
    data = {"color": color} if color and current["data"].get("color") != color else {}
    attrib = {
        name: value
        for name, value in project_spec.all_attributes.items()
        if not _contains(current["attrib"].get(name), value)
    }
    changes = {**fields, **({"data": data} if data else {}), **({"attrib": attrib} if attrib else {})}
    if changes:
        yield from _update(project_spec, changes)
    return [*fields, *data, *(f"attributes.{name}" for name in attrib)]


def _update(project_spec: ProjectSpec, changes: dict[str, Any]) -> Flow[None]:
    try:
        yield from records.update(project_spec.name, changes)
    except (ServerError, ConflictError):
        yield from require_free_names(project_spec)
        raise


def _apply_anatomy(project_spec: ProjectSpec) -> Flow[list[str]]:
    parts = {name: part for name, part in (project_spec.anatomy or {}).items() if name != "attributes"}
    if not parts:
        return []
    current = yield from records.get_anatomy(project_spec.name)
    differing = {name: part for name, part in parts.items() if not _contains(current.get(name), part)}
    if differing:
        merged = {
            name: {**current[name], **part} if isinstance(part, Mapping) else part for name, part in differing.items()
        }
        yield from records.set_anatomy(project_spec.name, {**current, **merged})
    return [f"anatomy.{name}" for name in differing]


def _contains(current: Any, desired: Any) -> bool:
    """Whether a current value contains the desired one; AYON adds defaults, so only desired values are compared."""
    if isinstance(desired, Mapping) and isinstance(current, Mapping):
        return all(_contains(current.get(name), value) for name, value in desired.items())
    if _is_list(desired) and _is_list(current):
        return len(desired) == len(current) and all(map(_contains, current, desired))
    return bool(current == desired) or _is_same_time(current, desired)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_same_time(current: Any, desired: Any) -> bool:
    """Whether two texts are the same timestamp; AYON may return it in another notation than it received."""
    try:
        return datetime.fromisoformat(current) == datetime.fromisoformat(desired)
    except (TypeError, ValueError):
        return False
