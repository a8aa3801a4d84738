"""The fake server, connections to it, and small files whose text determines their findings."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from self_hosted.sandbox.assemblyline import Assemblyline
from self_hosted.sandbox.fake_server import FakeServer
from tests.conftest import Served

T = TypeVar("T")
MAX_WAIT_SECONDS = 60.0
EXTENDED_KEYS = ("full:full-secret", "full:rig-secret-full")
"""The extended API keys of the fake server and of the live server of the contract tests."""


@pytest.fixture(scope="session")
def _served(serve: Callable[[FakeServer], Served]) -> Served:
    return serve(Assemblyline())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def conn_id(served: Served, connect: Callable[[str, dict[str, Any]], str]) -> str:
    """The default connection, to the fake server."""
    return connect("assemblyline_default", served.connection())


@pytest.fixture
def hook(conn_id: str) -> AssemblylineHook:
    return AssemblylineHook(conn_id)


@pytest.fixture
def full(server: str, connect: Callable[[str, dict[str, Any]], str]) -> AssemblylineHook:
    """A hook with an extended API key of a contract test's server; the test is skipped if there is none."""
    host = AssemblylineHook(server).settings.address.base_url
    for key in EXTENDED_KEYS:
        connection = {"conn_type": "assemblyline", "host": host, "login": "admin", "extra": {"api_key": key}}
        extended = AssemblylineHook(connect("full", connection))
        if extended.test_connection()[0]:
            return AssemblylineHook("full")
    pytest.skip("this server accepts no extended API key of the tests")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """``write("RIG-SCORE:350")`` creates a file and returns its path."""

    def create(text: str, name: str = "sample.txt") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return create


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """``folder(a="RIG-SCORE:5", b="")`` creates files and returns their folder."""

    def create(**texts: str) -> str:
        for name, text in texts.items():
            (tmp_path / f"{name}.txt").write_text(text)
        return str(tmp_path)

    return create


@pytest.fixture
def unique() -> str:
    """A text that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def submitted(hook: AssemblylineHook) -> Callable[..., str]:
    """``submitted("RIG-SCORE:5")`` submits a file and returns the submission's id."""

    def submit(text: str, **options: Any) -> str:
        return str(hook.submit(upload(text), options)["sid"])

    return submit


@pytest.fixture
def ingested(hook: AssemblylineHook) -> Callable[..., str]:
    """``ingested("RIG-SCORE:5")`` ingests a file and returns the ingest's id."""

    def ingest(text: str, **options: Any) -> str:
        return hook.ingest(upload(text), options)

    return ingest


def upload(text: str, name: str = "a.txt") -> Upload:
    """Return a file with this text."""
    data = text.encode()
    return Upload(name, lambda: io.BytesIO(data), len(data))


def wait_until(read: Callable[[], T]) -> T:
    """Return the value as soon as it is true: the search index of a server lags behind.

    :param read: reads the value
    """
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while not (value := read()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value
