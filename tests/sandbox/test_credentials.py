"""The rotation of credentials: the former one is refused with the product's own response."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.http.errors import AuthenticationError
from self_hosted.core.imports import import_string
from self_hosted.sandbox.server import SERVER_CLASSES, Sandbox

PRODUCTS = [path.split(".")[2] for path in SERVER_CLASSES]
REFUSALS = {
    "assemblyline": "Invalid user or APIKey",
    "ayon": "Invalid API key",
    "rudder": "401",
    "atrocore": "401",
}
Connect = Callable[[str, dict[str, Any]], str]


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    post(_sandbox, "reset", {})
    return _sandbox


def post(sandbox: Sandbox, route: str, data: Any) -> Any:
    reply = requests.post(f"{sandbox.url}/_control/{route}", json=data, timeout=60)
    reply.raise_for_status()
    return reply.json()


def get_connection(sandbox: Sandbox, product: str) -> dict[str, Any]:
    connections = requests.get(f"{sandbox.url}/_control/connections", timeout=60).json()
    return connections[f"{product}_default"]  # type: ignore[no-any-return]


def build_hook(product: str) -> SelfHostedHook:
    hook: SelfHostedHook = import_string(f"self_hosted.{product}.hook.{product.capitalize()}Hook")()
    return hook


def check(connect: Connect, product: str, connection: dict[str, Any]) -> tuple[bool, str]:
    """Return the result of the Test button for a connection."""
    connect(f"{product}_default", connection)
    return build_hook(product).test_connection()


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_former_credential_is_refused_after_a_rotation(sandbox: Sandbox, connect: Connect, product: str):
    former = get_connection(sandbox, product)
    assert check(connect, product, former)[0]
    connection = post(sandbox, "rotate-credential", {"product": product})
    assert connection == get_connection(sandbox, product) != former
    accepted, message = check(connect, product, former)
    assert not accepted
    assert REFUSALS[product] in message
    assert check(connect, product, connection)[0]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_running_session_ends_with_a_rotation(sandbox: Sandbox, connect: Connect, product: str):
    connect(f"{product}_default", get_connection(sandbox, product))
    hook = build_hook(product)
    hook.run(hook.verify_credentials())
    post(sandbox, "rotate-credential", {"product": product})
    with pytest.raises(AuthenticationError, match=REFUSALS[product]):
        hook.run(hook.verify_credentials())


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_former_credential_can_remain_valid_until_it_is_revoked(sandbox: Sandbox, connect: Connect, product: str):
    former = get_connection(sandbox, product)
    connection = post(sandbox, "rotate-credential", {"product": product, "keep_former": True})
    assert check(connect, product, former)[0]
    assert check(connect, product, connection)[0]
    post(sandbox, "revoke-former-credentials", {"product": product})
    assert not check(connect, product, former)[0]
    assert check(connect, product, connection)[0]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_reset_restores_the_first_credential(sandbox: Sandbox, product: str):
    former = get_connection(sandbox, product)
    post(sandbox, "rotate-credential", {"product": product})
    post(sandbox, "reset", {})
    assert get_connection(sandbox, product) == former
