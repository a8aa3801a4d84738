"""The creation of a project, and the sender that created it. `provision` handles existing projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import uuid4

from typing_extensions import TypedDict

from self_hosted.ayon.api import graphql
from self_hosted.ayon.api.projects import comparison, records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.ayon.api.shapes import Connection
from self_hosted.core.arguments import check_id
from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Flow, Pause, Request
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

CREATED = 201  # AYON's response has no content
RECHECK_DELAYS_SECONDS = (0.2, 0.5, 1.0, 2.0)  # between checks for a project whose creation may be in progress
CREATION_QUERY = """query ($topics: [String!], $projects: [String!]) {
  events(topics: $topics, projects: $projects, last: 1) { edges { node { sender } } }
}"""


class _Creation(TypedDict):
    sender: str | None


class _Creations(TypedDict):
    events: Connection[_Creation]


class Attempt(NamedTuple):
    """The outcome of a creation.

    :param error: None for a success
    :param was_lost: whether a response was lost, so that the project may exist in spite of the error
    """

    error: SelfHostedError | None = None
    was_lost: bool = False


def create(body: dict[str, Any], *, sender: str | None = None) -> Flow[None]:
    """Create a project, exactly once (``POST /api/projects``).

    After a lost response, AYON's event of the creation and the values of the project show whether this call created it.

    :param body: ``{name, code, label, library, color, anatomy | anatomyPreset, assignUsers}``
    :param sender: the sender in that event, used by no other creation of this project; default: the connection's sender
        and a random word
    :raises ConflictError: if the name or code is taken
    """
    check_id("the name in body", body.get("name"))
    sender = f".{uuid4().hex}" if sender is None else check_id("sender", sender)
    attempt = yield from attempt_creation(body, sender)
    if attempt.error and not (attempt.was_lost and (yield from _is_effect(body, sender))):
        raise attempt.error
    log.info("Project %s: created, with code %s", body["name"], body.get("code"))


def attempt_creation(body: dict[str, Any], sender: str) -> Flow[Attempt]:
    """Send the creation; after a lost response once more: name and code are unique, so that there is one project.

    :param body: as for `create`
    :param sender: the sender in the event; one that starts with "." is appended to the connection's sender
    :raises SelfHostedError: if the request was rejected, or has not been sent
    """
    request = Request("POST", "/api/projects", json=body, headers={"X-Sender": sender}, idempotent=True)
    try:
        # to learn of a lost response, which `Retries` would not report
        reply = yield replace(request, idempotent=False)
        reply.require_status(CREATED)
    except OutcomeUnknownError as lost:
        log.warning("%s; sending it again: names are unique in AYON", lost)
        return (yield from _send_again(request))
    except (ConflictError, ServerError) as error:
        return Attempt(error)
    return Attempt()


def _send_again(request: Request) -> Flow[Attempt]:
    try:
        reply = yield request
        reply.require_status(CREATED)
    except (ConflictError, ServerError, OutcomeUnknownError) as error:
        return Attempt(error, was_lost=True)
    return Attempt(was_lost=True)


def get_creator(name: str) -> Flow[str | None]:
    """Return the sender of the request that created a project, or None if AYON has no event of its creation.

    :param name: name of the project, in AYON's own spelling
    """
    variables = {"topics": ["entity.project.created"], "projects": [check_id("name", name)]}
    _, data = yield from graphql.fetch(CREATION_QUERY, variables, _Creations)
    edges = data["events"]["edges"]
    return edges[0]["node"]["sender"] if edges else None


def _is_effect(body: Mapping[str, Any], sender: str) -> Flow[bool]:
    """Whether the project is the one that was sent; its event may be delayed."""
    for delay in RECHECK_DELAYS_SECONDS:
        creator = yield from get_creator(body["name"])
        if creator:
            break
        # the first request may still be in progress
        yield Pause(delay, reason=f"project {body['name']}: looking for its creation again in {delay:g} s")
    if not (creator == sender or (sender.startswith(".") and (creator or "").endswith(sender))):
        return False
    found = yield from records.find(body["name"])
    values: dict[str, Any] = {name: body.get(name) for name in ("name", "code", "label", "library", "color", "anatomy")}
    return found is not None and not (yield from comparison.find_differences(found, ProjectSpec(**values)))
