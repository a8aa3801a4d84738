"""Tests of ayon/api/projects/project_spec.py: valid and invalid projects, and values that templates render as text."""

from __future__ import annotations

import pytest

from self_hosted.ayon.api.projects.project_spec import ProjectSpec


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name must be 1 to 55"),
        ({"name": "a-b"}, "name must be"),
        ({"name": "a\n"}, "name must be"),
        ({"name": "a" * 56}, "name must be"),
        ({"name": 7.5}, "name must be a text, not 7.5"),
        ({"name": "None"}, "name is 'None', which a template renders for a missing result"),
        ({"code": ""}, "code must be"),
        ({"code": "None"}, "code is 'None'"),
        ({"label": ["a"]}, "label must be a text"),
        ({"code": "a b"}, "code must be"),
        ({"label": "it's"}, "label must be"),
        ({"color": "red"}, "color must be"),
        ({"color": "#12345"}, "color must be"),
        ({"library": "perhaps"}, "library must be true or false"),
        ({"anatomy": {}, "anatomy_preset": "film"}, "give either anatomy_preset or anatomy"),
        ({"anatomy": ["tags"]}, "anatomy must be a dictionary"),
        ({"anatomy": ""}, "anatomy must not be an empty text"),
        ({"anatomy": {"folderTypes": []}}, "anatomy has no part 'folderTypes'"),
        ({"anatomy": {"tags": {}}}, "tags must be a list"),
        ({"anatomy": {"folder_types": []}}, "at least one entry"),
        ({"attributes": ["fps"]}, "attributes must be a dictionary"),
        ({"attributes": "fps"}, "attributes must be a dictionary"),
        ({"users": ["anna"]}, "users must be a dictionary"),
        ({"users": {"anna": None}}, "users: the access groups of 'anna' must be a list"),
        ({"users": {"anna": ""}}, "users: the access groups of 'anna' must not be an empty text"),
        ({"users": {"anna": [1.5]}}, "users: the access groups of 'anna' must be a text or a list of texts"),
        ({"users": {"a/b": []}}, "users: the name of a user must be"),
    ],
)
def test_an_invalid_project_is_rejected_with_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        ProjectSpec(**{"name": "alpha", "code": "alp", **arguments}).parsed()


def test_numbers_of_native_rendering_are_texts():
    project = ProjectSpec(2026, 12, label=7, users={"anna": [1]}).parsed()  # type: ignore[arg-type, list-item]
    assert (project.name, project.code, project.label, project.users) == ("2026", "12", "7", {"anna": ["1"]})


@pytest.mark.parametrize("missing", [None, "None"])
def test_an_optional_value_that_is_missing_is_not_set(missing):
    names = ("label", "color", "library", "anatomy", "attributes", "users")
    assert ProjectSpec("a", "b", **dict.fromkeys(names, missing)).parsed() == ProjectSpec("a", "b")


def test_a_valid_project_is_unchanged():
    project_spec = ProjectSpec(
        name="a_1",
        code="A",
        label="A: one",
        color="#fff",
        library=False,
        anatomy={"tags": [], "attributes": {"fps": 24}},
        attributes={"frameStart": 1},
        users={"anna.b": ["artist"], "bob": []},
    )
    assert project_spec.parsed() == project_spec


def test_missing_values_stay_none():
    assert ProjectSpec(name="a", code="a").parsed() == ProjectSpec(name="a", code="a")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("library", "True", True),
        ("library", "no", False),
        ("anatomy", '{"tags": []}', {"tags": []}),
        ("attributes", "{'fps': 25}", {"fps": 25}),
        ("users", '{"anna": ["artist"]}', {"anna": ["artist"]}),
        ("users", {"anna": "['artist', 'supervisor']"}, {"anna": ["artist", "supervisor"]}),
        ("users", {"anna": "artist"}, {"anna": ["artist"]}),
    ],
)
def test_templates_may_render_values_as_text(name, text, value):
    project_spec = ProjectSpec(**{"name": "alpha", "code": "alp", name: text}).parsed()
    assert getattr(project_spec, name) == value
