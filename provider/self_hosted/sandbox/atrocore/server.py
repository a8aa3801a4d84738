"""The fake AtroCore server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from self_hosted.sandbox.atrocore.attributes import Attributes
from self_hosted.sandbox.atrocore.automation import Automation
from self_hosted.sandbox.atrocore.descriptions import Descriptions
from self_hosted.sandbox.atrocore.encoded_route import EncodedRoute
from self_hosted.sandbox.atrocore.feed_data import FeedData
from self_hosted.sandbox.atrocore.feeds import Feeds
from self_hosted.sandbox.atrocore.files import Files
from self_hosted.sandbox.atrocore.hierarchy import Trees
from self_hosted.sandbox.atrocore.job_queue import advance_jobs, build_job_table
from self_hosted.sandbox.atrocore.jobs import Jobs
from self_hosted.sandbox.atrocore.mass_actions import MassActions
from self_hosted.sandbox.atrocore.middleware import with_middleware
from self_hosted.sandbox.atrocore.openapi import OpenApi
from self_hosted.sandbox.atrocore.products import build_product_table
from self_hosted.sandbox.atrocore.records import Records
from self_hosted.sandbox.atrocore.relations import Relations
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.seeding import seed
from self_hosted.sandbox.atrocore.session import Session
from self_hosted.sandbox.atrocore.state import CORES, State
from self_hosted.sandbox.atrocore.unknown_routes import build_unknown_response
from self_hosted.sandbox.atrocore.upserts import Upserts
from self_hosted.sandbox.atrocore.users import add_initial_records
from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec, route

# the first matching route wins, so the generic paths of Records come last
RESOURCES: tuple[type[Resource], ...] = (
    OpenApi,
    Session,
    Descriptions,
    Upserts,
    MassActions,
    Attributes,
    Files,
    Trees,
    Feeds,
    FeedData,
    Jobs,
    Automation,
    Relations,
    Records,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")


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
        add_initial_records(self.state)

    def seed(self, data: dict[str, Any]) -> None:
        """Change the server, or add records and jobs.

        :param data: any of these keys:

            - ``dialect``: "2.3", "1.x-2.2" or "espo"
            - ``core``: a core version such as "1.10.0"
            - ``languages``: additional content languages such as "de_DE"; before core 2.0, names need them, too
            - ``fields``: {entity: {field: metadata}}, fields that an admin added or changed; {} removes a field
            - ``account``: fields of the connection's user, such as {"isAdmin": false, "rolesIds": ["editor"]}
            - ``token``: a valid token of the user
            - ``records``: {entity: [fields]}, stored without checking rules; users have a ``password``, and roles have
              ``data`` and ``fieldData``, see `access.py`
            - ``unique``: {entity: [name of a unique field]}
            - ``ignores_case``: true compares texts without case, as servers with MariaDB do
            - ``upsert_seconds``: how long an upsert works on each item; the server goes on if the client gives up
            - ``holds_upserts``: true stops upserts before they store their next item, false continues them
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
        user, password = next(iter(self.state.users.items()))
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
        endpoint = handler if resource is self else with_middleware(self, handler, spec.path, **spec.options)
        return EncodedRoute(spec.path, endpoint, methods=list(spec.methods))

    @route(METHODS, "/{path:path}")
    @route(METHODS, "/api/v1/{controller}/action/{action:path}")
    async def reject_unknown(self, request: Request) -> Response:
        """Reject an unknown path, or an unknown action, which is no relation of a record ``action``."""
        return build_unknown_response(self.state, request)

    def tables(self) -> dict[str, Table]:
        """Return products, background jobs, and the number of tokens of each user."""
        advance_jobs(self.state)
        return {
            "products": build_product_table(self.state),
            "jobs": build_job_table(self.state),
            "tokens": [{"user": user, "tokens": count} for user, count in Counter(self.state.tokens.values()).items()],
        }

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection of the server's only user."""
        user, password = next(iter(self.state.users.items()))
        return {"conn_type": "atrocore", "host": f"{base_url}/{self.name}", "login": user, "password": password}
