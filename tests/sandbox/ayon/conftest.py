"""The stand-in, and ways to ask it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from self_hosted.sandbox.ayon import Ayon
from tests.conftest import Served
from tests.sandbox.ayon.asking import KEY


@pytest.fixture(scope="session")
def _served(serve):
    return serve(Ayon())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def ask(served):
    """``ask("GET", "/api/projects")`` gives status and body."""

    def asked(method: str, path: str, json: Any = None, headers: Any = None) -> tuple[int, Any]:
        answer = requests.request(
            method, served.base_url + path, json=json, headers=KEY if headers is None else headers, timeout=10
        )
        text = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code, answer.json() if text else answer.text

    return asked


@pytest.fixture
def film(served) -> str:
    """A project, and the path of it."""
    served.seed({"projects": [{"name": "film", "code": "flm"}]})
    return "/api/projects/film"


@pytest.fixture
def make(ask, film):
    """Make an entity and get its id: ``make("folder", name="assets")``."""

    def made(kind: str, **fields: Any) -> str:
        status, body = ask("POST", f"{film}/{kind}s", fields)
        assert status == 201, body
        return str(body["id"])

    return made
