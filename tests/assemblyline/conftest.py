"""The stand-in, connections to it, and small files whose words decide what is found in them."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Upload
from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.stand_in import StandIn
from tests.conftest import Served

EXTENDED_KEYS = ("full:full-secret", "full:rig-secret-full")
"""Those of the stand-in, and of the real server that the tests were written with."""


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
def full(server: str, connect: Callable[[str, dict[str, Any]], str]) -> AssemblylineHook:
    """The server of a contract test with an extended API key; skipped where none is known."""
    host = AssemblylineHook(server).settings.address.base_url
    for key in EXTENDED_KEYS:
        connection = {"conn_type": "assemblyline", "host": host, "login": "admin", "extra": {"api_key": key}}
        extended = AssemblylineHook(connect("full", connection))
        if extended.test_connection()[0]:
            return AssemblylineHook("full")
    pytest.skip("no extended API key is known of this server")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """``write("RIG-SCORE:350")`` makes a file and returns its path."""

    def make(words: str, name: str = "sample.txt") -> str:
        path = tmp_path / name
        path.write_text(words)
        return str(path)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """``folder(a="RIG-SCORE:5", b="")`` makes files and returns the folder."""

    def make(**words: str) -> str:
        for name, text in words.items():
            (tmp_path / f"{name}.txt").write_text(text)
        return str(tmp_path)

    return make


@pytest.fixture
def unique() -> str:
    """A word that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def submitted(hook: AssemblylineHook) -> Callable[..., str]:
    """``submitted("RIG-SCORE:5")`` submits a file and returns the submission's id."""

    def submit(words: str, **options: Any) -> str:
        return str(hook.submit(upload(words), options)["sid"])

    return submit


@pytest.fixture
def ingested(hook: AssemblylineHook) -> Callable[..., str]:
    """``ingested("RIG-SCORE:5")`` ingests a file and returns the ingest's id."""

    def ingest(words: str, **options: Any) -> str:
        return hook.ingest(upload(words), options)

    return ingest


def upload(words: str, name: str = "a.txt") -> Upload:
    """A file with these words in it."""
    data = words.encode()
    return Upload(name, lambda: io.BytesIO(data), len(data))
