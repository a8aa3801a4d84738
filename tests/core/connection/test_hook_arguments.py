"""Arguments of hook methods: a value of the wrong type is one clear sentence."""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from inspect import Parameter
from typing import Any, Literal, NamedTuple, TypedDict

import pytest

from self_hosted.core.connection.hook_arguments import build_check, find_kind
from tests.hostile.flows import FLOWS, PublishedFlow


class Point(NamedTuple):
    """A type of a parameter."""

    x: int


class Row(TypedDict):
    """Another one."""

    name: str


T = typing.TypeVar("T")
ACCEPTED = [
    (str, "a", [5, None, b"a"], "a text"),
    (int, 5, ["5", True, 5.0], "a whole number"),
    (float, 5, ["5", True], "a number"),
    (bool, True, ["true", 1], "true or false"),
    (str | None, None, [5], "a text or None"),
    (typing.Optional[int], 5, ["5"], "a whole number or None"),  # noqa: UP045
    (Sequence[str], ("a",), ["a", b"a", 5, {"a": 1}], "a list"),
    (list[str], ["a"], ["a"], "a list"),
    (Collection[str], {"a"}, ["a"], "a list"),
    (Iterable[str], iter("a"), ["a", {"a": 1}], "a list"),
    (Mapping[str, Any], {"a": 1}, [["a"], "{}"], "a dictionary"),
    (Row, {"name": "a"}, [["a"]], "a dictionary"),
    (Callable[[], int], print, ["print"], "a function"),
    (Literal["a", "b"], "a", ["c", 5, ["a"]], "one of a, b"),
    (Point, Point(1), [(1,)], "a Point"),
    (Point | Sequence[str], ["a"], ["a"], "a Point or a list"),
]


@pytest.mark.parametrize(("hint", "valid", "invalid", "description"), ACCEPTED)
def test_a_value_must_have_the_annotated_type(hint, valid, invalid, description):
    kind = find_kind(hint)
    assert kind.description == description
    assert kind.accepts(valid)
    assert [value for value in invalid if kind.accepts(value)] == []


@pytest.mark.parametrize("hint", [Any, object, T, str | Any])
def test_some_annotations_allow_any_value(hint):
    assert find_kind(hint).accepts(object())


def get(rule_id: str, rows: int = 5, *, enabled: bool = True, free=None) -> None:
    """Have parameters of all kinds."""


@pytest.mark.parametrize(
    ("positional", "keywords", "message"),
    [
        ([5], {}, "rule_id must be a text, not int"),
        (["a", "5"], {}, "rows must be a whole number, not str"),
        (["a"], {"enabled": "true"}, "enabled must be true or false, not str"),
    ],
)
def test_the_error_names_the_argument(positional, keywords, message):
    with pytest.raises(ValueError, match=message):
        build_check(get)(positional, keywords)


def test_missing_and_unknown_arguments_are_left_to_python():
    check = build_check(get)
    check([], {"free": object(), "unknown": object()})
    check(["a", 5, "too many"], {})


def takes_any(parameter: Parameter, flow: PublishedFlow) -> bool:
    return find_kind(typing.get_type_hints(flow.function)[parameter.name]).accepts(object())


WRONG = [(flow, found) for flow in FLOWS for found in flow.parameters if not takes_any(found, flow)]


@pytest.mark.parametrize("product", sorted({flow.product for flow in FLOWS}))
def test_a_wrong_value_of_each_argument_of_each_hook_method_is_one_sentence(product):
    for flow, parameter in WRONG:
        if flow.product != product:
            continue
        hook = flow.hook(f"{product}_default")
        arguments = {**flow.arguments(), parameter.name: object()}
        with pytest.raises(ValueError, match=f"^{parameter.name} must be .+, not object$"):
            getattr(hook, flow.method)(**arguments)


def test_nearly_all_arguments_are_checked():
    free = [str(flow) for flow in FLOWS for found in flow.parameters if takes_any(found, flow)]
    assert len(free) * 20 < len(WRONG), free
