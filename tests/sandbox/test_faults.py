"""Faults on demand: what goes wrong, where, and how often."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from self_hosted.sandbox.faults import Fault
from self_hosted.sandbox.server import Sandbox
from tests.conftest import Served
from tests.core.toy import Toy


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
