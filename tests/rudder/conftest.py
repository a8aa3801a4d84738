"""The fake server, connections to it, and the API cases of Rudder's own tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.http import recovery
from self_hosted.core.http.flow import Reply, Request
from self_hosted.rudder.hook import RudderHook
from self_hosted.sandbox.rudder import Rudder
from tests.conftest import Served

SHARE = "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01"
ANTIVIRUS = "7c8d1e5f-6a23-4d90-9e4c-8b3f5a7d1c04"
FILE_SERVER = "3f6a9b2c-8d14-4e57-a0c3-7b5e1d9f4a11"
PENDING_NODE = "c4e8f1a2-7d35-4b69-8e02-5a9d3c7b1f13"
VENDOR_CASES = Path(__file__).parents[2].parent / "shared/reference/data/rudder-vectors.json"


def load_vendor_cases(*areas: str) -> list[dict[str, Any]]:
    """Return the API cases of Rudder's own tests, which are not part of this project; skip the test without them."""
    if not VENDOR_CASES.is_file():
        pytest.skip("Rudder's own API cases are not available")
    return [case for case in json.loads(VENDOR_CASES.read_text()) if case["area"] in areas or not areas]


def vendor_reply(case: dict[str, Any]) -> Reply:
    """Return the reply of one of Rudder's own cases."""
    response, request = case["response"], Request(case["method"], case["path"])
    if isinstance(response, str):
        return Reply(case["status"], {"content-type": "text/plain"}, response.encode(), request)
    return reply(case["status"], response, request)


def reply(status: int, envelope: Any, request: Request | None = None) -> Reply:
    body = json.dumps(envelope).encode()
    return Reply(status, {"content-type": "application/json;charset=utf-8"}, body, request or Request("GET", "/rules"))


def success(request: Request, data: Any) -> Reply:
    return reply(200, {"action": "action", "result": "success", "data": data}, request)


@pytest.fixture(scope="session")
def _served(serve: Callable[[Rudder], Served]) -> Served:
    return serve(Rudder())


@pytest.fixture
def served(_served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(recovery, "RECHECK_DELAYS_SECONDS", (0.05,))  # the fake server completes its work at once
    _served.reset()
    return _served


@pytest.fixture
def hook(served: Served, connect) -> RudderHook:
    return RudderHook(connect("rudder_default", served.connection()))


@pytest.fixture
def hook_as(served: Served, connect) -> Callable[..., RudderHook]:
    """A hook with another connection: ``hook_as(password="...", extra={...})``."""
    return lambda **changes: RudderHook(connect("rudder_other", served.connection(**changes)))
