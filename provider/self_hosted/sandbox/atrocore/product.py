"""The server: its table of routes, and what every request goes through."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.atrocore import feeds, jobs, openapi, records, session
from self_hosted.sandbox.atrocore.answers import (
    Call,
    Refused,
    fails_after_the_work,
    refusal,
    seconds_it_takes,
)
from self_hosted.sandbox.atrocore.entities import QUEUE_SINCE, key_field
from self_hosted.sandbox.atrocore.saving import insert
from self_hosted.sandbox.atrocore.state import CORES, State
from self_hosted.sandbox.stand_in import StandIn, Table

Handler = Callable[[State, Call], Response]
Version = tuple[int, ...]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

FIRST: Version = (0,)
LAST: Version = (9,)
COLLECTION: dict[str, Handler] = {"GET": records.listed, "POST": records.create}
RECORD: dict[str, Handler] = {"GET": records.read, "PATCH": records.update, "DELETE": records.delete}
# path, first core that has it, first core that no longer has it, handlers
ROUTES: tuple[tuple[str, Version, Version, Mapping[str, Handler]], ...] = (
    ("/openapi.json", (1, 3, 12), LAST, {"GET": openapi.document}),
    ("/api/v1/App/user", FIRST, (2, 3), {"GET": session.user}),
    ("/api/v1/MassActions/action/upsert", (1, 4, 114), (2, 3), {"POST": records.upsert}),
    ("/api/v1/ImportFeed/action/runImport", QUEUE_SINCE, (2, 3), {"POST": feeds.run_import}),
    ("/api/v1/ImportJob/{id}/recordCounters", QUEUE_SINCE, (2, 3), {"GET": feeds.record_counters}),
    ("/api/v1/ExportFeed/action/exportFile", QUEUE_SINCE, (2, 3), {"POST": feeds.export_file}),
    ("/api/v1/{entity}", FIRST, (2, 3), COLLECTION),
    ("/api/v1/{entity}/{id}", FIRST, (2, 3), {**RECORD, "PUT": records.update}),
    ("/api/userSession", (2, 3), LAST, {"GET": session.user}),
    ("/api/upsert", (2, 3), LAST, {"POST": records.upsert}),
    ("/api/ImportFeed/{id}/runImport", (2, 3), LAST, {"POST": feeds.run_import}),
    ("/api/ImportJob/{id}/recordCounters", (2, 3), LAST, {"GET": feeds.record_counters}),
    ("/api/ExportFeed/{id}/exportFile", (2, 3), LAST, {"POST": feeds.export_file}),
    ("/api/ExportJob/{id}/cancel", (2, 3), LAST, {"POST": feeds.cancel_export}),
    ("/api/checkBackgroundProcessing", (2, 3, 14), LAST, {"GET": feeds.check_background_processing}),
    ("/api/{entity}", (2, 3), LAST, COLLECTION),
    ("/api/{entity}/{id}", (2, 3), LAST, RECORD),
    ("/{anything:path}", FIRST, LAST, {}),
)
OPEN = {openapi.document, session.user}  # the second sees to the credentials itself


class Atrocore(StandIn):
    """AtroCore with its product module.

    :param dialect: "2.3", "1.x-2.2" or "espo"; seeds may change it later
    """

    name = "atrocore"

    def __init__(self, dialect: str = "2.3") -> None:
        self.dialect = dialect
        super().__init__()

    def reset(self) -> None:
        """Start with no products and one user."""
        self.state = State(core=CORES[self.dialect])

    def seed(self, data: dict[str, Any]) -> None:
        """Change the server or add records.

        {"dialect": "espo"} or {"core": "1.10.0"}, {"unique": {"Product": ["number"]}}, {"token": "a ready one"},
        {"poison": ["W-7"]} makes the request that holds this key fail with 500 when it comes to it,
        {"costs": {"request": 0.3, "written": 0.02, "listed": 0.002}} are seconds it takes for each of these, and
        {"faults": [{"kind": "response-validation" or "create-then-500", "times": 1}]}, and
        {"records": {"Product": [{...}, ...]}}, which are stored without any rule.

        {"jobs": [{"entity": "ImportJob", "values": {"id": "i1"}, "pending": 0, "running": 5, "state": "Failed"}]} are
        background jobs: their fields, how many seconds they take, and the fields they have in the end,
        {"runs": {feed: [{"running": 5, "errorsCount": 2}, ...]}} says the same of the jobs that a run of a feed makes,
        {"counters": {"i1": {"createdCount": 3}}} is what only ``recordCounters`` tells, {"cron": false} makes pending
        jobs stay so, and {"purge": true} deletes jobs that have ended.
        """
        self.state.change(data)
        for job in data.get("jobs", ()):
            given = dict(job)
            jobs.start(self.state, given.pop("entity"), given.pop("values"), given)
        if data.get("purge"):
            jobs.purge(self.state)
        for entity, rows in data.get("records", {}).items():
            for row in rows:
                insert(self.state, entity, row)

    def end_sessions(self) -> None:
        """Forget every token."""
        self.state.tokens.clear()

    def routes(self) -> Sequence[BaseRoute]:
        """The table above, as Starlette wants it."""
        return [
            Route(path, self._endpoint(since, until, handlers), methods=list(METHODS))
            for path, since, until, handlers in ROUTES
        ]

    def tables(self) -> dict[str, Table]:
        """Products, background jobs, and how many tokens each user has."""
        shown = (key_field(self.state.core), "name", "price", "quantity", "status", "createdAt", "modifiedAt", "id")
        products = [found for found in self.state.records["Product"].values() if not found["deleted"]]
        jobs.advance(self.state)
        return {
            "products": [{name: product.get(name) for name in shown} for product in reversed(products)],
            "jobs": jobs.table(self.state),
            "tokens": [{"user": user, "tokens": n} for user, n in Counter(self.state.tokens.values()).items()],
        }

    def connection(self, base_url: str) -> dict[str, Any]:
        """As the sandbox's only user."""
        user, password = next(iter(self.state.users.items()))
        return {"conn_type": "atrocore", "host": f"{base_url}/{self.name}", "login": user, "password": password}

    def _endpoint(
        self, since: Version, until: Version, handlers: Mapping[str, Handler]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            handler = handlers.get(request.method)
            try:
                # a route this core does not have is unknown before anybody signs in
                if handler is None or not since <= self.state.core < until:
                    raise Refused(404)
                call = Call.of(request, await request.body())
                if handler not in OPEN:
                    session.authenticate(self.state, call.headers)
                jobs.advance(self.state)
                done = handler(self.state, call)
                if self.state.costs:
                    await asyncio.sleep(seconds_it_takes(self.state, call, done))
                return fails_after_the_work(self.state, call, done)
            except Refused as refused:
                return refusal(refused, bare=self.state.dialect == "espo")

        return endpoint
