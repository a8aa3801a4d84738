"""The project a DAG wants, made exactly once, whatever happens on the way.

How a task knows its own work again: the request that creates a project says who sends it (X-Sender), and AYON
writes that on the event of the creation. A task sends a name that is its own and stays the same over its retries,
so after a lost answer, a lost race or a worker's death the event tells whether the project is this task's.
"""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.api.creation import LOOKS, creation, creator
from self_hosted.ayon.api.known import refuse_taken, refuse_unknown
from self_hosted.ayon.api.projects import find_project
from self_hosted.ayon.api.studio import PRIMARY_PRESET, anatomy_preset, anatomy_presets
from self_hosted.ayon.api.updating import bring_up_to_date, give_access
from self_hosted.ayon.api.wanted import WantedProject
from self_hosted.core.errors import Broken, Conflict, NotFound, ProductError, Uncertain
from self_hosted.core.flow import Flow, Pause

IF_EXISTS = ("fail", "skip", "update")


def ensure_project(wanted: WantedProject, *, sender: str, if_exists: str = "fail") -> Flow[dict[str, Any]]:
    """Create a project, or deal with the one that is there.

    :param wanted: the project
    :param sender: a name for this piece of work, the same each time it is tried, such as "airflow.4f3c..."
    :param if_exists: "fail"; "skip": leave it alone; "update": change what differs. A project that this sender
        created is its own work in all three cases, and completed
    :return: {name, code, library, created, updated: ["label", "attributes.fps", "users.anna", ...]}
    :raises ValueError: when it is malformed, or refers to what AYON does not know
    :raises Conflict: when it exists and must not, or in another spelling, or its code or label is taken
    """
    wanted.check()
    found = yield from find_project(wanted.name)
    if found is None:
        yield from refuse_unknown(wanted)
        found = yield from _created(wanted, sender)
    if found is not None:
        return (yield from _accepted(found, wanted, sender, if_exists))
    yield from give_access(wanted)
    new = {"name": wanted.name, "code": wanted.code, "library": bool(wanted.library)}
    return {**new, "created": True, "updated": []}


def _created(wanted: WantedProject, sender: str) -> Flow[dict[str, Any] | None]:
    """Create the project; what is returned, if anything, is a project that turned up instead: perhaps one's own."""
    body = yield from _body(wanted)
    try:
        yield creation(body, sender)
    except (Conflict, Broken, Uncertain) as error:
        # in a race all but one get HTTP 500, and so does who sends again after a lost answer
        return (yield from _turned_up(wanted, error))
    return None


def _turned_up(wanted: WantedProject, error: ProductError) -> Flow[dict[str, Any]]:
    """The project that is there after the error; it, and the event of its creation, may take AYON a moment."""
    found = None
    for pause in LOOKS:
        found = yield from find_project(wanted.name)
        if found and (yield from creator(found["name"])):
            return found
        yield from refuse_taken(wanted)
        yield Pause(pause)
    if found is None:
        raise error
    return found


def _accepted(found: dict[str, Any], wanted: WantedProject, sender: str, if_exists: str) -> Flow[dict[str, Any]]:
    """Go on with a project that is there, unless it must not be."""
    ours = sender == (yield from creator(found["name"]))
    _refuse_other(found, wanted, ours, if_exists)
    now, updated = {key: found[key] for key in ("name", "code", "library")}, []
    if if_exists == "update":
        yield from refuse_unknown(wanted)
        updated = yield from bring_up_to_date(wanted)
        now |= {"code": wanted.code} | ({} if wanted.library is None else {"library": wanted.library})
    elif ours:
        yield from give_access(wanted)  # the one thing that a creation leaves for later
    return {**now, "created": ours, "updated": updated}


def _body(wanted: WantedProject) -> Flow[dict[str, Any]]:
    """What creates the project: all in one request, so that there is no half-made one."""
    given = {"label": wanted.label, "color": wanted.color, "anatomy": (yield from _anatomy(wanted))}
    given = {key: value for key, value in given.items() if value is not None}
    return {"name": wanted.name, "code": wanted.code, "library": bool(wanted.library), **given}


def _anatomy(wanted: WantedProject) -> Flow[dict[str, Any] | None]:
    """The anatomy to send; None leaves it to AYON."""
    anatomy = wanted.anatomy
    if anatomy is None and (wanted.anatomy_preset or wanted.attributes):
        anatomy = yield from _preset(wanted.anatomy_preset or PRIMARY_PRESET)
    if anatomy is None:
        return None
    return {**anatomy, "attributes": {**anatomy.get("attributes", {}), **(wanted.attributes or {})}}


def _preset(name: str) -> Flow[dict[str, Any]]:
    try:
        return (yield from anatomy_preset(name))
    except NotFound:
        known = ", ".join((yield from anatomy_presets())) or "none but __builtin__"
        raise ValueError(f"anatomy_preset: there is no {name!r} in AYON; there is {known}") from None


def _refuse_other(found: dict[str, Any], wanted: WantedProject, ours: bool, if_exists: str) -> None:
    """Refuse a project that is there and is not the wanted one, or must not be there."""
    there = f"project {found['name']!r} ({found['code']}) exists already"
    if found["name"] != wanted.name:
        raise Conflict(f"{there}; AYON does not tell it from {wanted.name!r}, so spell it the same")
    if found.get("skeleton"):
        raise Conflict(f"{there}, as a skeleton; complete or delete it in AYON first")
    if if_exists != "update" and found["code"] != wanted.code:
        raise Conflict(f"{there}, and its code is not {wanted.code!r}")
    if if_exists == "fail" and not ours:
        raise Conflict(f"{there}, created by another task run or person; if_exists='skip' or 'update' would accept it")
