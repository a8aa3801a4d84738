"""The fake AtroCore server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.atrocore.entities import get_key_field
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.feeds import Feeds
from self_hosted.sandbox.atrocore.job_queue import advance_jobs, build_job_table
from self_hosted.sandbox.atrocore.middleware import with_middleware
from self_hosted.sandbox.atrocore.openapi import OpenApi
from self_hosted.sandbox.atrocore.records import Records
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_error_response
from self_hosted.sandbox.atrocore.seeding import seed
from self_hosted.sandbox.atrocore.session import Session
from self_hosted.sandbox.atrocore.state import CORES, State
from self_hosted.sandbox.atrocore.upserts import Upserts
from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec, route

# the first matching route wins, so the generic paths of Records come last
RESOURCES: tuple[type[Resource], ...] = (OpenApi, Session, Upserts, Feeds, Records)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Atrocore(FakeServer):
    """AtroCore with its product module.

    :param dialect: "2.3", "1.x-2.2" or "espo"; seeds may change it later
    """

    name: ClassVar[str] = "atrocore"

    def __init__(self, dialect: str = "2.3") -> None:
        self.dialect = dialect
        super().__init__()

    def reset(self) -> None:
        """Restore an empty server with one user."""
        self.state = State(core=CORES[self.dialect])

    def seed(self, data: dict[str, Any]) -> None:
        """Change the server, or add records and jobs.

        :param data: any of these keys:

            - ``dialect``: "2.3", "1.x-2.2" or "espo"
            - ``core``: a core version such as "1.10.0"
            - ``token``: a valid token of the user
            - ``records``: {entity: [fields]}, stored without checking rules
            - ``unique``: {entity: [name of a unique field]}
            - ``poison``: [key of a product]; an upsert of the product ends with status 500
            - ``faults``: [{``kind``: "response-validation" or "create-then-500", ``times``: 1}]
            - ``latencies``: seconds per ``request``, record ``written`` and record ``listed``
            - ``jobs``: [{``entity``, ``values`` (fields), ``pending`` and ``running`` (seconds), and fields after the
              end}], background jobs
            - ``runs``: {feed id: [{``running``, ...}]}, the schedules of the jobs that a run of the feed creates
            - ``counters``: {import job id: {``createdCount``: 3}}, values that only ``recordCounters`` returns
            - ``cron``: false keeps pending jobs pending
            - ``purge``: true removes finished jobs
            - ``advance_seconds``: how far to advance the server's clock
        """
        seed(self.state, data)

    def end_sessions(self) -> None:
        """Invalidate every token."""
        self.state.tokens.clear()

    def add_credential(self, credential: str) -> None:
        """Change the password of the user; the former one remains valid for now."""
        [(user, password)] = self.state.users.items()
        self.state.former_passwords[user] = password
        self.state.users[user] = credential

    def revoke_former_credentials(self) -> None:
        """Make the former password and all tokens invalid."""
        self.state.former_passwords.clear()
        self.end_sessions()

    def resources(self) -> Sequence[object]:
        """Return the resources, then this server with its route for unknown paths."""
        return [*(resource(self) for resource in RESOURCES), self]

    def build_route(self, resource: object, spec: RouteSpec, handler: Handler) -> BaseRoute:
        """Return the route of a handler, with middleware for the handlers of resources."""
        endpoint = handler if resource is self else with_middleware(self, handler, **spec.options)
        return Route(spec.path, endpoint, methods=list(spec.methods))

    @route(METHODS, "/{path:path}")
    async def reject_unknown(self, request: Request) -> Response:
        """Reject an unknown path."""
        return build_error_response(ApiError(404), header_only=True)

    def tables(self) -> dict[str, Table]:
        """Return products, background jobs, and the number of tokens of each user."""
        columns = (
            get_key_field(self.state.core),
            "name",
            "price",
            "quantity",
            "status",
            "createdAt",
            "modifiedAt",
            "id",
        )
        products = [product for product in self.state.records["Product"].values() if not product["deleted"]]
        advance_jobs(self.state)
        return {
            "products": [{name: product.get(name) for name in columns} for product in reversed(products)],
            "jobs": build_job_table(self.state),
            "tokens": [{"user": user, "tokens": count} for user, count in Counter(self.state.tokens.values()).items()],
        }

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection of the server's only user."""
        user, password = next(iter(self.state.users.items()))
        return {"conn_type": "atrocore", "host": f"{base_url}/{self.name}", "login": user, "password": password}
