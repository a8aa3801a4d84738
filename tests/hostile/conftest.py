"""A hostile server, and hooks of all products that are connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.ayon.hook import AyonHook
from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.rudder.hook import RudderHook
from tests.hostile.server import HostileServer, canned

SECRET = "hostile-secret-4711"
HOOKS: dict[str, type[Any]] = {
    "assemblyline": AssemblylineHook,
    "atrocore": AtrocoreHook,
    "ayon": AyonHook,
    "rudder": RudderHook,
}
CREDENTIALS: dict[str, dict[str, Any]] = {
    "assemblyline": {"login": "admin", "extra": {"api_key": f"key:{SECRET}"}},
    "atrocore": {"extra": {"authorization_token": SECRET, "dialect": "2.3"}},
    "ayon": {"extra": {"api_key": SECRET}},
    "rudder": {"password": SECRET},
}
"""Credentials that need no request of their own, so that the first request is the one under test."""
MakeHook = Callable[..., SelfHostedHook]


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    """The server: ``hostile.respond = DRIP_BODY`` sets how it responds."""
    with HostileServer(canned()) as running:
        yield running


@pytest.fixture
def connect_product(hostile: HostileServer, connect: Callable[[str, dict[str, Any]], str]) -> Callable[..., Any]:
    """Connect a product to the server: ``connect_product("rudder", read_timeout=5)`` returns its hook."""

    def create(product: str, *, password: str | None = None, host: str | None = None, **extra: Any) -> Any:
        given = CREDENTIALS[product]
        extra = {"retry_timeout": 0, **given.get("extra", {}), **extra}
        connection = {**given, "conn_type": product, "host": host or hostile.url, "extra": extra}
        if password is not None:
            connection["password"] = password
        return HOOKS[product](connect(f"{product}_hostile", connection))

    return create


@pytest.fixture(params=HOOKS)
def product(request: pytest.FixtureRequest) -> str:
    """Each of the four products."""
    return str(request.param)


@pytest.fixture
def make_hook(product: str, connect_product: Callable[..., Any]) -> MakeHook:
    """Connect each of the four products: ``make_hook(read_timeout=5)``."""
    return lambda **extra: connect_product(product, **extra)


@pytest.fixture
def rudder(connect_product: Callable[..., Any]) -> MakeHook:
    """Connect one product, for tests of what all have in common."""
    return lambda **settings: connect_product("rudder", **settings)
