"""The creation of a project, and who made it. What a DAG wants, whatever is there already, is in `ensure`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from self_hosted.ayon.api.studio import graphql
from self_hosted.core.errors import Broken, Conflict, Uncertain
from self_hosted.core.flow import Flow, Pause, Request

LOOKS = (0.2, 0.5, 1.0, 2.0)  # seconds between looks for a project that somebody is just writing
CREATION = """query ($topics: [String!], $projects: [String!]) {
  events(topics: $topics, projects: $projects, last: 1) { edges { node { sender } } }
}"""


def create_project(body: dict[str, Any], *, sender: str | None = None) -> Flow[None]:
    """Create a project; after a lost answer, AYON's event of the creation tells whether it is there by this call.

    :param body: {name, code, label, library, color, anatomy | anatomyPreset, assignUsers}: ``POST /api/projects``
    :param sender: who is written on that event: a name that nobody else uses for this project; by default the
        connection's sender and a random word
    :raises Conflict: when name or code is taken
    """
    sender = sender or f".{uuid4().hex}"
    try:
        yield replace(creation(body, sender), repeatable=False)
    except Uncertain:
        yield from _sent_again(body, sender)


def creation(body: dict[str, Any], sender: str) -> Request:
    """What creates a project. Name and code are unique, so that sending it twice makes no second one.

    :param body: as `create_project` takes it
    :param sender: who is written on the event; one that begins with "." is added to the connection's
    """
    return Request("POST", "/api/projects", json=body, headers={"X-Sender": sender}, repeatable=True)


def creator(name: str) -> Flow[str | None]:
    """Who sent the request that created the project of this name, or None when AYON has no event of it.

    :param name: spelt as AYON spells it
    """
    of_it = {"topics": ["entity.project.created"], "projects": [name]}
    edges = (yield from graphql(CREATION, of_it))["events"]["edges"]
    return edges[0]["node"]["sender"] if edges else None


def _sent_again(body: dict[str, Any], sender: str) -> Flow[None]:
    """Send the creation once more, and take an error for what it is only if the first one made no project either."""
    try:
        yield creation(body, sender)
    except (Conflict, Broken, Uncertain):
        for pause in LOOKS:
            maker = yield from creator(body["name"])
            if maker:
                break
            yield Pause(pause)  # the first one may still be at work
        if not _is_of(maker, sender):
            raise


def _is_of(maker: str | None, sender: str) -> bool:
    return maker == sender or (sender.startswith(".") and (maker or "").endswith(sender))
