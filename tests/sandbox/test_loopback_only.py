"""Web pages cannot use the control routes: the Host and Origin headers of a browser reveal them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from starlette.datastructures import Headers

from self_hosted.sandbox.control import Control
from self_hosted.sandbox.faults import FaultPlan
from self_hosted.sandbox.loopback_only import find_reason_to_reject
from self_hosted.sandbox.routing import routes_of
from self_hosted.sandbox.server import Sandbox
from tests.conftest import Served
from tests.core.toy import Toy

PORT = 8900
ROUTES = [(spec.methods[0], spec.path) for spec, _ in routes_of(Control([], FaultPlan()))]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Sandbox(servers=[Toy()]) as sandbox:
        yield Served(sandbox.servers[0], sandbox.url)


@pytest.mark.parametrize("host", ["127.0.0.1:8900", "localhost:8900", "LOCALHOST:8900", "[::1]:8900"])
def test_loopback_names_with_the_port_are_allowed(host):
    assert not find_reason_to_reject(Headers({"host": host}), PORT)
    assert not find_reason_to_reject(Headers({"host": host, "origin": f"http://{host.lower()}"}), PORT)


@pytest.mark.parametrize(
    "host",
    ["", "attacker.example", "attacker.example:8900", "127.0.0.1", "localhost:80", "127.0.0.1.evil.example:8900"],
)
def test_other_hosts_are_rejected(host):
    reason = find_reason_to_reject(Headers({"host": host}), PORT)
    assert reason.startswith("The Host header of control routes must be one of 127.0.0.1:8900, localhost:8900,")
    assert repr(host) in reason


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://attacker.example", "https://127.0.0.1:8900", "http://127.0.0.1:9", "http://localhost:8900"],
)
def test_other_origins_are_rejected(origin):
    reason = find_reason_to_reject(Headers({"host": "127.0.0.1:8900", "origin": origin}), PORT)
    assert reason == f"Control routes are not available to pages of {origin!r}."


@pytest.mark.parametrize("header", [{"Host": "attacker.example:8900"}, {"Origin": "http://attacker.example"}])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_control_route_rejects_web_pages_without_an_effect(served: Served, method: str, path: str, header: Any):
    served.reset()
    served.seed({"jobs": {"a": {}}})
    body: dict[str, Any] = {"toy": {"jobs": {"b": {}}}}
    reply = requests.request(method, served.url + path, json=body, headers=header, timeout=60)
    assert reply.status_code == 403
    assert "control routes" in reply.text.lower()
    assert [job["id"] for job in served.tables()["jobs"]] == ["a"]


def test_products_are_available_under_any_name(served: Served):
    headers = {"Host": "toy.example.com", "Origin": "http://toy.example.com"}
    assert requests.get(f"{served.base_url}/page", headers=headers, timeout=60).status_code == 200
