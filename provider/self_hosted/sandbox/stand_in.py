"""What a product's stand-in must offer to the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.routing import BaseRoute

Table = list[dict[str, Any]]


class StandIn:
    """One imitated product: its state and its routes.

    Subclasses set ``name`` (also the sub-path it is served at). Their state is in public attributes, which can be
    pickled, so that a restart of the sandbox may keep it; tables of routes and the like are in private ones.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything and start with the sample data a fresh server would hold."""
        raise NotImplementedError

    def seed(self, data: dict[str, Any]) -> None:
        """Add what a test or a demo needs: plain JSON, in the product's own terms."""
        raise NotImplementedError

    def end_sessions(self) -> None:
        """Make every login token invalid, as a restart of the product does."""
        raise NotImplementedError

    def routes(self) -> Sequence[BaseRoute]:
        """The table of routes, paths below the product's base URL."""
        raise NotImplementedError

    def tables(self) -> dict[str, Table]:
        """What the page shows and tests may look at: name of the table to its rows, newest first, no secrets."""
        raise NotImplementedError

    def connection(self, base_url: str) -> dict[str, Any]:
        """An Airflow connection to this stand-in, as the JSON of ``AIRFLOW_CONN_...``.

        :param base_url: where the sandbox is served, such as http://127.0.0.1:8900
        """
        raise NotImplementedError
