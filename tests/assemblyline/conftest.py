"""The stand-in, connections to it, and small files whose words decide what is found in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Reply, Request
from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.stand_in import StandIn
from tests.conftest import Served


@pytest.fixture(scope="session")
def _served(serve: Callable[[StandIn], Served]) -> Served:
    return serve(Assemblyline())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def conn_id(served: Served, connect: Callable[[str, dict[str, Any]], str]) -> str:
    """The default connection, to the stand-in."""
    return connect("assemblyline_default", served.connection())


@pytest.fixture
def hook(conn_id: str) -> AssemblylineHook:
    return AssemblylineHook(conn_id)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """``write("RIG-SCORE:350")`` makes a file and returns its path."""

    def make(words: str, name: str = "sample.txt") -> str:
        path = tmp_path / name
        path.write_text(words)
        return str(path)

    return make


def reply(response: Any = "", status: int = 200, words: str | None = "", request: Request | None = None) -> Reply:
    """An answer in Assemblyline's envelope."""
    envelope = {"api_response": response, "api_error_message": words, "api_server_version": "4.7.4.25"}
    body = json.dumps(envelope).encode()
    return Reply(status, {"content-type": "application/json"}, body, request or Request("GET", "/"))


def html(status: int, **headers: str) -> Reply:
    """An answer that something else than Assemblyline's API gave."""
    return Reply(status, {"content-type": "text/html", **headers}, b"<html>", Request("GET", "/"))
