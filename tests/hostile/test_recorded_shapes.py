"""Responses of the sandbox with one field changed: waits, and flows without arguments, of all products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from inspect import Parameter
from typing import Any

import pytest

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow
from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.server import create_servers
from tests.conftest import Served
from tests.hostile.flows import FLOWS, find_wait_specs
from tests.hostile.recording import Recording, replay, vary
from tests.meta.source import PRODUCTS, assert_none

MakeFlow = Callable[[], Flow[Any]]


@pytest.fixture(scope="module")
def fake_servers(serve: Callable[[FakeServer], Served]) -> dict[str, Served]:
    return {server.name: serve(server) for server in create_servers()}


def list_flows(product: str, served: Served) -> Iterator[tuple[str, MakeFlow]]:
    """Yield the flows of a product with a name for each."""
    for flow in [flow for flow in FLOWS if flow.product == product]:
        if all(found.default is not Parameter.empty for found in flow.parameters):
            yield str(flow), partial(flow.create, {})
    for name, spec in find_wait_specs(product).items():
        case = import_module(f"tests.{product}.wait_cases").CASES[name]
        for key in (case.finished(served), case.running(served)):
            yield f"the wait {name}", partial(spec.refresh, [key])
            if spec.stall_reasons:
                yield f"the reasons of the wait {name}", partial(spec.stall_reasons, [key])


def find_leaks(name: str, make: MakeFlow, recording: Recording) -> Iterator[str]:
    """Yield the variants of a flow's responses that raise an error that is none of the product."""
    with suppress(SelfHostedError):  # a permission is missing
        recording.run(make())
    for what, outcomes in vary(recording.outcomes):
        try:
            replay(make(), outcomes)
        except SelfHostedError:
            continue
        except Exception as error:
            yield f"{name}: {what}: {error!r:.100}"


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_response_with_one_unexpected_field_is_an_error_of_the_product(
    product: str, fake_servers: dict[str, Served], connect: Any, monkeypatch: pytest.MonkeyPatch
):
    served = fake_servers[product]
    monkeypatch.setattr(served.product, "index_delay", 0, raising=False)
    served.reset()
    [hook_class] = {flow.hook for flow in FLOWS if flow.product == product}
    hook = hook_class(connect(f"{product}_default", served.connection()))
    flows = list(list_flows(product, served))
    assert_none(dict.fromkeys(leak for name, make in flows for leak in find_leaks(name, make, Recording(hook))))
