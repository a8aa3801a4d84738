"""Every wait spec observes no object, all objects, and some that do not exist; on the fake server of its product."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from self_hosted.core.http.flow import Flow, Reply, Request, pipeline
from self_hosted.core.imports import import_string
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.loop import poll_once
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.server import create_servers
from tests.conftest import FlowRunner, Served
from tests.meta.source import PRODUCTS, assert_none
from tests.meta.wait_cases import WaitCase

MAX_SECONDS = 60.0  # finished objects are done in a moment; a busy machine needs longer


def load_specs(product: str) -> dict[str, WaitSpec]:
    found = vars(import_module(f"self_hosted.{product}.waits"))
    return {name: value for name, value in found.items() if isinstance(value, WaitSpec)}


def load_cases(product: str) -> dict[str, WaitCase]:
    return import_module(f"tests.{product}.wait_cases").CASES  # type: ignore[no-any-return]


SPECS = [(product, name, wait_spec) for product in PRODUCTS for name, wait_spec in load_specs(product).items()]
every_spec = pytest.mark.parametrize(("product", "name"), [(product, name) for product, name, _ in SPECS])


class Corruption:
    """Middleware that removes all fields but the id from an object in replies.

    :param object_id: its id
    """

    def __init__(self, object_id: str) -> None:
        self.object_id = object_id

    def send(self, request: Request) -> Flow[Reply]:
        reply = yield request
        return replace(reply, body=json.dumps(self.corrupt(json.loads(reply.body))).encode())

    def corrupt(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.corrupt(item) for item in value]
        if not isinstance(value, dict):
            return value
        ids = {name: field for name, field in value.items() if str(field) == self.object_id}
        return ids or {name: self.corrupt(field) for name, field in value.items()}


class ServedSpec:
    """A wait spec and the fake server of its product.

    :param product: the product
    :param name: the name of the wait spec
    :param served: the fake server
    :param run_flow: runs a flow, as a worker or as a trigger does
    """

    def __init__(self, product: str, name: str, served: Served, run_flow: FlowRunner) -> None:
        self.wait_spec, self.case = load_specs(product)[name], load_cases(product)[name]
        self.served, self.run_flow = served, run_flow
        self.hook = self.wait_spec.create_hook(f"{product}_default")

    def observe(self, keys: Sequence[str]) -> Mapping[str, Observation]:
        return self.run_flow(self.hook, self.wait_spec.refresh(keys))  # type: ignore[no-any-return]

    def poll_once(self, keys: Sequence[str], corruption: Corruption) -> dict[str, PendingWait]:
        """Run one round of the wait loop, with corrupted replies; return the waits."""
        waits = {key: PendingWait(key, time.time() + 3600, 0) for key in keys}
        flow = poll_once(self.wait_spec, set(waits.values()))
        self.run_flow(self.hook, pipeline(flow, [corruption]))
        return waits

    def observe_when_done(self, keys: Sequence[str], awaited: Sequence[str]) -> Mapping[str, Observation]:
        """Return the observations of some keys as soon as the awaited ones are done."""
        deadline = time.monotonic() + MAX_SECONDS
        while True:
            found = self.observe(keys)
            if all(key in found and found[key].done for key in awaited) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


@pytest.fixture(scope="module")
def fake_servers(serve: Callable[[FakeServer], Served]) -> dict[str, Served]:
    return {server.name: serve(server) for server in create_servers()}


@pytest.fixture
def served_spec(
    fake_servers: dict[str, Served],
    connect: Any,
    product: str,
    name: str,
    run_flow: FlowRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> ServedSpec:
    # the search index of a fake server is current unless a test delays it
    monkeypatch.setattr(f"self_hosted.{product}.waits.INDEX_LAG_SECONDS", 0.0, raising=False)
    served = fake_servers[product]
    served.reset()
    connect(f"{product}_default", served.connection())
    return ServedSpec(product, name, served, run_flow)


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_wait_spec_has_a_case(product):
    assert set(load_cases(product)) == set(load_specs(product)) != set()


def test_wait_specs_use_flows_and_the_hook_of_their_product():
    for product, name, wait_spec in SPECS:
        assert import_string(wait_spec.hook_class).form.conn_type == product, name
        flows = [wait_spec.refresh, *(flow for flow in (wait_spec.cancel, wait_spec.stall_reasons) if flow)]
        assert_none(f"{name}: {flow} is no flow" for flow in flows if not inspect.isgeneratorfunction(flow))
        assert wait_spec.label, name
        assert wait_spec.batch_size > 0, name


def test_without_keys_nothing_is_observed_and_nothing_is_sent():
    for _, name, wait_spec in SPECS:
        with pytest.raises(StopIteration) as end:
            next(wait_spec.refresh([]))
        assert end.value.value == {}, name


@every_spec
def test_finished_objects_are_done(served_spec: ServedSpec):
    keys = [served_spec.case.finished(served_spec.served) for _ in range(3)]
    found = served_spec.observe_when_done(keys, keys)
    assert {key: found[key].done for key in keys} == dict.fromkeys(keys, True)
    assert MISSING not in found.values()
    details = [dict(found[key].details) for key in keys]
    assert json.loads(json.dumps(details)) == details


@every_spec
def test_one_object_has_the_same_observation_alone_and_among_others(served_spec: ServedSpec):
    keys = [served_spec.case.finished(served_spec.served) for _ in range(3)]
    together = served_spec.observe_when_done(keys, keys)
    assert {key: served_spec.observe([key])[key] for key in keys} == together


@every_spec
def test_a_malformed_object_does_not_affect_others(served_spec: ServedSpec):
    keys = [served_spec.case.finished(served_spec.served) for _ in range(4)]
    served_spec.observe_when_done(keys, keys)
    waits = served_spec.poll_once(keys, Corruption(WaitKey.from_text(keys[1]).id))
    observations = {key: waits[key].observation for key in keys if key != keys[1]}
    assert {key: found and found.done for key, found in observations.items()} == dict.fromkeys(observations, True)


@every_spec
def test_running_and_missing_objects_do_not_affect_others(served_spec: ServedSpec):
    case, served = served_spec.case, served_spec.served
    finished, running, unknown = case.finished(served), case.running(served), case.unknown
    found = served_spec.observe_when_done([running, *([unknown] if unknown else []), finished], [finished])
    assert found[finished].done
    assert found[finished] != MISSING
    assert not found[running].done
    assert found.get(unknown, MISSING) == MISSING
