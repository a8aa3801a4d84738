"""The fake Rudder server and requests to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from self_hosted.sandbox.rudder import TOKENS, Rudder
from tests.conftest import Served

LATEST = "/api/latest"


@pytest.fixture(scope="session")
def _served(serve: Callable[[Rudder], Served]) -> Served:
    return serve(Rudder())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def call(served: Served):
    """``call("GET", "/rules")`` returns the response; by default of the latest version, as the automation account."""

    def send(
        method: str, path: str, *, prefix: str = LATEST, token: str | None = "automation", headers=None, **body: Any
    ) -> requests.Response:
        credentials = {"X-API-Token": TOKENS.get(token, token)} if token else {}
        return requests.request(
            method, served.base_url + prefix + path, headers={**credentials, **(headers or {})}, timeout=60, **body
        )

    return send
