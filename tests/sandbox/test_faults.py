"""Faults: their effects, the requests they match, and their probabilities."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from self_hosted.sandbox.faults import Fault, FaultPlan
from tests.conftest import Served
from tests.core.toy import API_KEY, Toy


@pytest.fixture
def toy(served: Served) -> Toy:
    assert isinstance(served.product, Toy)
    return served.product


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def get_counts(served: Served) -> dict[str, dict[str, int]]:
    return requests.get(f"{served.url}/_control/counts", timeout=60).json()  # type: ignore[no-any-return]


def send(served: Served, method: str = "GET", path: str = "/page", seconds: float = 60) -> requests.Response:
    return requests.request(method, served.base_url + path, timeout=seconds)


# Effects


def test_status_responds_without_processing_the_request(served: Served, toy: Toy):
    served.fail("status", status=429, body="slow down", headers={"Retry-After": "7"})
    reply = send(served)
    assert (reply.status_code, reply.text, reply.headers["Retry-After"]) == (429, "slow down", "7")
    assert toy.count_requests("GET", "/page") == 0


def test_the_default_status_is_503(served: Served):
    served.fail("status")
    assert send(served).status_code == 503


def test_refuse_closes_the_connection_without_processing_the_request(served: Served, toy: Toy):
    served.fail("refuse")
    with pytest.raises(requests.ConnectionError):
        send(served)
    assert toy.count_requests("GET", "/page") == 0


def test_drop_closes_the_connection_after_processing_the_request(served: Served, toy: Toy):
    served.fail("drop")
    with pytest.raises(requests.ConnectionError):
        send(served, "POST", "/echo")
    assert toy.count_requests("POST", "/echo") == 1


def test_slow_delays_the_processing(served: Served, toy: Toy):
    served.fail("slow", seconds=0.3)
    start = time.monotonic()
    assert send(served).status_code == 200
    assert time.monotonic() - start >= 0.3
    assert toy.count_requests("GET", "/page") == 1


def test_slow_processes_the_request_after_the_client_has_disconnected(served: Served, toy: Toy):
    served.fail("slow", seconds=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{served.base_url}/jobs", json={"name": "a"}, headers={"x-key": API_KEY}, timeout=0.2)
    wait_until(lambda: len(toy.jobs) == 1)


def test_slow_after_processes_the_request_before_the_delay(served: Served, toy: Toy):
    served.fail("slow_after", seconds=5)
    with pytest.raises(requests.ReadTimeout):
        send(served, "POST", "/echo", seconds=0.5)
    wait_until(lambda: toy.count_requests("POST", "/echo") == 1)


def test_slow_after_sends_the_whole_response(served: Served):
    served.fail("slow_after", seconds=0.1)
    assert send(served).text == "<html>a page</html>"


# Matching


def test_a_fault_occurs_as_often_as_requested(served: Served):
    served.fail("status", times=2)
    assert [send(served).status_code for _ in range(4)] == [503, 503, 200, 200]


def test_faults_occur_in_their_order(served: Served):
    served.fail("status", status=500)
    served.fail("status", status=501)
    assert [send(served).status_code for _ in range(3)] == [500, 501, 200]


@pytest.mark.parametrize(
    ("fault", "is_match"),
    [
        ({}, True),
        ({"product": "toy"}, True),
        ({"product": "rudder"}, False),
        ({"method": "GET"}, True),
        ({"method": "POST|PUT"}, False),
        ({"path": "/rules/.*"}, True),
        ({"path": "/rules"}, False),
        ({"times": 0}, False),
    ],
)
def test_a_fault_matches_by_product_method_path_and_times(fault, is_match):
    assert Fault("status", **fault).matches("toy", "GET", "/rules/a/b") is is_match


def test_paths_are_relative_to_the_base_url_of_the_product(served: Served):
    served.fail("status", path="/page")
    assert send(served).status_code == 503


# Probabilities


def draw_names(seed: int, *probabilities: float, requests: int = 2000) -> list[str | None]:
    """Return the names of the faults of many requests; the nth fault has the status 500 + n."""
    plan = FaultPlan()
    plan.random.seed(seed)
    for number, probability in enumerate(probabilities):
        plan.faults.append(Fault("status", status=500 + number, probability=probability, times=requests))
    faults = [plan.draw("toy", "GET", "/page") for _ in range(requests)]
    return [fault.name if fault else None for fault in faults]


def test_a_probability_applies_regardless_of_the_faults_before_it():
    names = draw_names(1, 0.3, 0.2)
    assert names.count("status 500") == pytest.approx(600, abs=80)
    assert names.count("status 501") == pytest.approx(400, abs=80)


def test_probabilities_that_add_up_to_1_affect_every_request():
    assert None not in draw_names(1, 0.75, 0.25)


def test_a_fault_for_other_paths_does_not_change_the_probabilities():
    plan = FaultPlan()
    plan.faults.append(Fault("drop", path="/elsewhere", probability=0.999))
    plan.faults.append(Fault("refuse"))
    fault = plan.draw("toy", "GET", "/page")
    assert fault is not None
    assert fault.kind == "refuse"


def test_the_same_seed_selects_the_same_requests():
    assert draw_names(7, 0.05, 0.1) == draw_names(7, 0.05, 0.1) != draw_names(8, 0.05, 0.1)


def test_the_random_generator_is_seeded_by_a_control_route(served: Served):
    def collect_statuses() -> list[int]:
        served.reset()
        requests.post(f"{served.url}/_control/random", json={"seed": 5}, timeout=60).raise_for_status()
        served.fail("status", probability=0.5, times=100)
        return [send(served).status_code for _ in range(20)]

    first = collect_statuses()
    assert {200, 503} == set(first)
    assert collect_statuses() == first


def test_requests_and_faults_are_counted_until_a_reset(served: Served):
    served.fail("status", status=502)
    served.fail("status", times=2)
    served.fail("slow_after")
    for _ in range(5):
        send(served)
    assert get_counts(served) == {
        "requests": {"toy": 5},
        "faults": {"status 502": 1, "status 503": 2, "slow_after": 1},
    }
    served.reset()
    assert get_counts(served) == {"requests": {}, "faults": {}}
