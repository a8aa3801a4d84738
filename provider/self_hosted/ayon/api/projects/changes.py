"""Changes of an existing project: only values that differ from the desired ones are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.ayon.api.projects import comparison, records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.api.projects.reference_checks import require_free_names
from self_hosted.core.http.errors import ConflictError, ServerError
from self_hosted.core.http.flow import Flow


def apply(project_spec: ProjectSpec) -> Flow[list[str]]:
    """Change all values that differ. The anatomy preset applies to new projects only, so it is left out.

    :param project_spec: the desired project
    :return: names of the changed values: "label", "attributes.fps", "anatomy.tags", "users.anna", ...
    """
    differences = yield from comparison.compare(project_spec)
    data, attrib = differences.data, differences.attrib
    changes = {**differences.fields, **({"data": data} if data else {}), **({"attrib": attrib} if attrib else {})}
    if changes:
        yield from _update(project_spec, changes, differences.before)
    if differences.anatomy:
        yield from _set_anatomy(project_spec.name, differences.anatomy)
    users = yield from apply_users(project_spec)
    return [*differences.names, *users]


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


def _update(project_spec: ProjectSpec, changes: dict[str, Any], before: Mapping[str, Any]) -> Flow[None]:
    try:
        yield from records.update(project_spec.name, changes, before)
    except (ServerError, ConflictError):
        yield from require_free_names(project_spec)
        raise


def _set_anatomy(name: str, parts: Mapping[str, Any]) -> Flow[None]:
    """Change parts of an anatomy; AYON would reset the parts that are not sent."""
    current = yield from records.get_anatomy(name)
    merged = {
        key: {**current.get(key, {}), **part} if isinstance(part, Mapping) else part for key, part in parts.items()
    }
    yield from records.set_anatomy(name, {**current, **merged})
