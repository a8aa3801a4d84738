"""The fake Rudder server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec, precedence, route, routes_of
from self_hosted.sandbox.rudder.calls import Endpoint
from self_hosted.sandbox.rudder.change_requests import ChangeRequests
from self_hosted.sandbox.rudder.compliance import Compliance
from self_hosted.sandbox.rudder.middleware import authenticate, with_middleware
from self_hosted.sandbox.rudder.nodes import Nodes
from self_hosted.sandbox.rudder.parameters import Parameters
from self_hosted.sandbox.rudder.raw_paths import match_raw_path
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.responses import (
    build_not_found_page,
    build_unauthorized_page,
    build_unsupported_method_response,
)
from self_hosted.sandbox.rudder.rule_categories import RuleCategories
from self_hosted.sandbox.rudder.rules import Rules
from self_hosted.sandbox.rudder.sample_data import create_sample_state
from self_hosted.sandbox.rudder.seeding import seed
from self_hosted.sandbox.rudder.state import State
from self_hosted.sandbox.rudder.system import System
from self_hosted.sandbox.rudder.tables import build_tables

RESOURCES: tuple[type[Resource], ...] = (
    System,
    RuleCategories,
    Rules,
    Parameters,
    Nodes,
    Compliance,
    ChangeRequests,
)
AUTOMATION = "automation"  # the account of the connection
PREFIXES = ("/api", "/api/{version}")
ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
UNSUPPORTED_METHODS = ("PATCH", "OPTIONS")


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
              are in), ``details`` (percentages by kind of report)}}
            - ``removed``: [id of a rule or node]
            - ``parameters``, ``categories``: [parameter or category of rules]
            - ``accounts``: {token: fields of `Account`}
            - ``disabled_directives``, ``empty_groups``: [id or target]
            - ``decisions``: {id of a change request: status}
            - ``plugin``, ``validation``, ``self_validation``, ``self_deployment``, ``reason_mandatory``,
              ``api_authorizations``, ``unique_names``: booleans, see `State`
            - ``compliance_mode``, ``generation_seconds``, ``apply_seconds``: see `State`
            - ``generate``: whether the generation of policies that is in progress ends now
            - ``versions``: [int], the API versions
            - ``expires``: the date on which the automation token expires, ISO 8601
            - ``advance_seconds``: how far to advance the server's clock
        """
        seed(self.state, data)

    def end_sessions(self) -> None:
        """Do nothing: tokens of Rudder do not belong to sessions."""

    def add_credential(self, credential: str) -> None:
        """Add another token of the automation account."""
        self.state.accounts[credential] = self.state.accounts[self._list_tokens()[-1]]

    def revoke_former_credentials(self) -> None:
        """Make the former tokens of the automation account invalid."""
        for token in self._list_tokens()[:-1]:
            del self.state.accounts[token]

    def _list_tokens(self) -> list[str]:
        return [token for token, account in self.state.accounts.items() if account.id == AUTOMATION]

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the resources, with and without a version in the path, then those of this class."""
        specs = [found for resource in RESOURCES for found in routes_of(resource(self))]
        specs.sort(key=lambda found: precedence(found[0].path))
        api = [self._build_api_route(prefix, *found) for prefix in PREFIXES for found in specs]
        self._api_routes = api
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
        """Respond to an address that no route matches: an unknown one, or one that Rudder decodes differently."""
        if not authenticate(self.state, request):
            return build_unauthorized_page()
        if request.method in UNSUPPORTED_METHODS:
            return build_unsupported_method_response(request.method)
        found = match_raw_path(self._api_routes, request)
        if found is None:
            return build_not_found_page()
        endpoint, request.scope["path_params"] = found
        response: Response = await endpoint(request)
        return response

    def tables(self) -> dict[str, Table]:
        """Return rules, nodes, change requests and the event log."""
        return build_tables(self.state)

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection of an account that may read and write, but has no role in the workflow."""
        return {"conn_type": "rudder", "host": f"{base_url}/rudder", "password": self._list_tokens()[-1]}
