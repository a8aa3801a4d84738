"""What the tests of this stand-in ask, and how."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.ayon.product import API_KEY, PASSWORD

KEY = {"X-Api-Key": API_KEY}
ZEROS = "0" * 32


def bearer(ask, name: str) -> dict[str, str]:
    _, body = ask("POST", "/api/auth/login", {"name": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {body['token']}"}


def create(ask, name="alpha", code="alp", **more):
    return ask("POST", "/api/projects", {"name": name, "code": code, **more})


def graphql(ask, query: str, headers: Any = None, **variables: Any) -> Any:
    status, body = ask("POST", "/graphql", {"query": query, "variables": variables}, headers=headers)
    assert status == 200
    return body
