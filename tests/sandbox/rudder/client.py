"""Requests that several tests of the fake Rudder server send, and parts of its responses."""

from __future__ import annotations

from typing import Any

import requests

from tests.conftest import Served
from tests.rudder.conftest import SHARE


def first_item(response: requests.Response, container: str = "rules") -> dict[str, Any]:
    """Return the first item of a container in the envelope."""
    return response.json()["data"][container][0]  # type: ignore[no-any-return]


def error_message(response: requests.Response) -> str:
    assert response.status_code == 500
    return response.json()["errorDetails"]  # type: ignore[no-any-return]


def enable_rule(call, **options: Any) -> requests.Response:
    return call("POST", f"/rules/{SHARE}", json={"enabled": True}, **options)  # type: ignore[no-any-return]


def open_change_request(served: Served, call, **options: Any) -> int:
    """Return the id of a new change request."""
    served.seed({"validation": True})
    return int(first_item(enable_rule(call, **options))["changeRequestId"])


def accept(call, request_id: int, status: str = "deployed", token: str = "validator") -> requests.Response:
    path = f"/changeRequests/{request_id}/accept"
    return call("POST", path, params={"status": status}, token=token)  # type: ignore[no-any-return]


def list_node_ids(call, path: str = "/nodes", **query: str) -> list[str]:
    return [node["id"] for node in call("GET", path, params=query).json()["data"]["nodes"]]
