"""The app of the sandbox: paths of the products, and control routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from self_hosted.sandbox.server import SERVER_CLASSES, Sandbox, create_servers
from tests.conftest import Served
from tests.core.toy import Toy


class OtherToy(Toy):
    """A second product."""

    name = "other"


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with Sandbox(servers=[Toy(), OtherToy()]) as sandbox:
        yield Served(sandbox.servers[0], sandbox.url)


def test_each_product_has_its_own_path_and_state(served: Served):
    served.seed({"jobs": {"a": {}}})
    state = requests.get(f"{served.url}/_control/state", timeout=60).json()
    assert [job["id"] for job in state["toy"]["jobs"]] == ["a"]
    assert state["other"] == {"jobs": []}


def test_a_trailing_slash_is_not_redirected(served: Served):
    reply = requests.get(f"{served.base_url}/whoami/", timeout=60, allow_redirects=False)
    assert reply.status_code == 404


def test_a_path_without_a_product_is_not_found(served: Served):
    assert requests.get(f"{served.url}/nothing", timeout=60).status_code == 404


def test_connections_have_the_url_of_the_request(served: Served):
    connections = requests.get(f"{served.url}/_control/connections", timeout=60).json()
    assert set(connections) == {"toy_default", "other_default"}
    assert connections["toy_default"]["host"] == served.base_url


def test_a_browser_is_redirected_from_a_product_to_the_page(served: Served):
    reply = requests.get(
        f"{served.base_url}/projects/x", timeout=60, allow_redirects=False, headers={"Accept": "text/html,*/*"}
    )
    assert reply.headers["location"] == "/#toy"
    assert "<section id=toy>" in requests.get(f"{served.url}/", timeout=60).text


def test_a_reset_removes_state_and_faults(served: Served):
    served.seed({"jobs": {"a": {}}})
    served.fail("status", times=5)
    served.reset()
    assert served.tables() == {"jobs": []}
    assert requests.get(f"{served.base_url}/page", timeout=60).status_code == 200


def test_sessions_can_be_ended(served: Served):
    assert isinstance(served.product, Toy)
    served.product.sessions.add("session")
    served.end_sessions()
    assert served.product.sessions == set()


def test_a_change_requires_the_method_post(served: Served):
    assert requests.get(f"{served.url}/_control/reset", timeout=60).status_code == 405


def test_each_fake_server_has_a_connection_of_its_type_and_tables():
    servers = create_servers()
    assert len(servers) == len(SERVER_CLASSES) == 4
    for server in servers:
        connection = server.connection("http://127.0.0.1:8900")
        assert connection["conn_type"] == server.name
        assert connection["host"].startswith(f"http://127.0.0.1:8900/{server.name}")
        assert server.tables()
