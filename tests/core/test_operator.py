"""Check, then do; which errors end a task for good; the key of a round; the link."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, XCom

from self_hosted.core.errors import Broken, Busy, Forbidden, Invalid, Overdue
from self_hosted.core.operator import (
    LINK_KEY,
    ProductLink,
    ProductOperator,
    final_errors_fail_at_once,
    round_key,
)
from tests.core.toy import BuildOperator, Toy, ToyHook

# checking and doing


def test_an_operator_returns_what_it_started(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="house")
    assert operator.execute(context_of(operator)) == {"id": "job/1"}


def test_arguments_are_checked_before_anything_is_sent(hook: ToyHook, toy: Toy, context_of):
    operator = BuildOperator(task_id="build", job="")
    with pytest.raises(AirflowFailException, match="job must be the name of a job, not ''"):
        operator.execute(context_of(operator))
    assert toy.asked == []


def test_arguments_are_checked_after_templating(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="{{ name }}")
    context: Any = {"name": ""}
    operator.render_template_fields(context)
    with pytest.raises(AirflowFailException):
        operator.execute(context_of(operator))


@pytest.mark.parametrize("error", [Forbidden("no"), Invalid("no"), ValueError("no")])
def test_what_no_retry_mends_fails_the_task_at_once(error):
    with pytest.raises(AirflowFailException, match="no") as failure, final_errors_fail_at_once():
        raise error
    assert failure.value.__cause__ is error


@pytest.mark.parametrize("error", [Busy("later"), Broken("perhaps later"), Overdue("in vain"), KeyError("a bug")])
def test_everything_else_is_left_to_the_retries_of_the_task(error):
    with pytest.raises(type(error)), final_errors_fail_at_once():
        raise error


def test_a_refusal_of_the_product_fails_the_task_at_once(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="forbidden")
    with pytest.raises(AirflowFailException, match=r"POST /jobs: not this one \(HTTP 403\)"):
        operator.execute(context_of(operator))


def test_the_connection_is_the_one_named_by_the_products_own_argument():
    operator = BuildOperator(task_id="build", job="house", toy_conn_id="toy_of_mine")
    assert operator.conn_id == "toy_of_mine"
    assert operator.hook.conn_id == "toy_of_mine"


def test_one_hook_serves_a_whole_task():
    operator = BuildOperator(task_id="build", job="house")
    assert operator.hook is operator.hook


def test_a_product_must_fill_the_holes():
    with pytest.raises(NotImplementedError):
        ProductOperator(task_id="a").start({})


# the key of a round


def test_the_key_stays_the_same_when_a_task_is_tried_again(context_of):
    context = context_of(BuildOperator(task_id="build", job="house", retries=3))
    first = round_key(context)
    context["ti"].try_number = 3
    assert round_key(context) == first
    assert len(first) == 32
    assert int(first, 16) >= 0


def test_the_key_is_another_one_after_a_person_cleared_the_task(context_of):
    context = context_of(BuildOperator(task_id="build", job="house", retries=3))
    first = round_key(context)
    context["ti"].try_number, context["ti"].max_tries = 2, 4  # Airflow allows as many tries again
    assert round_key(context) != first


def test_the_key_is_another_one_for_every_task_run_and_mapped_piece(context_of):
    build, paint = BuildOperator(task_id="build", job="house"), BuildOperator(task_id="paint", job="house")
    contexts = [
        context_of(build),
        context_of(build, run_id="run2"),
        context_of(build, map_index=0),
        context_of(build, map_index=1),
        context_of(paint),
    ]
    assert len({round_key(context) for context in contexts}) == 5


# the link


def test_the_link_is_stored_as_soon_as_there_is_something_to_see(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="house")
    context = context_of(operator)
    operator.execute(context)
    assert context["ti"].pushed == {LINK_KEY: "https://toy.example.com/job/1"}


@pytest.mark.parametrize(
    ("stored", "link"), [("https://toy.example.com/job/1", "https://toy.example.com/job/1"), (None, "")]
)
def test_the_button_leads_to_the_stored_link_or_nowhere_yet(monkeypatch, stored, link):
    asked: list[Any] = []

    def get_value(*, ti_key: Any, key: str) -> Any:
        asked.append((ti_key, key))
        return stored

    monkeypatch.setattr(XCom, "get_value", get_value)  # Airflow's, which wants a metadata database
    operator = BuildOperator(task_id="build", job="house")
    [button] = operator.operator_extra_links
    assert isinstance(button, ProductLink)
    assert button.get_link(operator, ti_key="the task") == link
    assert asked == [("the task", LINK_KEY)]
