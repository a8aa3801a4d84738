"""The sandbox as one app: products at paths of their own, and the control route."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from self_hosted.sandbox.server import STAND_INS, Sandbox, all_products
from tests.conftest import Served
from tests.core.toy import Toy


class OtherToy(Toy):
    """A second product."""

    name = "other"


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with Sandbox(products=[Toy(), OtherToy()]) as sandbox:
        yield Served(sandbox.products[0], sandbox.url)


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


def test_products_have_paths_and_states_of_their_own(served: Served):
    served.seed({"jobs": {"a": {}}})
    state = requests.get(f"{served.url}/_control/state", timeout=5).json()
    assert state == {"toy": {"jobs": [{"id": "a", "looks": 0, "state": "done"}]}, "other": {"jobs": []}}


def test_a_product_decides_itself_what_a_slash_at_the_end_means(served: Served):
    reply = requests.get(f"{served.base_url}/whoami/", timeout=5, allow_redirects=False)
    assert reply.status_code == 404


def test_a_path_of_no_product_is_not_found(served: Served):
    assert requests.get(f"{served.url}/nothing", timeout=5).status_code == 404


def test_connections_lead_to_where_the_sandbox_was_asked(served: Served):
    connections = requests.get(f"{served.url}/_control/connections", timeout=5).json()
    assert set(connections) == {"toy_default", "other_default"}
    assert connections["toy_default"]["host"] == served.base_url


def test_a_browser_that_follows_a_products_link_is_shown_the_page(served: Served):
    reply = requests.get(
        f"{served.base_url}/projects/x", timeout=5, allow_redirects=False, headers={"Accept": "text/html,*/*"}
    )
    assert reply.headers["location"] == "/#toy"
    assert "<section id=toy>" in requests.get(f"{served.url}/", timeout=5).text


def test_a_reset_forgets_state_and_faults(served: Served):
    served.seed({"jobs": {"a": {}}})
    served.fail("status", times=5)
    served.reset()
    assert served.tables() == {"jobs": []}
    assert requests.get(f"{served.base_url}/page", timeout=5).status_code == 200


def test_sessions_can_be_ended(served: Served):
    assert isinstance(served.product, Toy)
    served.product.sessions.add("session")
    served.end_sessions()
    assert served.product.sessions == set()


def test_seed_and_reset_are_not_for_reading(served: Served):
    assert requests.get(f"{served.url}/_control/reset", timeout=5).status_code == 405


def test_every_stand_in_is_there_fresh_with_a_connection_of_its_type():
    products = all_products()
    assert len(products) == len(STAND_INS) == 4
    for product in products:
        connection = product.connection("http://127.0.0.1:8900")
        assert connection["conn_type"] == product.name
        assert connection["host"].startswith(f"http://127.0.0.1:8900/{product.name}")
        assert product.tables()


def test_without_a_choice_all_products_are_served_on_loopback_only():
    with Sandbox() as sandbox:
        state = requests.get(f"{sandbox.url}/_control/state", timeout=5).json()
        assert sandbox.socket.getsockname()[0] == "127.0.0.1"
    assert set(state) == {"assemblyline", "ayon", "rudder", "atrocore"}


def test_a_sandbox_that_was_left_answers_no_more():
    with Sandbox(products=[Toy()]) as sandbox:
        pass
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.url}/_control/state", timeout=5)


def test_a_port_can_be_chosen_and_is_taken_once():
    with Sandbox(products=[Toy()]) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port, products=[Toy()])
