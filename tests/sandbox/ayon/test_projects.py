"""Projects of the stand-in, with the answers and failures of the real server."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import requests

from self_hosted.sandbox.ayon.product import PASSWORD
from tests.sandbox.ayon.asking import KEY, bearer, create


def test_a_project_is_created_with_null_as_answer(ask):
    assert create(ask, label="Alpha", color="#ff0000") == (201, None)
    status, project = ask("GET", "/api/projects/ALPHA")
    assert (status, project["name"], project["data"]) == (200, "alpha", {"color": "#ff0000"})
    assert {"folderTypes", "taskTypes", "linkTypes", "statuses", "tags", "config", "attrib"} < set(project)
    assert "startDate" not in project["attrib"]


@pytest.mark.parametrize(("name", "code"), [("ALPHA", "other"), ("other", "ALP"), ("alpha", "alp")])
def test_a_taken_name_or_code_is_a_conflict_in_any_case(ask, name, code):
    create(ask)
    assert create(ask, name, code) == (409, {"code": 409, "detail": "Project alpha (alp) already exists"})


def test_a_taken_label_breaks_without_a_reason(ask):
    create(ask, label="Alpha")
    status, body = create(ask, "beta", "bet", label="ALPHA")
    assert status == 500
    assert "InFailedSQLTransactionError" in body["detail"]
    assert "code" not in body


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "a-b", "code": "ab"}, 500, "InFailedSQLTransactionError"),
        ({"name": "ab", "code": "a-b"}, 500, "ValidationError"),
        ({"name": "ab", "code": "ab", "label": "it's"}, 500, "ValidationError"),
        ({"name": "ab", "code": "ab", "anatomy": {"statuses": []}}, 500, "at least one"),
        ({"name": "ab"}, 400, "Request validation error in [POST] /api/projects"),
        ({"name": "ab", "code": "ab", "color": "red"}, 400, "Request validation error"),
        ({"name": "ab", "code": "ab", "anatomyPreset": "nope"}, 404, "Anatomy preset nope not found"),
        ({"name": "ab", "code": "ab", "anatomy_preset": "nope"}, 404, "Anatomy preset nope not found"),
        ({"name": "ab", "code": "ab", "anatomy": {"attributes": {"fps": "x"}}}, 400, "Request validation error"),
        ({"name": "ab", "code": "ab", "anatomy": {"tags": [{}]}}, 400, "Request validation error"),
    ],
)
def test_what_is_wrong_about_a_project_is_told_in_many_ways(ask, body, status, words):
    answer = ask("POST", "/api/projects", body)
    assert answer[0] == status
    assert words in answer[1]["detail"]
    assert ("errors" in answer[1]) is (status == 400)


def test_an_empty_code_is_taken(ask):
    assert create(ask, code="")[0] == 201


def test_of_duplicates_at_once_all_but_one_break(served):
    async def race() -> list[int]:
        async with httpx.AsyncClient(base_url=served.base_url, headers=KEY) as client:
            body = {"name": "alpha", "code": "alp"}
            answers = await asyncio.gather(*(client.post("/api/projects", json=body) for _ in range(5)))
        return sorted(answer.status_code for answer in answers)

    statuses = asyncio.run(race())
    assert statuses.count(201) == 1
    assert statuses.count(500) >= 1
    assert len(served.tables()["projects"]) == 1


def test_a_rival_wins_the_race(served, ask):
    served.seed({"rivals": [{"name": "alpha", "code": "theirs"}]})
    assert create(ask)[0] == 500
    assert served.tables()["projects"][0]["code"] == "theirs"


def test_malformed_json_is_a_bad_request(served):
    answer = requests.post(f"{served.base_url}/api/projects", data="{", headers=KEY, timeout=10)
    assert answer.status_code == 400


def test_the_list_is_paged_filtered_and_counted(served, ask):
    served.seed({"projects": [{"name": f"p{i}", "code": f"c{i}", "library": i == 1} for i in range(3)]})
    served.seed({"projects": [{"name": "skel", "code": "ske", "skeleton": True}]})

    def names(query: str) -> list[str]:
        return [one["name"] for one in ask("GET", f"/api/projects?{query}")[1]["projects"]]

    assert names("") == ["p0", "p1", "p2"]
    assert names("skeleton=true&order=name&desc=true") == ["skel", "p2", "p1", "p0"]
    assert names("length=2&page=2") == ["p2"]
    assert names("library=true") == ["p1"]
    assert names("name=P1") == ["p1"]
    assert names("name=p_") == ["p0", "p1", "p2"]
    assert ask("GET", "/api/projects?length=2")[1]["count"] == 3
    assert ask("GET", "/api/projects?length=2&page=9")[1] == {"detail": "No projects", "count": 0, "projects": []}
    assert ask("GET", "/api/projects?page=0")[0] == 400


def test_who_has_no_access_is_not_told_whether_a_project_exists(served, ask):
    served.seed({"users": [{"name": "guest", "password": PASSWORD}], "projects": [{"name": "alpha", "code": "a"}]})
    session = bearer(ask, "guest")
    refused = (403, {"code": 403, "detail": "No access group assigned on this project"})
    assert ask("GET", "/api/projects/alpha", headers=session) == refused
    assert ask("GET", "/api/projects/nope", headers=session) == refused
    assert ask("GET", "/api/projects", headers=session)[1]["projects"] == []
    assert ask("GET", "/api/projects/nope")[1]["detail"] == "Project nope not found"


def test_rights_are_asked_for(served, ask):
    served.seed({"projects": [{"name": "alpha", "code": "a"}]})
    session = bearer(ask, "anna")
    for method, path, body in (
        ("POST", "/api/projects", {"name": "b", "code": "b"}),
        ("PATCH", "/api/projects/alpha", {"label": "x"}),
        ("PATCH", "/api/projects/alpha/users/anna", []),
        ("GET", "/api/accessGroups/_", None),
        ("PUT", "/api/anatomy/presets/x", {}),
    ):
        assert ask(method, path, body, headers=session)[0] == 403


def test_a_patch_merges_replaces_and_ignores(ask):
    create(ask, label="Alpha")
    patch = {
        "label": None,
        "library": True,
        "attrib": {"fps": 30, "nope": 1},
        "data": {"a": 1},
        "tags": [{"name": "hero"}],
        "unknown": 1,
    }
    assert ask("PATCH", "/api/projects/alpha", patch) == (204, "")
    ask("PATCH", "/api/projects/alpha", {"data": {"b": 2}})
    project = ask("GET", "/api/projects/alpha")[1]
    assert (project["label"], project["library"], project["data"]) == ("Alpha", True, {"a": 1, "b": 2})
    assert (project["attrib"]["fps"], project["attrib"]["frameStart"]) == (30, 1001)
    assert project["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert "nope" not in project["attrib"]


@pytest.mark.parametrize(
    ("patch", "status"),
    [({"attrib": {"fps": "x"}}, 400), ({"label": "it's"}, 400), ({"code": "a-b"}, 400), ({"code": "BET"}, 500)],
)
def test_a_bad_patch_is_refused(ask, patch, status):
    create(ask)
    create(ask, "beta", "bet")
    assert ask("PATCH", "/api/projects/alpha", patch)[0] == status


def test_an_anatomy_is_replaced_as_a_whole(ask):
    create(ask, anatomy={"attributes": {"fps": 12}})
    assert ask("POST", "/api/projects/alpha/anatomy", {"tags": {}})[0] == 400
    assert ask("POST", "/api/projects/alpha/anatomy", {"tags": [{"name": "hero"}]})[0] == 204
    anatomy = ask("GET", "/api/projects/alpha/anatomy")[1]
    assert (anatomy["attributes"]["fps"], len(anatomy["tags"]), len(anatomy["folder_types"])) == (25, 1, 4)


def test_a_deleted_project_is_gone(ask):
    create(ask)
    assert ask("DELETE", "/api/projects/alpha")[0] == 204
    assert ask("DELETE", "/api/projects/alpha")[0] == 404


def test_a_skeleton_is_completed_by_a_second_creation(ask):
    create(ask, skeleton=True)
    assert ask("GET", "/api/projects/alpha")[1]["skeleton"] is True
    assert create(ask)[0] == 201
    assert "skeleton" not in ask("GET", "/api/projects/alpha")[1]


def test_presets_are_completed_with_defaults(served, ask):
    assert ask("GET", "/api/anatomy/presets")[1] == {"version": "1.0.0", "presets": []}
    assert ask("PUT", "/api/anatomy/presets/film", {"tags": [{"name": "hero"}]})[0] == 204
    assert ask("GET", "/api/anatomy/presets")[1]["presets"] == [{"name": "film", "primary": False, "version": "1.0.0"}]
    assert ask("GET", "/api/anatomy/presets/film")[1]["folder_types"]
    assert ask("GET", "/api/anatomy/presets/nope")[1]["detail"] == "Anatomy preset nope not found."
    assert ask("GET", "/api/anatomy/presets/__primary__") == ask("GET", "/api/anatomy/presets/__builtin__")
    served.seed({"primaryPreset": "film"})
    create(ask)
    assert ask("GET", "/api/projects/alpha")[1]["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert ask("GET", "/api/anatomy/presets/__primary__") == ask("GET", "/api/anatomy/presets/film")


def test_access_is_given_by_default_and_set_by_groups(ask):
    create(ask)
    path = "/api/projects/alpha/users"
    assert ask("GET", path)[1] == {"anna": ["artist"]}
    assert ask("PATCH", f"{path}/anna", ["supervisor", "nope"]) == (200, {"anna": ["supervisor"]})
    assert ask("PATCH", f"{path}/anna", []) == (200, {})
    assert ask("PATCH", f"{path}/ghost", [])[0] == 404
