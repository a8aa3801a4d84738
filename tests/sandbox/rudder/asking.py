"""What the tests of this stand-in ask, and how."""

from __future__ import annotations

from typing import Any

import requests

from tests.conftest import Served
from tests.rudder.conftest import SHARE


def shown(reply: requests.Response, container: str = "rules") -> dict[str, Any]:
    return reply.json()["data"][container][0]  # type: ignore[no-any-return]


def words(reply: requests.Response) -> str:
    assert reply.status_code == 500
    return reply.json()["errorDetails"]  # type: ignore[no-any-return]


def update(call, **more: Any) -> requests.Response:
    return call("POST", f"/rules/{SHARE}", json={"enabled": True}, **more)  # type: ignore[no-any-return]


def pending(served: Served, call, **more: Any) -> int:
    """A change request."""
    served.seed({"validation": True})
    return int(shown(update(call, **more))["changeRequestId"])


def accept(call, number: int, status: str = "deployed", token: str = "validator") -> requests.Response:
    return call("POST", f"/changeRequests/{number}/accept", params={"status": status}, token=token)  # type: ignore[no-any-return]


def found(call, path: str = "/nodes", **query: str) -> list[str]:
    return [node["id"] for node in call("GET", path, params=query).json()["data"]["nodes"]]
