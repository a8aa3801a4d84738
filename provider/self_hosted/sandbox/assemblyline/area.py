"""One part of the stand-in, such as alerts or bundles: its routes, what it keeps, and what a search finds of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.stand_in import Table

if TYPE_CHECKING:
    from self_hosted.sandbox.assemblyline.product import Assemblyline

Handler = Callable[[Request, Session], Awaitable[Any]]


class Row(NamedTuple):
    """One row of the table of routes.

    :param methods: with spaces between them
    :param path: without ``/api/v4``
    :param handler: answers what goes into the envelope, or a whole response, as downloads are; may raise a `Refusal`
    :param role: what the user must have, if anything
    :param counted: whether it counts toward the daily quota
    """

    methods: str
    path: str
    handler: Handler
    role: str | None = None
    counted: bool = False


class Area:
    """A part of the product. It has no state of its own: what it keeps lies with the product, by its name.

    :param product: the whole stand-in
    """

    name: ClassVar[str]

    def __init__(self, product: Assemblyline) -> None:
        self.product = product

    @classmethod
    def fresh(cls) -> Any:
        """What it keeps at the beginning; can be pickled."""
        return {}

    @property
    def kept(self) -> Any:
        """What it keeps."""
        return self.product.kept[self.name]

    def seed(self, data: Any) -> None:
        """Add what a test needs.

        :param data: what the seed has under the area's name
        """

    def rows(self) -> Sequence[Row]:
        """Its routes."""
        raise NotImplementedError

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """What a search finds: by the name of the index."""
        return {}

    def table(self) -> Table:
        """What the sandbox's page shows, newest first."""
        return []
