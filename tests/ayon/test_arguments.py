"""Each id of a flow is checked before anything is sent, and the error names the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.ayon.api import (
    anatomy_presets,
    background_operations,
    entities,
    events,
    reviewables,
    users,
)
from self_hosted.ayon.api.projects import creation, provision, records
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.core.http.flow import Flow
from tests.ayon.wait_cases import UNKNOWN_ID

INVALID_IDS: list[Any] = ["", " ", " a", "None", "a\0b", "a\nb", "x" * 5000, None, 1.5, True, []]
INVALID_IN_PATH = ["a/b", "a\\b", "a?b", "a#b", ".", ".."]
Call = Callable[[Any], Flow[Any]]
IN_PATH: list[tuple[str, Call]] = [
    ("name", users.get),
    ("name", anatomy_presets.get),
    ("name", records.get),
    ("name", lambda value: records.update(value, {})),
    ("name", records.get_anatomy),
    ("name", lambda value: records.set_anatomy(value, {})),
    ("name", records.get_users),
    ("name", lambda value: records.set_user(value, "anna", [])),
    ("user", lambda value: records.set_user("film", value, [])),
    ("event_id", events.get),
    ("project", lambda value: background_operations.get(value, UNKNOWN_ID)),
    ("operation_id", lambda value: background_operations.get("film", value)),
    ("project", lambda value: reviewables.list_all(value, UNKNOWN_ID)),
    ("version_id", lambda value: reviewables.list_all("film", value)),
]
ELSEWHERE: list[tuple[str, Call]] = [
    ("name", users.verify_can_act_as),
    ("name", records.find),
    ("name", creation.get_creator),
    ("the name in body", lambda value: creation.create({"name": value, "code": "flm"})),
    ("groups", lambda value: records.set_user("film", "anna", [value])),
    ("event_ids", lambda value: events.list_by_ids([UNKNOWN_ID, value])),
    ("ids: a folder", lambda value: entities.get_statuses({"film": {"folder": [value]}})),
    ("sender", lambda value: provision.ensure(ProjectSpec("film", "flm"), sender=value)),
]


@pytest.mark.parametrize(("argument", "call"), [*IN_PATH, *ELSEWHERE])
def test_an_invalid_id_is_rejected_before_anything_is_sent(argument, call):
    for value in INVALID_IDS:
        with pytest.raises(ValueError, match=f"^{argument} must be"):
            next(call(value))


@pytest.mark.parametrize(("argument", "call"), IN_PATH)
def test_an_id_that_would_reach_another_endpoint_is_rejected(argument, call):
    for value in INVALID_IN_PATH:
        with pytest.raises(ValueError, match="is no valid id"):
            next(call(value))


@pytest.mark.parametrize("value", ["", " ", "None", "a\0b", "x" * 5000])
def test_optional_names_and_names_in_mappings_are_checked(value):
    for argument, flow in (
        ("name", records.list_all(name=value)),
        ("sender", creation.create({"name": "film", "code": "flm"}, sender=value)),
        ("ids: a project", entities.get_statuses({value: {"folder": [UNKNOWN_ID]}})),
    ):
        with pytest.raises(ValueError, match=f"^{argument} must be"):
            next(flow)


def test_a_text_instead_of_a_list_of_ids_is_rejected():
    for flow in (
        events.list_by_ids(UNKNOWN_ID),
        records.set_user("film", "anna", "artist"),
        entities.get_statuses({"film": {"folder": UNKNOWN_ID}}),
    ):
        with pytest.raises(ValueError, match="must be a list of ids, not str"):
            next(flow)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "None"}, "name is 'None'"),
        ({"name": " None "}, "name is 'None'"),
        ({"name": "x" * 5000}, "name must be 1 to 55 letters.*…$"),
        ({"code": "None"}, "code is 'None'"),
        ({"label": ["a"]}, "label must be a text"),
        ({"anatomy_preset": "None"}, "anatomy_preset must be the id of an anatomy preset"),
        ({"anatomy_preset": " "}, "anatomy_preset must be the id of an anatomy preset"),
        ({"anatomy_preset": "a\0b"}, "anatomy_preset must be the id of an anatomy preset"),
        ({"users": {"None": ["artist"]}}, "users: the name of a user is 'None'"),
        ({"users": {"anna": ["None"]}}, "users: the access groups of 'anna' must be"),
        ({"users": {"anna": [" "]}}, "users: the access groups of 'anna' must be an id"),
    ],
)
def test_names_of_a_project_are_checked_before_anything_is_sent(arguments, message):
    spec = ProjectSpec(**{"name": "film", "code": "flm", **arguments})
    with pytest.raises(ValueError, match=message):
        next(provision.ensure(spec, sender="airflow.me"))


def test_an_empty_preset_is_none():
    assert ProjectSpec("film", "flm", anatomy_preset="").parsed().anatomy_preset is None
