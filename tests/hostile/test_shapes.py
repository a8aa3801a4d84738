"""Responses of unexpected shape: each published flow returns, or raises a `SelfHostedError`; never another error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Request
from tests.conftest import FlowRunner
from tests.hostile.conftest import MakeHook
from tests.hostile.flows import FLOWS, PublishedFlow, Steps, find_wait_specs, to_json
from tests.hostile.server import HostileServer, canned
from tests.meta.source import PRODUCTS, assert_none
from tests.meta.test_flows import list_hook_methods

JSON = "application/json"
RUDDER_CONTAINERS = ("rules", "nodes", "accounts", "directives")
VALUES: list[Any] = [None, [], "x", {}, 1]
ENVELOPES: dict[str, list[Callable[[Any], Any]]] = {
    "assemblyline": [lambda value: {"api_response": value, "api_error_message": "", "api_server_version": "4.7.4.25"}],
    "atrocore": [lambda value: {"list": value, "total": 1}, lambda value: {"list": [value], "total": 1}],
    "ayon": [lambda value: {"data": value}, lambda value: [value], lambda value: {"projects": [value]}],
    "rudder": [
        lambda value: {"result": "success", "action": "a", "data": value},
        lambda value: {"result": "success", "action": "a", "data": dict.fromkeys(RUDDER_CONTAINERS, value)},
    ],
}
"""What each product wraps its results in."""

DAMAGED: list[tuple[int, str, bytes]] = [
    (200, JSON, b"[" * 100_000 + b"]" * 100_000),
    (200, JSON, b'{"api_response": ' + b"[" * 400 + b"]" * 400 + b"}"),
    (200, JSON, b'{"data": {"rules": [{"id'),
    (200, JSON, b""),
    (200, JSON, b"\xff\xfe\x00"),
    (200, "text/html", b"<html><body>Sign in</body></html>"),
    (200, JSON, b"<html><body>Sign in</body></html>"),
    (500, JSON, b"[" * 100_000),
    (503, JSON, b"<html>busy</html>"),
]
"""Bodies that are no JSON, or not the product's."""


def responses(product: str) -> list[tuple[int, str, bytes]]:
    """Return all unexpected responses for a product, also as errors."""
    wrapped = [wrap(value) for wrap in ENVELOPES[product] for value in VALUES]
    errors = [(status, *to_json(value)[1:]) for status in (400, 404, 500, 503) for value in VALUES]
    return [*map(to_json, [*VALUES, *wrapped]), *DAMAGED, *errors]


def find_leak(run: Callable[[], Any]) -> str | None:
    """Run a flow; return the error that is no `SelfHostedError`, or None."""
    try:
        run()
    except SelfHostedError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return None


def _steps(hook: Any, response: tuple[int, str, bytes]) -> Steps:
    return Steps(hook.parse_error, lambda _: response)


def _run(steps: Steps, flow: PublishedFlow) -> Any:
    return steps.run(flow.create(flow.arguments()))


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_a_flow_returns_or_raises_an_error_of_the_product(flow: PublishedFlow):
    leaks = []
    for response in responses(flow.product):
        steps = _steps(flow.hook, response)
        leak = find_leak(partial(_run, steps, flow))
        leaks += [f"{response[0]} {response[2][:80]!r}: {leak}"] if leak else []
        assert steps.requests, "the flow sends no request with these arguments"
    assert_none(leaks)


WAIT_KEYS = {
    "assemblyline.IDLE": '["*", "5"]',
    "assemblyline.ALERT": "priority:HIGH",
}
"""Keys of the wait specs for which each key has an observation; the others use the unknown id of their test case."""

WAITS = [(product, name) for product in PRODUCTS for name in find_wait_specs(product)]


def wait_flows(product: str, name: str) -> Iterator[Callable[[], Flow[Any]]]:
    """Yield the flows of a wait spec, for one key."""
    spec = find_wait_specs(product)[name]
    key = WAIT_KEYS.get(f"{product}.{name}") or import_module(f"tests.{product}.wait_cases").CASES[name].unknown
    yield partial(spec.refresh, [key])
    if spec.stall_reasons:
        yield partial(spec.stall_reasons, [key])
    if spec.cancel:
        yield partial(spec.cancel, key)


def _run_wait(hook: Any, response: tuple[int, str, bytes], create: Callable[[], Flow[Any]]) -> Any:
    return _steps(hook, response).run(create())


@pytest.mark.parametrize(("product", "name"), WAITS, ids=[f"{product}.{name}" for product, name in WAITS])
def test_a_wait_observes_or_raises_an_error_of_the_product(product: str, name: str):
    [hook] = {flow.hook for flow in FLOWS if flow.product == product}
    leaks = []
    for response in responses(product):
        for create in wait_flows(product, name):
            leak = find_leak(partial(_run_wait, hook, response, create))
            leaks += [f"{response[0]} {response[2][:80]!r}: {leak}"] if leak else []
    assert_none(leaks)


SELECTED: dict[str, list[str]] = {
    "assemblyline": ["get_submission", "search_alerts", "cancel_submission", "get_terms_of_service"],
    "atrocore": ["list_records", "get_record"],
    "ayon": ["get_project", "list_projects", "query_graphql"],
    "rudder": ["get_rule", "list_nodes", "get_current_account"],
}
"""Flows that are also run over a real connection. None of them waits for an effect."""


def test_both_transports_pass_malformed_responses_on(
    product: str, make_hook: MakeHook, hostile: HostileServer, run_flow: FlowRunner
):
    hook, leaks = make_hook(), []
    flows = [flow for flow in FLOWS if flow.product == product and flow.method in SELECTED[product]]
    for status, content_type, body in responses(product):
        hostile.respond = canned(status, {"Content-Type": content_type, "Content-Length": str(len(body))}, body)
        for flow in flows:
            leak = find_leak(partial(run_flow, hook, flow.create(flow.arguments())))
            leaks += [f"{flow}: {status} {body[:80]!r}: {leak}"] if leak else []
    assert_none(leaks)
    assert hostile.requests


class TestRules:
    """The tests find what they look for, and reach all flows."""

    def test_another_error_is_found(self):
        assert find_leak(lambda: {"b": 1}["a"]) == "KeyError: 'a'"
        assert find_leak(lambda: None) is None

    def test_a_flow_without_an_end_is_found(self):
        def endless() -> Flow[None]:
            while True:
                yield Request("GET", "/")

        with pytest.raises(AssertionError, match="has no end"):
            Steps(lambda _: None, lambda _: to_json(None)).run(endless())

    def test_every_selected_flow_exists(self):
        names = {str(flow) for flow in FLOWS}
        assert_none(
            f"{product}.{name}"
            for product in SELECTED
            for name in SELECTED[product]
            if f"{product}.{name}" not in names
        )

    def test_all_methods_of_all_hooks_are_reached(self):
        assert {flow.product for flow in FLOWS} == set(PRODUCTS)
        assert {str(method) for method in list_hook_methods()} <= {str(flow) for flow in FLOWS}
