"""The fake AYON server and requests to it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from self_hosted.sandbox.ayon import Ayon
from tests.conftest import Served
from tests.sandbox.ayon.client import KEY


@pytest.fixture(scope="session")
def _served(serve):
    return serve(Ayon())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def call(served):
    """``call("GET", "/api/projects")`` returns status and body; by default as the service user."""

    def send(method: str, path: str, json: Any = None, headers: Any = None) -> tuple[int, Any]:
        response = requests.request(
            method, served.base_url + path, json=json, headers=KEY if headers is None else headers, timeout=60
        )
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return response.status_code, response.json() if is_json else response.text

    return send


@pytest.fixture
def film(served) -> str:
    """The path of a project."""
    served.seed({"projects": [{"name": "film", "code": "flm"}]})
    return "/api/projects/film"


@pytest.fixture
def create_entity(call, film):
    """``create_entity("folder", name="assets")`` returns the id of a new entity."""

    def create(kind: str, **fields: Any) -> str:
        status, body = call("POST", f"{film}/{kind}s", fields)
        assert status == 201, body
        return str(body["id"])

    return create
