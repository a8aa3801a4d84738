"""What differs between a stored project and the desired one; values that are not given do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from self_hosted.ayon.api.projects import records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.core.http.errors import PermissionDeniedError
from self_hosted.core.http.flow import Flow

UNORDERED_PARTS = {"roots", "templates"}  # the database stores their entries by name, and returns them in its own order


class Differences(NamedTuple):
    """The desired values that a project does not have.

    :param fields: code, label and library
    :param data: color
    :param attrib: attributes
    :param anatomy: parts of the anatomy, each complete
    :param before: the stored project, for the log
    """

    fields: dict[str, Any]
    data: dict[str, Any]
    attrib: dict[str, Any]
    anatomy: dict[str, Any]
    before: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the values: "label", "attributes.fps", "anatomy.tags", ..."""
        attributes, parts = (f"attributes.{name}" for name in self.attrib), (f"anatomy.{name}" for name in self.anatomy)
        return [*self.fields, *self.data, *attributes, *parts]


def compare(project_spec: ProjectSpec) -> Flow[Differences]:
    """Compare the stored project. The preset does not count, because it may have changed since the creation.

    :param project_spec: the desired project
    :raises PermissionDeniedError: unless the user may read the project
    """
    current = yield from records.get(project_spec.name)
    color = current["data"].get("color")
    attrib = {
        name: value
        for name, value in project_spec.all_attributes.items()
        if not contains(current["attrib"].get(name), value)
    }
    anatomy = yield from _compare_anatomy(project_spec)
    fields, data = _compare_fields(current, project_spec), _compare_color(color, project_spec)
    return Differences(fields, data, attrib, anatomy, current)


def find_differences(row: Mapping[str, Any], project_spec: ProjectSpec) -> Flow[list[str]]:
    """Return the names of the values that differ, as far as the user may read them.

    :param row: the project, as `records.find` returns it
    :param project_spec: the desired project
    """
    try:
        return (yield from compare(project_spec)).names
    except PermissionDeniedError:  # such as a user who may create projects, but has no access to this one
        return [*_compare_fields(row, project_spec), *_compare_color(row.get("color"), project_spec)]


def contains(current: Any, desired: Any) -> bool:
    """Return whether a value contains the desired one; AYON adds defaults, so only desired values are compared.

    :param current: the stored value
    :param desired: the desired value
    """
    if isinstance(desired, Mapping) and isinstance(current, Mapping):
        return all(contains(current.get(name), value) for name, value in desired.items())
    if _is_list(desired) and _is_list(current):
        return len(desired) == len(current) and all(map(contains, current, desired))
    return bool(current == desired) or _is_same_time(current, desired)


def _compare_fields(current: Mapping[str, Any], project_spec: ProjectSpec) -> dict[str, Any]:
    desired = {"code": project_spec.code, "label": project_spec.label, "library": project_spec.library}
    return {name: value for name, value in desired.items() if value is not None and current.get(name) != value}


def _compare_color(current: Any, project_spec: ProjectSpec) -> dict[str, Any]:
    color = project_spec.color
    return {"color": color} if color and current != color else {}


def _compare_anatomy(project_spec: ProjectSpec) -> Flow[dict[str, Any]]:
    parts = {name: part for name, part in (project_spec.anatomy or {}).items() if name != "attributes"}
    if not parts:
        return {}
    current = yield from records.get_anatomy(project_spec.name)
    return {name: part for name, part in parts.items() if not _contains_part(name, current.get(name), part)}


def _contains_part(name: str, current: Any, desired: Any) -> bool:
    if name in UNORDERED_PARTS:
        current, desired = _sort_by_name(current), _sort_by_name(desired)
    return contains(current, desired)


def _sort_by_name(value: Any) -> Any:
    """Return a value with its lists of named entries in the order of their names."""
    if isinstance(value, Mapping):
        return {name: _sort_by_name(item) for name, item in value.items()}
    if _is_list(value) and all(isinstance(item, Mapping) for item in value):
        return sorted(value, key=lambda item: str(item.get("name")))
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_same_time(current: Any, desired: Any) -> bool:
    """Whether two texts are the same timestamp; AYON may return it in another notation than it received."""
    try:
        return datetime.fromisoformat(current) == datetime.fromisoformat(desired)
    except (TypeError, ValueError):
        return False
