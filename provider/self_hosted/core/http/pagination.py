"""Pagination: one flow per page, read on demand, at most one page in memory.

A product supplies a flow that reads the page at a cursor, and the first cursor. A cursor may be an id, an offset or the
cursor of a GraphQL connection:

    def all_products(query: str) -> Paginator[dict[str, Any]]:
        return Paginator(lambda offset: products(query, offset), 0)

`self_hosted.core.connection.hook.hook_iterator` makes it a method of a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from self_hosted.core.http.flow import Flow

T = TypeVar("T")


@dataclass(frozen=True)
class Paginator(Generic[T]):
    """All items of a paginated list.

    :param read_page: returns the flow that reads the page at a cursor: its items, and the next cursor or None
    :param first_cursor: the cursor of the first page
    """

    read_page: Callable[[Any], Flow[tuple[list[T], Any]]]
    first_cursor: Any

    def iterate(self, run: Callable[[Flow[tuple[list[T], Any]]], tuple[list[T], Any]]) -> Iterator[T]:
        """Yield the items; each page is read when its first item is needed.

        :param run: runs one flow, as `SelfHostedHook.run` does
        """
        cursor = self.first_cursor
        while cursor is not None:
            items, cursor = run(self.read_page(cursor))
            yield from items
