"""Outages: what a product responds while one of its components is down; and the limits of all faults."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from self_hosted.sandbox.assemblyline import outage as assemblyline_outage
from self_hosted.sandbox.faults import Outage
from self_hosted.sandbox.server import Sandbox, create_servers
from tests.conftest import Served
from tests.core.toy import Toy
from tests.sandbox.conftest import count_processed, send


class FragileToy(Toy):
    """A toy with a database and a cache that can be down."""

    def find_outage(self) -> Outage:
        def reply(component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
            return 507, {"X-Down": component}, f"{method} {path}".encode()

        return cast("Outage", SimpleNamespace(COMPONENTS=("database", "cache"), reply=reply))


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with Sandbox(servers=[FragileToy()]) as sandbox:
        yield Served(sandbox.servers[0], sandbox.url)


def add_fault(served: Served, **fault: Any) -> requests.Response:
    return requests.post(f"{served.url}/_control/faults", json=[fault], timeout=60)


@pytest.mark.parametrize(("options", "component"), [({}, "database"), ({"component": "cache"}, "cache")])
def test_an_outage_responds_as_the_product_does(served: Served, options: dict[str, Any], component: str):
    served.fail("outage", **options)
    reply = send(served, "PUT")
    assert (reply.status_code, reply.headers["X-Down"], reply.text) == (507, component, "PUT /echo")
    assert count_processed(served) == 0
    assert send(served).status_code == 200


@pytest.mark.parametrize("kind", ["outage", "status"])
def test_the_response_of_a_fault_can_be_delayed(served: Served, kind: str):
    served.fail(kind, seconds=3600)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{served.base_url}/echo", timeout=0.5)
    assert count_processed(served) == 0


@pytest.mark.parametrize("kind", ["outage", "status", "malformed"])
@pytest.mark.parametrize("processed", [True, False])
def test_a_request_is_processed_before_the_response_of_a_fault_or_not(served: Served, kind: str, *, processed: bool):
    served.fail(kind, processed=processed)
    send(served, "POST")
    assert count_processed(served) == int(processed)


def test_a_fault_with_a_duration_applies_until_its_end(served: Served):
    served.fail("status", duration_seconds=3600)
    assert [send(served).status_code for _ in range(3)] == [503, 503, 503]
    served.reset()
    served.fail("status", duration_seconds=0)
    assert send(served).status_code == 200


def test_a_duration_can_be_combined_with_a_number_of_times(served: Served):
    served.fail("status", duration_seconds=3600, times=1)
    assert [send(served).status_code for _ in range(2)] == [503, 200]


def test_outages_are_counted_by_component(served: Served):
    served.fail("outage", component="cache")
    send(served)
    served.fail("outage")
    send(served)
    counts = requests.get(f"{served.url}/_control/counts", timeout=60).json()
    assert counts["faults"] == {"outage cache": 1, "outage": 1}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "outage", "component": "disk"}, "component of toy must be one of database, cache, not 'disk'"),
        ({"kind": "malformed", "variant": "xml"}, "variant must be one of truncated, shape, null, html, not 'xml'"),
        ({"kind": "thunder"}, "kind must be one of status, slow, slow_after, "),
        ({"kind": "drop", "colour": "red"}, "colour"),
    ],
)
def test_an_invalid_fault_is_rejected(served: Served, fault: dict[str, Any], message: str):
    reply = add_fault(served, **fault)
    assert reply.status_code == 400
    assert message in reply.json()["error"]
    assert send(served).status_code == 200


def test_components_of_products_that_do_not_match_are_ignored(served: Served):
    assert add_fault(served, kind="outage", product="other", component="disk").status_code == 200


@pytest.mark.parametrize("original", create_servers(), ids=lambda original: original.name)
def test_each_product_has_responses_for_the_outage_of_each_component(original: Any):
    outage = original.find_outage()
    assert outage.COMPONENTS
    for component in outage.COMPONENTS:
        for method, path in (("GET", "/"), ("POST", "/api/anything")):
            status, headers, body = outage.reply(component, method, path)
            assert 100 <= status < 600
            assert all(isinstance(text, str) for pair in headers.items() for text in pair)
            assert isinstance(body, bytes)


@pytest.mark.parametrize(
    ("component", "status", "title"),
    [
        ("elasticsearch", 504, "504 Gateway Time-out"),
        ("redis", 504, "504 Gateway Time-out"),
        ("api", 502, "502 Bad Gateway"),
        ("ingress", 503, "503 Service Temporarily Unavailable"),
    ],
)
def test_assemblyline_responds_with_a_page_of_nginx(component: str, status: int, title: str):
    found, headers, body = assemblyline_outage.reply(component, "POST", "/api/v4/submit/")
    assert (found, headers) == (status, {"Content-Type": "text/html"})
    assert f"<center><h1>{title}</h1></center>" in body.decode()


@pytest.mark.parametrize(
    ("component", "path", "expected"),
    [
        ("elasticsearch", "/healthz/ready", (503, b"FAIL")),
        ("elasticsearch", "/healthz/live", (200, b"OK")),
        ("redis", "/healthz/ready", (200, b"OK")),
    ],
)
def test_health_of_assemblyline_depends_on_elasticsearch_only(component: str, path: str, expected: tuple[int, bytes]):
    status, _, body = assemblyline_outage.reply(component, "GET", path)
    assert (status, body) == expected
