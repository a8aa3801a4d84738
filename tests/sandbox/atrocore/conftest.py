"""The fake AtroCore server and clients of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from self_hosted.sandbox.atrocore import Atrocore
from tests.conftest import Served
from tests.sandbox.atrocore.client import Client


@pytest.fixture(scope="session")
def _served(serve: Callable[[Atrocore], Served]) -> Served:
    return serve(Atrocore())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture(params=["2.3", "1.x-2.2", "espo"])
def client(request, served) -> Client:
    served.seed({"dialect": request.param})
    return Client(served, request.param).log_in()


@pytest.fixture
def newest(served) -> Client:
    return Client(served, "2.3").log_in()


@pytest.fixture
def wheels(newest):
    rows = [{"id": f"id-{n}", "number": f"W-{n}", "name": f"Wheel {n}", "price": n or None} for n in range(5)]
    newest.served.seed({"records": {"Product": rows}})
    return newest


@pytest.fixture(params=["2.3", "1.x-2.2"])
def queue(request, served) -> Client:
    """A client of a server with a job queue."""
    served.seed({"dialect": request.param})
    return Client(served, request.param).log_in()
