"""Folders, tasks, products and versions of the stand-in."""

from __future__ import annotations

import pytest

from tests.sandbox.ayon.asking import ZEROS


def test_entities_are_made_below_each_other_with_the_first_status_that_is_meant_for_them(ask, film, make):
    folder = make("folder", name="assets")
    task = make("task", name="modeling", folderId=folder)
    product = make("product", name="render", folderId=folder)
    version = make("version", version=1, productId=product)
    make("representation", name="exr", versionId=version)
    make("workfile", path="/a.ma", taskId=task)
    assert ask("GET", f"{film}/tasks/{task}")[1]["status"] == "Not ready"
    assert ask("GET", f"{film}/folders/{task}") == (404, {"code": 404, "detail": f"Entity {task} not found"})


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("folder", {"name": "ASSETS"}, 409, "Folder with lower(name::text) 'assets' already exists."),
        ("folder", {"name": "b", "status": "Nope"}, 409, "status 'Nope' is not present in table \"statuses\"."),
        ("folder", {"name": "b", "parentId": ZEROS}, 409, f"parent_id '{ZEROS}' is not present in table \"folders\"."),
        ("task", {"name": "b"}, 409, "Missing required field: folder_id"),
        ("folder", {"name": "b", "id": "12345678-1234-1234-1234-123456789012"}, 400, "Request validation error"),
    ],
)
def test_an_unfit_entity_is_a_conflict(ask, film, make, kind, body, status, words):
    make("folder", name="assets")
    answer = ask("POST", f"{film}/{kind}s", body)
    assert answer[0] == status
    assert words in answer[1]["detail"]


def test_an_id_is_taken_once_and_one_in_capitals_is_written_before_it_breaks(ask, film):
    body = {"id": "a" * 32, "name": "assets"}
    assert ask("POST", f"{film}/folders", body)[0] == 201
    taken = "Folder with id 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' already exists."
    assert ask("POST", f"{film}/folders", body) == (409, {"code": 409, "detail": taken})
    assert ask("POST", f"{film}/folders", {"id": "A" * 32, "name": "b"})[0] == 500
    assert ask("POST", f"{film}/folders", {"name": "b"})[0] == 409
    assert ask("GET", f"{film}/folders/{'A' * 32}")[0] == 400


def test_a_change_of_status_is_an_event(served, ask, film, make):
    folder = make("folder", name="assets")
    assert ask("PATCH", f"{film}/folders/{folder}", {"status": "Approved"}) == (204, "")
    assert ask("PATCH", f"{film}/folders/{folder}", {"label": "Assets"}) == (204, "")
    assert ask("PATCH", f"{film}/folders/{folder}", {"status": "Nope"})[0] == 409
    assert ask("DELETE", f"{film}/folders/{folder}")[0] == 204
    assert ask("DELETE", f"{film}/folders/{folder}")[0] == 404
    topics = [event["topic"].rpartition(".")[2] for event in served.tables()["events"]]
    assert topics == ["deleted", "status_changed", "created"]
