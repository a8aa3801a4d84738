"""The sandbox as one app: products at paths of their own, and the control route."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from self_hosted.sandbox.rudder.state import PROJECT_SHARE, TOKENS
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


def control(sandbox: Sandbox, what: str, data: Any) -> None:
    requests.post(f"{sandbox.url}/_control/{what}", json=data, timeout=5).raise_for_status()


def state(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.url}/_control/state", timeout=5).json()


def work(sandbox: Sandbox) -> None:
    """Make every product hold something."""
    seed = {
        "assemblyline": {"delay": 60},
        "ayon": {"projects": [{"name": "Kept", "code": "kept"}]},
        "rudder": {"validation": True},
        "atrocore": {"records": {"Product": [{"number": "1", "name": "Kept"}]}},
    }
    control(sandbox, "seed", seed)
    key = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
    submission = {"plaintext": "RIG-SLEEP:1 kept", "name": "kept.txt"}
    requests.post(f"{sandbox.url}/assemblyline/api/v4/submit/", json=submission, headers=key, timeout=5)
    rule = f"{sandbox.url}/rudder/api/latest/rules/{PROJECT_SHARE}"
    requests.post(rule, json={"enabled": True}, headers={"X-API-Token": TOKENS["automation"]}, timeout=5)


def test_a_sandbox_that_keeps_goes_on_where_another_one_stopped(tmp_path: Path):
    with Sandbox(keep=tmp_path / "kept") as first:
        work(first)
        control(first, "faults", [{"kind": "refuse", "product": "ayon", "times": 9}])
        before = state(first)
    assert [len(before[product][table]) for product, table in HELD] == [1, 1, 1, 1]
    with Sandbox(keep=tmp_path / "kept") as second:
        assert state(second) == before
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{second.url}/ayon/api/info", timeout=5)


HELD = [
    ("assemblyline", "submissions"),
    ("ayon", "projects"),
    ("rudder", "change requests"),
    ("atrocore", "products"),
]


def test_what_was_kept_goes_on_moving_and_can_be_changed(tmp_path: Path):
    with Sandbox(keep=tmp_path / "kept") as first:
        work(first)
    with Sandbox(keep=tmp_path / "kept") as second:
        control(second, "seed", {"rudder": {"decisions": {"1": "Deployed"}}})
        rules = {rule["id"]: rule["enabled"] for rule in state(second)["rudder"]["rules"]}
        assert rules[PROJECT_SHARE] is True
        work(second)
        assert len(state(second)["assemblyline"]["submissions"]) == 2


def test_a_sandbox_that_is_not_told_to_keeps_nothing(tmp_path: Path):
    with Sandbox() as first:
        work(first)
    assert list(tmp_path.iterdir()) == []
    with Sandbox() as second:
        assert state(second)["ayon"]["projects"] == []


def test_a_request_that_a_fault_delays_does_not_delay_the_end(tmp_path: Path):
    with Sandbox(products=[Toy()], keep=tmp_path / "kept") as sandbox:
        control(sandbox, "faults", [{"kind": "slow", "seconds": 60}])
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{sandbox.url}/toy/page", timeout=0.2)
    assert not sandbox.thread.is_alive()
