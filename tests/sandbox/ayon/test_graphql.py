"""The GraphQL of the stand-in."""

from __future__ import annotations

import pytest

from tests.sandbox.ayon.asking import ZEROS, graphql


def test_graphql_reads_aliases_lists_and_variables(ask, film, make):
    folder = make("folder", name="assets")
    query = """query Statuses($p: String!, $ids: [String!]) {
      a: projects(name: $p) { edges { node { name folders(ids: $ids, first: 5) { edges { node { id status } } } } } }
      b: projects(name: "nope") { edges { node { name } } }
    }"""
    edges = [{"node": {"id": folder, "status": "Not ready"}}]
    found = graphql(ask, query, p="FILM", ids=[folder, ZEROS])
    assert found["data"] == {
        "a": {"edges": [{"node": {"name": "film", "folders": {"edges": edges}}}]},
        "b": {"edges": []},
    }


@pytest.mark.parametrize(
    ("query", "words", "status"),
    [
        ('{ a: project(name: "film") { name } b: project(name: "nope") { name } }', "Project not found", 404),
        ('{ events(ids: ["x"]) { edges { node { id } } } }', "Invalid entity ID x", None),
        ("{ events { edges { node { nope } } } }", "Cannot query field 'nope'.", None),
        ("{ events(", "Syntax Error", None),
        ("events", "Syntax Error", None),
    ],
)
def test_one_error_of_graphql_leaves_no_answer_at_all(ask, film, make, query, words, status):
    make("folder", name="assets")
    answer = graphql(ask, query)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert words in error["message"]
    assert error.get("extensions", {}).get("status") == status


def test_graphql_pages_from_either_end(ask, film):
    ids = [ask("POST", "/api/events", {"topic": "a.job", "summary": {"n": n}})[1]["id"] for n in range(3)]

    def found(arguments: str) -> list[str]:
        query = f'{{ events(topics: ["a.job"], {arguments}) {{ edges {{ node {{ id summary }} }} }} }}'
        return [edge["node"]["id"] for edge in graphql(ask, query)["data"]["events"]["edges"]]

    assert found("first: 2") == ids[:2]
    assert found("last: 2") == [ids[2], ids[1]]
    assert found("first: null") == ids
