"""Folders, tasks, products and versions at the fake AYON server."""

from __future__ import annotations

import pytest

from tests.sandbox.ayon.client import MISSING_ID


def test_a_new_entity_has_the_first_status_for_its_type(call, film, create_entity):
    folder = create_entity("folder", name="assets")
    task = create_entity("task", name="modeling", folderId=folder)
    product = create_entity("product", name="render", folderId=folder)
    version = create_entity("version", version=1, productId=product)
    create_entity("representation", name="exr", versionId=version)
    create_entity("workfile", path="/a.ma", taskId=task)
    assert call("GET", f"{film}/tasks/{task}")[1]["status"] == "Not ready"
    assert call("GET", f"{film}/folders/{task}") == (404, {"code": 404, "detail": f"Entity {task} not found"})


@pytest.mark.parametrize(
    ("kind", "body", "status", "message"),
    [
        ("folder", {"name": "ASSETS"}, 409, "Folder with lower(name::text) 'assets' already exists."),
        ("folder", {"name": "b", "status": "Nope"}, 409, "status 'Nope' is not present in table \"statuses\"."),
        (
            "folder",
            {"name": "b", "parentId": MISSING_ID},
            409,
            f"parent_id '{MISSING_ID}' is not present in table \"folders\".",
        ),
        ("task", {"name": "b"}, 409, "Missing required field: folder_id"),
        ("folder", {"name": "b", "id": "12345678-1234-1234-1234-123456789012"}, 400, "Request validation error"),
    ],
)
def test_an_invalid_entity_is_rejected(call, film, create_entity, kind, body, status, message):
    create_entity("folder", name="assets")
    response = call("POST", f"{film}/{kind}s", body)
    assert response[0] == status
    assert message in response[1]["detail"]


def test_an_id_is_unique_and_one_in_upper_case_is_stored_before_the_error(call, film):
    body = {"id": "a" * 32, "name": "assets"}
    assert call("POST", f"{film}/folders", body)[0] == 201
    conflict = "Folder with id 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' already exists."
    assert call("POST", f"{film}/folders", body) == (409, {"code": 409, "detail": conflict})
    assert call("POST", f"{film}/folders", {"id": "A" * 32, "name": "b"})[0] == 500
    assert call("POST", f"{film}/folders", {"name": "b"})[0] == 409
    assert call("GET", f"{film}/folders/{'A' * 32}")[0] == 400


def test_a_status_change_creates_an_event(served, call, film, create_entity):
    folder = create_entity("folder", name="assets")
    assert call("PATCH", f"{film}/folders/{folder}", {"status": "Approved"}) == (204, "")
    assert call("PATCH", f"{film}/folders/{folder}", {"label": "Assets"}) == (204, "")
    assert call("PATCH", f"{film}/folders/{folder}", {"status": "Nope"})[0] == 409
    assert call("DELETE", f"{film}/folders/{folder}")[0] == 204
    assert call("DELETE", f"{film}/folders/{folder}")[0] == 404
    topics = [event["topic"].rpartition(".")[2] for event in served.tables()["events"]]
    assert topics == ["deleted", "status_changed", "created"]
