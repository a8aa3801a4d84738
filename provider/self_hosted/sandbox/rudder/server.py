"""The fake Rudder server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec, route, routes_of
from self_hosted.sandbox.rudder.calls import Endpoint
from self_hosted.sandbox.rudder.change_requests import ChangeRequests
from self_hosted.sandbox.rudder.compliance import Compliance
from self_hosted.sandbox.rudder.middleware import authenticate, with_middleware
from self_hosted.sandbox.rudder.nodes import Nodes
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.responses import build_not_found_page, build_unauthorized_page
from self_hosted.sandbox.rudder.rules import Rules
from self_hosted.sandbox.rudder.sample_data import TOKENS, create_sample_state
from self_hosted.sandbox.rudder.seeding import seed
from self_hosted.sandbox.rudder.state import State
from self_hosted.sandbox.rudder.system import System
from self_hosted.sandbox.rudder.tables import build_tables

RESOURCES: tuple[type[Resource], ...] = (System, Rules, Nodes, Compliance, ChangeRequests)
PREFIXES = ("/api", "/api/{version}")
ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


class Rudder(FakeServer):
    """A Rudder 9.1 server at ``/rudder``."""

    name: ClassVar[str] = "rudder"

    def reset(self) -> None:
        """Restore the sample data, without change validation."""
        self.state: State = create_sample_state()

    def seed(self, data: dict[str, Any]) -> None:
        """Add rules and nodes, change settings, decide change requests.

        :param data: any of these keys:

            - ``rules``: [rule]
            - ``nodes``: [{``id``, ``hostname``, ``status``, ``state``, ``first_run`` (seconds from now, negative for
              the past), ``run_interval`` (seconds)}]
            - ``reports``: {id of a rule or node: {``compliant_percent``, ``duration_seconds`` (until all reports
              are in)}}
            - ``removed``: [id of a rule or node]
            - ``disabled_directives``: [id]
            - ``decisions``: {id of a change request: status}
            - ``plugin``, ``validation``, ``self_validation``, ``self_deployment``: booleans, see `State`
            - ``compliance_mode``, ``apply_seconds``: see `State`
            - ``versions``: [int], the API versions
            - ``expires``: the date on which the automation token expires, ISO 8601
            - ``advance_seconds``: how far to advance the server's clock
        """
        seed(self.state, data)

    def end_sessions(self) -> None:
        """Do nothing: tokens of Rudder do not belong to sessions."""

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the resources, with and without a version in the path, then those of this class."""
        api = [
            self._build_api_route(prefix, spec, handler)
            for resource in RESOURCES
            for spec, handler in routes_of(resource(self))
            for prefix in PREFIXES
        ]
        return [*api, *super().routes()]

    def _build_api_route(self, prefix: str, spec: RouteSpec, handler: Handler) -> Route:
        [method] = spec.methods
        endpoint = Endpoint(method, spec.path, **spec.options)
        return Route(prefix + spec.path, with_middleware(self, endpoint, handler), methods=[method])

    @route("GET", "/api/status")
    async def get_status(self, request: Request) -> Response:
        """Return the status for load balancers, which needs neither token nor version."""
        return PlainTextResponse("OK\n")

    @route(ALL_METHODS, "/{path:path}")
    async def reject_unknown(self, request: Request) -> Response:
        """Return a page for an unknown address."""
        return build_not_found_page() if authenticate(self.state, request) else build_unauthorized_page()

    def tables(self) -> dict[str, Table]:
        """Return rules, nodes, change requests and the event log."""
        return build_tables(self.state)

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection of an account that may read and write, but has no role in the workflow."""
        return {"conn_type": "rudder", "host": f"{base_url}/rudder", "password": TOKENS["automation"]}
