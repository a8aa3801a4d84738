"""GraphQL at the fake AYON server."""

from __future__ import annotations

import pytest

from tests.sandbox.ayon.client import MISSING_ID, run_query


def test_a_query_may_have_aliases_lists_and_variables(call, film, create_entity):
    folder = create_entity("folder", name="assets")
    query = """query Statuses($p: String!, $ids: [String!]) {
      a: projects(name: $p) { edges { node { name folders(ids: $ids, first: 5) { edges { node { id status } } } } } }
      b: projects(name: "nope") { edges { node { name } } }
    }"""
    edges = [{"node": {"id": folder, "status": "Not ready"}}]
    result = run_query(call, query, p="FILM", ids=[folder, MISSING_ID])
    assert result["data"] == {
        "a": {"edges": [{"node": {"name": "film", "folders": {"edges": edges}}}]},
        "b": {"edges": []},
    }


def test_every_entity_type_can_be_queried_with_its_parent(call, film, create_entity):
    folder = create_entity("folder", name="assets")
    task = create_entity("task", name="modeling", folderId=folder)
    product = create_entity("product", name="render", folderId=folder)
    create_entity("workfile", path="/a.ma", taskId=task)
    create_entity("version", version=1, productId=product)
    query = """{ project(name: "film") {
      folders { edges { node { name parentId } } } tasks { edges { node { name folderId } } }
      versions { edges { node { version productId } } } workfiles { edges { node { path taskId } } }
    } }"""
    assert run_query(call, query)["data"]["project"] == {
        "folders": {"edges": [{"node": {"name": "assets", "parentId": None}}]},
        "tasks": {"edges": [{"node": {"name": "modeling", "folderId": folder}}]},
        "versions": {"edges": [{"node": {"version": 1, "productId": product}}]},
        "workfiles": {"edges": [{"node": {"path": "/a.ma", "taskId": task}}]},
    }


@pytest.mark.parametrize(
    ("query", "message", "status"),
    [
        ('{ a: project(name: "film") { name } b: project(name: "nope") { name } }', "Project not found", 404),
        ('{ events(ids: ["x"]) { edges { node { id } } } }', "Invalid entity ID x", None),
        ("{ events { edges { node { nope } } } }", "Cannot query field 'nope'", None),
        ("{ events(", "Syntax Error", None),
        ("events", "Syntax Error", None),
    ],
)
def test_a_single_error_makes_all_data_null(call, film, create_entity, query, message, status):
    create_entity("folder", name="assets")
    body = run_query(call, query)
    assert body["data"] is None
    [error] = body["errors"]
    assert message in error["message"]
    assert error.get("extensions", {}).get("status") == status


def test_pages_start_at_either_end(call, film):
    ids = [call("POST", "/api/events", {"topic": "a.job", "summary": {"n": n}})[1]["id"] for n in range(3)]

    def page(arguments: str) -> list[str]:
        query = f'{{ events(topics: ["a.job"], {arguments}) {{ edges {{ node {{ id summary }} }} }} }}'
        return [edge["node"]["id"] for edge in run_query(call, query)["data"]["events"]["edges"]]

    assert page("first: 2") == ids[:2]
    assert page("last: 2") == [ids[2], ids[1]]
    assert page("first: null") == ids
