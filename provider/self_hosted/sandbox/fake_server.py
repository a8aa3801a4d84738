"""The interface between the sandbox and the fake server of a product."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar

from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.faults import Outage
from self_hosted.sandbox.routing import Handler, RouteSpec, precedence, routes_of

Table = list[dict[str, Any]]


class FakeServer:
    """The state and the routes of one product.

    Subclasses set ``name``, which is also the path prefix in the sandbox. State belongs in public attributes, which the
    sandbox saves to its state file (see `state_file.py` for the types). Everything else belongs in private attributes.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Replace the state by the sample data of a fresh server."""
        raise NotImplementedError

    def seed(self, data: dict[str, Any]) -> None:
        """Add data for a test or a demo.

        :param data: plain JSON; each fake server documents its keys
        """
        raise NotImplementedError

    def end_sessions(self) -> None:
        """Invalidate every session token, as a restart of the product does."""
        raise NotImplementedError

    def add_credential(self, credential: str) -> None:
        """Add another API key, token or password for the account of `connection`, which then contains it.

        The former credential remains valid until `revoke_former_credentials`.

        :param credential: the new credential
        """
        raise NotImplementedError

    def revoke_former_credentials(self) -> None:
        """Make all credentials of the account of `connection` invalid, except the last one, and end its sessions."""
        raise NotImplementedError

    def find_outage(self) -> Outage:
        """Return the responses during an outage. Default: the module ``outage`` of the product."""
        return import_module(f"self_hosted.sandbox.{self.name}.outage")

    def resources(self) -> Sequence[object]:
        """Return the objects whose methods are marked by `route`. Default: the fake server itself."""
        return [self]

    def build_route(self, resource: object, spec: RouteSpec, handler: Handler) -> BaseRoute:
        """Return the Starlette route of a handler. Override to add middleware or a path prefix.

        :param resource: owner of the handler
        :param spec: declaration of the route
        :param handler: bound method
        """
        return Route(spec.path, handler, methods=list(spec.methods))

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of all resources, literal paths before placeholders.

        Paths are relative to the base URL of the product. Starlette selects the first route that matches.
        """
        routes = [
            self.build_route(resource, spec, handler)
            for resource in self.resources()
            for spec, handler in routes_of(resource)
        ]
        return sorted(routes, key=lambda route: precedence(getattr(route, "path", "")))

    def tables(self) -> dict[str, Table]:
        """Return the state for the page and for tests: table name to rows, newest first, without secrets."""
        raise NotImplementedError

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return an Airflow connection to this server, as the JSON of ``AIRFLOW_CONN_...``.

        :param base_url: URL of the sandbox, such as http://127.0.0.1:8900
        """
        raise NotImplementedError
