"""What tests and demos put into the stand-in."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.ayon import defaults
from self_hosted.sandbox.ayon.entities import add_entity
from self_hosted.sandbox.ayon.operations import add_task
from self_hosted.sandbox.ayon.reviewables import add_reviewable
from self_hosted.sandbox.ayon.studio import Studio, becoming


def seed(studio: Studio, data: dict[str, Any]) -> None:
    """Add all that is given, see `Ayon.seed`.

    :param studio: where to
    :param data: what
    """
    _seed_studio(studio, data)
    for project in data.get("projects", []):
        studio.add_project(project, skeleton=project.get("skeleton", False))
    for given in data.get("entities", []):
        project = studio.projects[given["project"].lower()]
        add_entity(project, given["type"], {key: value for key, value in becoming(given).items() if key != "project"})
    for given in data.get("reviewables", []):
        version = studio.projects[given["project"].lower()]["entities"][given["version"]]
        add_reviewable(version, becoming(given))
    for given in data.get("events", []):
        fields = {"project": None, "user": "airflow", "sender": None, "sender_type": "api", **becoming(given)}
        studio.dispatch(**fields)
    for given in data.get("operations", []):
        add_task(studio, given["project"], given)
    studio.rivals += data.get("rivals", [])


def _seed_studio(studio: Studio, data: dict[str, Any]) -> None:
    for name, anatomy in data.get("presets", {}).items():
        studio.presets[name] = defaults.anatomy(anatomy)
    studio.primary_preset = data.get("primaryPreset", studio.primary_preset)
    for user in data.get("users", []):
        credential = {"password": user.get("password", ""), "api_key": user.get("apiKey", "")}
        studio.add_user(user["name"], data=user.get("data"), **credential)
    for given in data.get("attributes", []):
        attribute = defaults.attribute(given["name"], given["type"], given["scope"], builtin=False)
        studio.attributes.append(attribute)
        if not given.get("asleep"):
            studio.attributes_in_force.append(attribute)
