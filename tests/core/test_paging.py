"""What comes in pages, with a toy of a product: no server, replies by hand."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from self_hosted.core.flow import Flow, Reply, Request, run
from self_hosted.core.paging import Pages, published_pages

NUMBERS = list(range(7))


def numbers_from(offset: int) -> Flow[tuple[list[int], int | None]]:
    reply = yield Request("GET", "/numbers", {"offset": offset})
    following = offset + 3
    return reply.json(), following if following < len(NUMBERS) else None


def numbers(least: int = 0) -> Pages[int]:
    """All numbers.

    :param least: where they begin
    """
    if least < 0:
        raise ValueError("least must not be negative")
    return Pages(numbers_from, least)


class Hook:
    """As much of a hook as an iterator needs: it answers by itself, and counts."""

    numbers: Any = published_pages(numbers)

    def __init__(self):
        self.asked = []

    def run(self, flow):
        return run(flow, self._perform)

    def _perform(self, request):
        offset = request.query["offset"]
        self.asked.append(offset)
        return Reply(200, {}, str(NUMBERS[offset : offset + 3]).encode(), request)


def test_all_items_come_page_by_page():
    hook = Hook()
    assert list(hook.numbers()) == NUMBERS
    assert hook.asked == [0, 3, 6]


def test_a_page_is_read_when_it_is_needed_and_no_further():
    hook = Hook()
    found = hook.numbers()
    assert hook.asked == []
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    assert hook.asked == [0]
    next(found)
    assert hook.asked == [0, 3]


def test_wrong_arguments_are_refused_when_it_is_called():
    with pytest.raises(ValueError, match="must not be negative"):
        Hook().numbers(-1)


def test_it_keeps_name_docstring_parameters_and_the_type_of_its_items():
    signature = inspect.signature(Hook.numbers)
    assert Hook.numbers.__name__ == "numbers"
    assert "where they begin" in (Hook.numbers.__doc__ or "")
    assert list(signature.parameters) == ["self", "least"]
    assert signature.return_annotation == Iterator[int]
