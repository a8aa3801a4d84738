"""Checks of references that AYON would ignore silently: attributes, users, access groups, names of other projects."""

from __future__ import annotations

from self_hosted.ayon.api import studio, users
from self_hosted.ayon.api.projects import records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.core.http.errors import ConflictError, NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow


def require_known_references(project_spec: ProjectSpec) -> Flow[None]:
    """Check that AYON knows all attributes, users and access groups; it ignores unknown ones silently.

    :param project_spec: the desired project
    :raises ValueError: naming the unknown reference
    """
    if project_spec.all_attributes:
        yield from _require_attributes(set(project_spec.all_attributes))
    for name in project_spec.users or {}:
        try:
            yield from users.get(name)
        except NotFoundError:
            raise ValueError(f"users: AYON has no user {name!r}") from None
    groups = {group for groups in (project_spec.users or {}).values() for group in groups}
    if groups:
        yield from _require_access_groups(groups)


def require_free_names(project_spec: ProjectSpec) -> Flow[None]:
    """Check that code and label belong to no other project; AYON's own error often does not say so.

    :param project_spec: the desired project
    :raises ConflictError: naming the other project
    """
    for other in (yield from records.list_all(skeleton=True)):
        for field, value in (("code", project_spec.code), ("label", project_spec.label)):
            is_taken = value and (other[field] or "").lower() == value.lower()
            if is_taken and other["name"].lower() != project_spec.name.lower():
                raise ConflictError(f"the {field} {value!r} belongs to another project, {other['name']!r}")


def _require_attributes(names: set[str]) -> Flow[None]:
    known = {
        attribute["name"] for attribute in (yield from studio.list_attributes()) if "project" in attribute["scope"]
    }
    if names - known:
        raise ValueError(f"attributes: projects have no {_join(names - known)}; they have {_join(known)}")
    active = (yield from studio.get_info()).get("attributes")
    inactive = names - {attribute["name"] for attribute in active or []} if active else set()
    if inactive:
        raise ValueError(f"attributes: {_join(inactive)} takes effect only after a restart of AYON")


def _require_access_groups(groups: set[str]) -> Flow[None]:
    try:
        known = set((yield from studio.list_access_groups()))
    except PermissionDeniedError:  # only managers may list them, but other users may be allowed to set them
        return
    if groups - known:
        raise ValueError(f"users: AYON has no access group {_join(groups - known)}; it has {_join(known)}")


def _join(names: set[str]) -> str:
    return ", ".join(map(repr, sorted(names))) or "none"
