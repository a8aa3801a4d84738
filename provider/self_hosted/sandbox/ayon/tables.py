"""Rows for the page of the sandbox. They contain no secrets."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.ayon.state import Record, State
from self_hosted.sandbox.fake_server import Table

ENTITY_COLUMNS = ("type", "id", "status")
EVENT_COLUMNS = ("id", "topic", "project", "status", "user", "sender", "senderType", "createdAt")


def build_tables(state: State) -> dict[str, Table]:
    """Return projects, their entities, and events."""
    projects = list(state.projects.values())
    entities = [
        {"project": project["name"], **{key: entity[key] for key in ENTITY_COLUMNS}}
        for project in projects
        for entity in project["entities"].values()
    ]
    events = [{key: event[key] for key in EVENT_COLUMNS} for event in state.events]
    rows = [_project(project, state) for project in projects]
    return {"projects": rows[::-1], "entities": entities[::-1], "events": events[::-1]}


def _project(project: Record, state: State) -> dict[str, Any]:
    users = state.users.values()
    return {
        "name": project["name"],
        "code": project["code"],
        "label": project["label"] or "",
        "library": project["library"],
        "active": project["active"],
        "fps": project["anatomy"]["attributes"]["fps"],
        "users": [user["name"] for user in users if project["name"] in user["data"]["accessGroups"]],
        "created": project["createdAt"],
    }
