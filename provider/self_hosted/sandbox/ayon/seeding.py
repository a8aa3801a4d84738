"""Data that tests and demos add."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.ayon.defaults import build_attribute, complete_anatomy
from self_hosted.sandbox.ayon.entity_store import add_entity
from self_hosted.sandbox.ayon.operations import add_background_operation
from self_hosted.sandbox.ayon.reviewables import add_reviewable
from self_hosted.sandbox.ayon.state import Record, State

EVENT_FIELDS = {"project": None, "user": "airflow", "sender": None, "senderType": "api"}


def seed(state: State, data: dict[str, Any]) -> None:
    """Add data to the state.

    :param state: the state to change
    :param data: see `Ayon.seed`
    """
    state.clock_offset += data.get("advance_seconds", 0)
    _seed_studio(state, data)
    for project in data.get("projects", []):
        state.add_project(project, skeleton=project.get("skeleton", False))
    for given in data.get("entities", []):
        project = state.projects[given["project"].lower()]
        _schedule(state, add_entity(project, given["type"], _fields(given, "project")), given)
    for given in data.get("reviewables", []):
        version = state.projects[given["project"].lower()]["entities"][given["version"]]
        _schedule(state, add_reviewable(version, _fields(given, "project", "version")), given)
    for given in data.get("events", []):
        _schedule(state, state.add_event(**{**EVENT_FIELDS, **_fields(given)}), given)
    for given in data.get("operations", []):
        add_background_operation(state, given["project"], given)
    state.concurrent_projects += data.get("concurrent_projects", [])


def _seed_studio(state: State, data: dict[str, Any]) -> None:
    for name, anatomy in data.get("presets", {}).items():
        state.presets[name] = complete_anatomy(anatomy)
    state.primary_preset = data.get("primaryPreset", state.primary_preset)
    for user in data.get("users", []):
        credentials = {"password": user.get("password", ""), "api_key": user.get("apiKey", "")}
        state.add_user(user["name"], data=user.get("data"), **credentials)
    for given in data.get("attributes", []):
        attribute = build_attribute(given["name"], given["type"], given["scope"], builtin=False)
        state.attributes.append(attribute)
        if not given.get("needs_restart"):
            state.active_attributes.append(attribute)


def _fields(given: Record, *references: str) -> Record:
    return {key: value for key, value in given.items() if key not in {"changes", "after_seconds", *references}}


def _schedule(state: State, record: Record, given: Record) -> None:
    if "changes" in given:
        state.schedule_changes(record, given["changes"], given.get("after_seconds", 0))
