"""Every question answers for none, for all, and for some that are not there; asked of the stand-in of its product."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import pytest

from self_hosted.core.question import GONE, Question, Seen
from self_hosted.sandbox.server import all_products
from self_hosted.sandbox.stand_in import StandIn
from tests.conftest import Ask, Served
from tests.meta.code import PRODUCTS
from tests.meta.question_cases import Case

PATIENCE = 10.0  # seconds for things that are done in a moment


def questions(product: str) -> dict[str, Question]:
    found = vars(import_module(f"self_hosted.{product}.triggers"))
    return {name: value for name, value in found.items() if isinstance(value, Question)}


def cases(product: str) -> dict[str, Case]:
    return import_module(f"tests.{product}.questions").CASES  # type: ignore[no-any-return]


every_question = pytest.mark.parametrize(
    ("product", "name"), [(product, name) for product in PRODUCTS for name in questions(product)]
)


class Asked:
    """One question, and the stand-in it is asked of."""

    def __init__(self, product: str, name: str, served: Served, ask: Ask) -> None:
        self.question, self.case = questions(product)[name], cases(product)[name]
        self.served, self.ask = served, ask
        self.hook = self.question.hook_for(f"{product}_default")

    def answers(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        return self.ask(self.hook, self.question.ask(keys))  # type: ignore[no-any-return]

    def answers_when_done(self, keys: Sequence[str], awaited: Sequence[str]) -> Mapping[str, Seen]:
        """What is answered for the keys once those that are awaited are done."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.answers(keys)
            if all(key in found and found[key].done for key in awaited) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


@pytest.fixture(scope="module")
def stand_ins(serve: Callable[[StandIn], Served]) -> dict[str, Served]:
    return {product.name: serve(product) for product in all_products()}


@pytest.fixture
def asked(
    stand_ins: dict[str, Served], connect: Any, product: str, name: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> Asked:
    # the stand-in's index does not lag, unless it is told to
    monkeypatch.setattr(f"self_hosted.{product}.triggers.INDEX_LAG", 0.0, raising=False)
    served = stand_ins[product]
    served.reset()
    connect(f"{product}_default", served.connection())
    return Asked(product, name, served, ask)


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_question_has_a_case(product):
    assert set(cases(product)) == set(questions(product)) != set()


@every_question
def test_asked_for_nothing_it_answers_nothing_and_sends_nothing(product, name):
    with pytest.raises(StopIteration) as end:
        next(questions(product)[name].ask([]))
    assert end.value.value == {}


@every_question
def test_those_that_are_finished_are_done(asked: Asked):
    keys = [asked.case.finished(asked.served) for _ in range(3)]
    found = asked.answers_when_done(keys, keys)
    assert {key: found[key].done for key in keys} == dict.fromkeys(keys, True)
    assert GONE not in found.values()
    facts = [dict(found[key].facts) for key in keys]
    assert json.loads(json.dumps(facts)) == facts


@every_question
def test_one_is_answered_as_it_is_among_many(asked: Asked):
    keys = [asked.case.finished(asked.served) for _ in range(3)]
    many = asked.answers_when_done(keys, keys)
    assert {key: asked.answers([key])[key] for key in keys} == many


@every_question
def test_those_that_run_and_those_that_are_not_there_disturb_no_other(asked: Asked):
    finished, running, unknown = asked.case.finished(asked.served), asked.case.running(asked.served), asked.case.unknown
    found = asked.answers_when_done([running, *([unknown] if unknown else []), finished], [finished])
    assert found[finished].done
    assert found[finished] != GONE
    assert not found[running].done
    assert found.get(unknown, GONE) == GONE
