"""Projects at the fake AYON server: creation, lists, updates, anatomies, access."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import requests

from self_hosted.sandbox.ayon import PASSWORD
from tests.sandbox.ayon.client import KEY, create_project, log_in


def test_a_creation_returns_null(call):
    assert create_project(call, label="Alpha", color="#ff0000") == (201, None)
    status, project = call("GET", "/api/projects/ALPHA")
    assert (status, project["name"], project["data"]) == (200, "alpha", {"color": "#ff0000"})
    assert {"folderTypes", "taskTypes", "linkTypes", "statuses", "tags", "config", "attrib"} < set(project)
    assert "startDate" not in project["attrib"]


def test_a_name_or_code_in_use_is_a_conflict_in_any_case(call):
    create_project(call)
    conflict = (409, {"code": 409, "detail": "Project alpha (alp) already exists"})
    for name, code in (("ALPHA", "other"), ("other", "ALP"), ("alpha", "alp")):
        assert create_project(call, name, code) == conflict, (name, code)


def test_a_label_in_use_is_an_unhandled_error(call):
    create_project(call, label="Alpha")
    status, body = create_project(call, "beta", "bet", label="ALPHA")
    assert status == 500
    assert "InFailedSQLTransactionError" in body["detail"]
    assert "code" not in body


@pytest.mark.parametrize(
    ("body", "status", "message"),
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
def test_an_invalid_project_is_rejected(call, body, status, message):
    response = call("POST", "/api/projects", body)
    assert response[0] == status
    assert message in response[1]["detail"]
    assert ("errors" in response[1]) is (status == 400)


def test_an_empty_code_is_accepted(call):
    assert create_project(call, code="")[0] == 201


def test_only_one_of_several_concurrent_creations_succeeds(served):
    async def create_concurrently() -> list[int]:
        async with httpx.AsyncClient(base_url=served.base_url, headers=KEY) as client:
            body = {"name": "alpha", "code": "alp"}
            responses = await asyncio.gather(*(client.post("/api/projects", json=body) for _ in range(5)))
        return [response.status_code for response in responses]

    statuses = asyncio.run(create_concurrently())
    assert statuses.count(201) == 1
    assert {*statuses} <= {201, 409, 500}  # a later request may see the project already
    assert len(served.tables()["projects"]) == 1


def test_a_creation_fails_if_another_client_creates_the_project_first(served, call):
    served.seed({"concurrent_projects": [{"name": "alpha", "code": "other"}]})
    assert create_project(call)[0] == 500
    assert served.tables()["projects"][0]["code"] == "other"


def test_malformed_json_has_status_400(served):
    response = requests.post(f"{served.base_url}/api/projects", data="{", headers=KEY, timeout=60)
    assert response.status_code == 400


def test_a_list_has_pages_filters_and_a_count(served, call):
    served.seed({"projects": [{"name": f"p{i}", "code": f"c{i}", "library": i == 1} for i in range(3)]})
    served.seed({"projects": [{"name": "skel", "code": "ske", "skeleton": True}]})

    def names(query: str) -> list[str]:
        return [project["name"] for project in call("GET", f"/api/projects?{query}")[1]["projects"]]

    assert names("") == ["p0", "p1", "p2"]
    assert names("skeleton=true&order=name&desc=true") == ["skel", "p2", "p1", "p0"]
    assert names("length=2&page=2") == ["p2"]
    assert names("library=true") == ["p1"]
    assert names("name=P1") == ["p1"]
    assert names("name=p_") == ["p0", "p1", "p2"]
    assert call("GET", "/api/projects?length=2")[1]["count"] == 3
    assert call("GET", "/api/projects?length=2&page=9")[1] == {"detail": "No projects", "count": 0, "projects": []}
    assert call("GET", "/api/projects?page=0")[0] == 400


def test_without_access_missing_and_existing_projects_have_the_same_error(served, call):
    served.seed({"users": [{"name": "guest", "password": PASSWORD}], "projects": [{"name": "alpha", "code": "a"}]})
    session = log_in(call, "guest")
    forbidden = (403, {"code": 403, "detail": "No access group assigned on this project"})
    assert call("GET", "/api/projects/alpha", headers=session) == forbidden
    assert call("GET", "/api/projects/nope", headers=session) == forbidden
    assert call("GET", "/api/projects", headers=session)[1]["projects"] == []
    assert call("GET", "/api/projects/nope")[1]["detail"] == "Project nope not found"


def test_artists_have_no_permission_to_manage(served, call):
    served.seed({"projects": [{"name": "alpha", "code": "a"}]})
    session = log_in(call, "anna")
    for method, path, body in (
        ("POST", "/api/projects", {"name": "b", "code": "b"}),
        ("PATCH", "/api/projects/alpha", {"label": "x"}),
        ("PATCH", "/api/projects/alpha/users/anna", []),
        ("GET", "/api/accessGroups/_", None),
        ("PUT", "/api/anatomy/presets/x", {}),
    ):
        assert call(method, path, body, headers=session)[0] == 403


def test_an_update_merges_attributes_replaces_lists_and_ignores_unknown_fields(call):
    create_project(call, label="Alpha")
    patch = {
        "label": None,
        "library": True,
        "attrib": {"fps": 30, "nope": 1},
        "data": {"a": 1},
        "tags": [{"name": "hero"}],
        "unknown": 1,
    }
    assert call("PATCH", "/api/projects/alpha", patch) == (204, "")
    call("PATCH", "/api/projects/alpha", {"data": {"b": 2}})
    project = call("GET", "/api/projects/alpha")[1]
    assert (project["label"], project["library"], project["data"]) == ("Alpha", True, {"a": 1, "b": 2})
    assert (project["attrib"]["fps"], project["attrib"]["frameStart"]) == (30, 1001)
    assert project["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert "nope" not in project["attrib"]


def test_an_invalid_update_is_rejected(call):
    create_project(call)
    create_project(call, "beta", "bet")
    for patch in ({"attrib": {"fps": "x"}}, {"label": "it's"}, {"code": "a-b"}):
        assert call("PATCH", "/api/projects/alpha", patch)[0] == 400, patch
    assert call("PATCH", "/api/projects/alpha", {"code": "BET"})[0] == 500


def test_a_new_anatomy_replaces_the_previous_one_completely(call):
    create_project(call, anatomy={"attributes": {"fps": 12}})
    assert call("POST", "/api/projects/alpha/anatomy", {"tags": {}})[0] == 400
    assert call("POST", "/api/projects/alpha/anatomy", {"tags": [{"name": "hero"}]})[0] == 204
    anatomy = call("GET", "/api/projects/alpha/anatomy")[1]
    assert (anatomy["attributes"]["fps"], len(anatomy["tags"]), len(anatomy["folder_types"])) == (25, 1, 4)


def test_a_deleted_project_is_missing(call):
    create_project(call)
    assert call("DELETE", "/api/projects/alpha")[0] == 204
    assert call("DELETE", "/api/projects/alpha")[0] == 404


def test_a_second_creation_completes_a_skeleton(call):
    create_project(call, skeleton=True)
    assert call("GET", "/api/projects/alpha")[1]["skeleton"] is True
    assert create_project(call)[0] == 201
    assert "skeleton" not in call("GET", "/api/projects/alpha")[1]


def test_presets_are_completed_with_defaults(served, call):
    assert call("GET", "/api/anatomy/presets")[1] == {"version": "1.0.0", "presets": []}
    assert call("PUT", "/api/anatomy/presets/film", {"tags": [{"name": "hero"}]})[0] == 204
    assert call("GET", "/api/anatomy/presets")[1]["presets"] == [{"name": "film", "primary": False, "version": "1.0.0"}]
    assert call("GET", "/api/anatomy/presets/film")[1]["folder_types"]
    assert call("GET", "/api/anatomy/presets/nope")[1]["detail"] == "Anatomy preset nope not found."
    assert call("GET", "/api/anatomy/presets/__primary__") == call("GET", "/api/anatomy/presets/__builtin__")
    served.seed({"primaryPreset": "film"})
    create_project(call)
    assert call("GET", "/api/projects/alpha")[1]["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert call("GET", "/api/anatomy/presets/__primary__") == call("GET", "/api/anatomy/presets/film")


def test_users_have_default_access_which_can_be_replaced(call):
    create_project(call)
    path = "/api/projects/alpha/users"
    assert call("GET", path)[1] == {"anna": ["artist"]}
    assert call("PATCH", f"{path}/anna", ["supervisor", "nope"]) == (200, {"anna": ["supervisor"]})
    assert call("PATCH", f"{path}/anna", []) == (200, {})
    assert call("PATCH", f"{path}/ghost", [])[0] == 404
