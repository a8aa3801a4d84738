"""Pagination, with replies by hand."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from self_hosted.core.connection.hook import hook_iterator
from self_hosted.core.http.flow import Flow, Reply, Request, run
from self_hosted.core.http.pagination import Paginator

NUMBERS = list(range(7))


def read_numbers(offset: int) -> Flow[tuple[list[int], int | None]]:
    reply = yield Request("GET", "/numbers", {"offset": offset})
    next_offset = offset + 3
    return reply.json(), next_offset if next_offset < len(NUMBERS) else None


def list_numbers(start: int = 0) -> Paginator[int]:
    """Return all numbers.

    :param start: the first number
    """
    if start < 0:
        raise ValueError("start must not be negative")
    return Paginator(read_numbers, start)


class Hook:
    """A hook that replies by itself and records the offsets."""

    list_numbers: Any = hook_iterator(list_numbers)

    def __init__(self):
        self.offsets = []

    def run(self, flow):
        return run(flow, self._perform)

    def _perform(self, request):
        offset = request.query["offset"]
        self.offsets.append(offset)
        return Reply(200, {}, str(NUMBERS[offset : offset + 3]).encode(), request)


def test_items_of_all_pages_are_returned():
    hook = Hook()
    assert list(hook.list_numbers()) == NUMBERS
    assert hook.offsets == [0, 3, 6]


def test_a_page_is_read_when_its_first_item_is_needed():
    hook = Hook()
    items = hook.list_numbers()
    assert hook.offsets == []
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    assert hook.offsets == [0]
    next(items)
    assert hook.offsets == [0, 3]


def test_invalid_arguments_are_rejected_by_the_call():
    with pytest.raises(ValueError, match="must not be negative"):
        Hook().list_numbers(-1)


def test_a_hook_iterator_keeps_name_docstring_and_parameters():
    signature = inspect.signature(Hook.list_numbers)
    assert Hook.list_numbers.__name__ == "list_numbers"
    assert "the first number" in (Hook.list_numbers.__doc__ or "")
    assert list(signature.parameters) == ["self", "start"]
    assert signature.return_annotation == Iterator[int]
