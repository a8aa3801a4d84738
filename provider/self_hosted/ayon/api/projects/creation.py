"""The creation of a project, and the sender that created it. `provision` handles existing projects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from self_hosted.ayon.api import graphql
from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Flow, Pause, Request

RECHECK_DELAYS_SECONDS = (0.2, 0.5, 1.0, 2.0)  # between checks for a project whose creation may be in progress
CREATION_QUERY = """query ($topics: [String!], $projects: [String!]) {
  events(topics: $topics, projects: $projects, last: 1) { edges { node { sender } } }
}"""


def create(body: dict[str, Any], *, sender: str | None = None) -> Flow[None]:
    """Create a project, exactly once (``POST /api/projects``).

    After a lost response, AYON's event of the creation shows whether this call created the project.

    :param body: ``{name, code, label, library, color, anatomy | anatomyPreset, assignUsers}``
    :param sender: the sender in that event, used by no other creation of this project; default: the connection's sender
        and a random word
    :raises ConflictError: if the name or code is taken
    """
    sender = sender or f".{uuid4().hex}"
    try:
        yield replace(build_request(body, sender), idempotent=False)
    except OutcomeUnknownError:
        yield from _create_again(body, sender)


def build_request(body: dict[str, Any], sender: str) -> Request:
    """Return the request that creates a project. Name and code are unique, so sending it twice creates one project.

    :param body: as for `create`
    :param sender: the sender in the event; one that starts with "." is appended to the connection's sender
    """
    return Request("POST", "/api/projects", json=body, headers={"X-Sender": sender}, idempotent=True)


def get_creator(name: str) -> Flow[str | None]:
    """Return the sender of the request that created a project, or None if AYON has no event of its creation.

    :param name: name of the project, in AYON's own spelling
    """
    variables = {"topics": ["entity.project.created"], "projects": [name]}
    edges = (yield from graphql.query(CREATION_QUERY, variables))["events"]["edges"]
    return edges[0]["node"]["sender"] if edges else None


def _create_again(body: dict[str, Any], sender: str) -> Flow[None]:
    """Send the creation a second time; its error counts only if the first request did not create the project."""
    try:
        yield build_request(body, sender)
    except (ConflictError, ServerError, OutcomeUnknownError):
        for delay in RECHECK_DELAYS_SECONDS:
            creator = yield from get_creator(body["name"])
            if creator:
                break
            yield Pause(delay)  # the first request may still be in progress
        if not _is_own(creator, sender):
            raise


def _is_own(creator: str | None, sender: str) -> bool:
    return creator == sender or (sender.startswith(".") and (creator or "").endswith(sender))
