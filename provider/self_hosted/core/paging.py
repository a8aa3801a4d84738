"""What comes in pages: one flow for each page, read one after the other, and never more than one held.

A product says how a page is read from a cursor and where the first one begins; what a cursor is (an id, an offset, the
cursor of a GraphQL connection) is its own affair:

    def all_products(query: str) -> Pages[dict[str, Any]]:
        return Pages(lambda offset: products(query, offset), 0)

and its hook publishes that as an iterator: ``all_products = published_pages(api.all_products)``.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from self_hosted.core.flow import Flow

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Pages(Generic[T]):
    """All items of something, page by page.

    :param page: makes the flow that reads the page at a cursor: its items, and the next cursor or None
    :param first: the cursor of the first page
    """

    page: Callable[[Any], Flow[tuple[list[T], Any]]]
    first: Any

    def items(self, run: Callable[[Flow[tuple[list[T], Any]]], tuple[list[T], Any]]) -> Iterator[T]:
        """The items, each page read when it is needed.

        :param run: runs one flow, as `ProductHook.run` does
        """
        cursor = self.first
        while cursor is not None:
            found, cursor = run(self.page(cursor))
            yield from found


def published_pages(pages: Callable[P, Pages[T]]) -> Callable[Concatenate[ProductHook, P], Iterator[T]]:
    """What comes in pages, as a method of a hook that iterates over the items; see `self_hosted.core.hook.published`.

    What is wrong with its arguments is said when it is called, and not when the first item is taken.

    :param pages: a function that tells the pages, such as ``api.search_all``
    """

    @functools.wraps(pages)
    def method(self: ProductHook, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return pages(*args, **kwargs).items(self.run)

    signature = inspect.signature(pages)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    [item] = typing.get_args(typing.get_type_hints(pages)["return"])
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[this, *signature.parameters.values()],
        return_annotation=Iterator[item],  # type: ignore[valid-type]
    )
    return cast("Callable[Concatenate[ProductHook, P], Iterator[T]]", method)
