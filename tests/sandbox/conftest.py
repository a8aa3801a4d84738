"""A sandbox with one toy product, for the tests of what all fake servers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from self_hosted.sandbox.server import Sandbox
from tests.conftest import Served
from tests.core.toy import Toy


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with Sandbox(servers=[Toy()]) as sandbox:
        yield Served(sandbox.servers[0], sandbox.url)


@pytest.fixture
def served(_served: Served) -> Served:
    """The toy, as it is at its start."""
    _served.reset()
    return _served


def send(served: Served, method: str = "GET", path: str = "/echo") -> requests.Response:
    return requests.request(method, served.base_url + path, timeout=60)


def count_processed(served: Served) -> int:
    """Return how many requests reached the toy."""
    assert isinstance(served.product, Toy)
    return len(served.product.requests)
