"""What a project refers to and AYON would miss silently: attributes, users, access groups, names taken by others."""

from __future__ import annotations

from self_hosted.ayon.api.projects import projects
from self_hosted.ayon.api.studio import access_groups, attributes, info, user
from self_hosted.ayon.api.wanted import WantedProject
from self_hosted.core.errors import Conflict, Forbidden, NotFound
from self_hosted.core.flow import Flow


def refuse_unknown(wanted: WantedProject) -> Flow[None]:
    """Refuse a project that refers to what AYON does not know; it would drop that without a word.

    :raises ValueError: naming what is unknown
    """
    if wanted.all_attributes:
        yield from _refuse_attributes(set(wanted.all_attributes))
    for name in wanted.users or {}:
        try:
            yield from user(name)
        except NotFound:
            raise ValueError(f"users: AYON knows no user {name!r}") from None
    groups = {group for named in (wanted.users or {}).values() for group in named}
    if groups:
        yield from _refuse_groups(groups)


def refuse_taken(wanted: WantedProject) -> Flow[None]:
    """Refuse a code or label that belongs to another project; AYON's own error often does not say so.

    :raises Conflict: naming that project
    """
    for other in (yield from projects(skeleton=True)):
        for key, given in (("code", wanted.code), ("label", wanted.label)):
            taken = given and (other[key] or "").lower() == given.lower()
            if taken and other["name"].lower() != wanted.name.lower():
                raise Conflict(f"the {key} {given!r} belongs to another project, {other['name']!r}")


def _refuse_attributes(names: set[str]) -> Flow[None]:
    known = {one["name"] for one in (yield from attributes()) if "project" in one["scope"]}
    if names - known:
        raise ValueError(f"attributes: projects have no {_listed(names - known)}; they have {_listed(known)}")
    in_force = (yield from info()).get("attributes")
    asleep = names - {one["name"] for one in in_force or []} if in_force else set()
    if asleep:
        raise ValueError(f"attributes: {_listed(asleep)} is new and takes effect only after AYON is restarted")


def _refuse_groups(groups: set[str]) -> Flow[None]:
    try:
        known = set((yield from access_groups()))
    except Forbidden:  # only managers may look, but others may be allowed to give access
        return
    if groups - known:
        raise ValueError(f"users: AYON has no access group {_listed(groups - known)}; it has {_listed(known)}")


def _listed(names: set[str]) -> str:
    return ", ".join(map(repr, sorted(names))) or "none"
