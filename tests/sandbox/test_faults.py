"""Faults on demand: what goes wrong, where, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import requests

from self_hosted.sandbox.faults import Arranged, Fault
from self_hosted.sandbox.server import Sandbox
from tests.conftest import Served
from tests.core.toy import API_KEY, Toy


@pytest.fixture(scope="module")
def _served() -> Iterator[Served]:
    with Sandbox(products=[Toy()]) as sandbox:
        yield Served(sandbox.products[0], sandbox.url)


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def toy(served: Served) -> Toy:
    assert isinstance(served.product, Toy)
    return served.product


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def counts(served: Served) -> dict[str, dict[str, int]]:
    return requests.get(f"{served.url}/_control/counts", timeout=5).json()  # type: ignore[no-any-return]


def ask(served: Served, method: str = "GET", path: str = "/page", seconds: float = 5) -> requests.Response:
    return requests.request(method, served.base_url + path, timeout=seconds)


def test_a_status_is_answered_and_nothing_is_done(served: Served, toy: Toy):
    served.fail("status", status=429, body="slow down", headers={"Retry-After": "7"})
    reply = ask(served)
    assert (reply.status_code, reply.text, reply.headers["Retry-After"]) == (429, "slow down", "7")
    assert toy.asked == []


def test_the_usual_status_is_that_of_a_busy_server(served: Served):
    served.fail("status")
    assert ask(served).status_code == 503


def test_a_fault_happens_as_often_as_it_was_asked_for(served: Served):
    served.fail("status", times=2)
    assert [ask(served).status_code for _ in range(4)] == [503, 503, 200, 200]


def test_faults_come_one_after_the_other(served: Served):
    served.fail("status", status=500)
    served.fail("status", status=501)
    assert [ask(served).status_code for _ in range(3)] == [500, 501, 200]


def test_refused_means_that_nothing_was_done(served: Served, toy: Toy):
    served.fail("refuse")
    with pytest.raises(requests.ConnectionError):
        ask(served)
    assert toy.asked == []


def test_dropped_means_that_it_was_done_and_the_answer_is_lost(served: Served, toy: Toy):
    served.fail("drop")
    with pytest.raises(requests.ConnectionError):
        ask(served, "POST", "/echo")
    assert toy.times("POST", "/echo") == 1


def test_slow_means_that_it_is_done_later(served: Served, toy: Toy):
    served.fail("slow", seconds=0.5)
    began = time.monotonic()
    assert ask(served).status_code == 200
    assert time.monotonic() - began >= 0.5
    assert toy.times("GET", "/page") == 1


def test_slow_is_done_also_when_the_client_gives_up_meanwhile(served: Served, toy: Toy):
    served.fail("slow", seconds=0.4)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{served.base_url}/jobs", json={"name": "a"}, headers={"x-key": API_KEY}, timeout=0.2)
    assert toy.jobs == {}
    until(lambda: len(toy.jobs) == 1)


def test_slow_after_means_that_it_is_done_at_once_and_answered_later(served: Served, toy: Toy):
    served.fail("slow_after", seconds=1)
    with pytest.raises(requests.ReadTimeout):
        ask(served, "POST", "/echo", seconds=0.3)
    assert toy.times("POST", "/echo") == 1


def test_slow_after_answers_whole(served: Served):
    served.fail("slow_after", seconds=0.1)
    assert ask(served).text == "<html>a page</html>"


@pytest.mark.parametrize(
    ("fault", "hit"),
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
def test_a_fault_is_told_where_it_happens(fault, hit):
    assert Fault("status", **fault).matches("toy", "GET", "/rules/a/b") is hit


def test_paths_are_those_below_the_products_base_url(served: Served):
    served.fail("status", path="/page")
    assert ask(served).status_code == 503


def befallen(seed: int, *shares: float, requests: int = 2000) -> list[str | None]:
    """The names of the faults that befall so many requests."""
    arranged = Arranged()
    arranged.random.seed(seed)
    arranged.faults += [Fault("status", status=500 + n, share=share, times=requests) for n, share in enumerate(shares)]
    due = [arranged.due("toy", "GET", "/page") for _ in range(requests)]
    return [fault.name if fault else None for fault in due]


def test_a_fault_befalls_its_share_of_the_requests_whatever_comes_before_it():
    names = befallen(1, 0.3, 0.2)
    assert names.count("status 500") == pytest.approx(600, abs=80)
    assert names.count("status 501") == pytest.approx(400, abs=80)


def test_shares_that_add_up_to_one_leave_no_request_alone():
    assert None not in befallen(1, 0.75, 0.25)


def test_requests_of_other_places_count_neither_for_a_fault_nor_for_its_share():
    arranged = Arranged()
    arranged.faults.append(Fault("drop", path="/elsewhere", share=0.999))
    arranged.faults.append(Fault("refuse"))
    fault = arranged.due("toy", "GET", "/page")
    assert fault is not None
    assert fault.kind == "refuse"


def test_the_same_seed_brings_the_same_faults_and_another_one_others():
    assert befallen(7, 0.05, 0.1) == befallen(7, 0.05, 0.1) != befallen(8, 0.05, 0.1)


def test_faults_are_seeded_through_the_control_route(served: Served):
    def statuses() -> list[int]:
        served.reset()
        requests.post(f"{served.url}/_control/random", json={"seed": 5}, timeout=5).raise_for_status()
        served.fail("status", share=0.5, times=100)
        return [ask(served).status_code for _ in range(20)]

    first = statuses()
    assert {200, 503} == set(first)
    assert statuses() == first


def test_what_was_asked_and_what_went_wrong_is_counted_until_a_reset(served: Served):
    served.fail("status", status=502)
    served.fail("status", times=2)
    served.fail("slow_after")
    for _ in range(5):
        ask(served)
    assert counts(served) == {
        "requests": {"toy": 5},
        "faults": {"status 502": 1, "status 503": 2, "slow_after": 1},
    }
    served.reset()
    assert counts(served) == {"requests": {}, "faults": {}}
