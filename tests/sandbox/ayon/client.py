"""Requests that several tests of the fake AYON server send."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.ayon import API_KEY, PASSWORD

KEY = {"X-Api-Key": API_KEY}
MISSING_ID = "0" * 32


def log_in(call, name: str) -> dict[str, str]:
    """Return the headers of a new session."""
    _, body = call("POST", "/api/auth/login", {"name": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {body['token']}"}


def create_project(call, name="alpha", code="alp", **fields):
    return call("POST", "/api/projects", {"name": name, "code": code, **fields})


def run_query(call, query: str, headers: Any = None, **variables: Any) -> Any:
    """Return the body of the response to a GraphQL query."""
    status, body = call("POST", "/graphql", {"query": query, "variables": variables}, headers=headers)
    assert status == 200
    return body
