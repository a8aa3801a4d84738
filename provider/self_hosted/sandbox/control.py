"""The control routes, with which a test or a demo inspects and changes the sandbox."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.faults import Fault, FaultPlan
from self_hosted.sandbox.loopback_only import LoopbackOnly
from self_hosted.sandbox.page import render_page
from self_hosted.sandbox.routing import route, routes_of


class Control:
    """The handlers of the control routes.

    :param servers: the fake servers
    :param fault_plan: the faults of all servers
    """

    def __init__(self, servers: Sequence[FakeServer], fault_plan: FaultPlan) -> None:
        self.servers = {server.name: server for server in servers}
        self.fault_plan = fault_plan

    def routes(self) -> list[Route]:
        """Return the routes of all handlers."""
        middleware = [Middleware(LoopbackOnly)]
        return [
            Route(spec.path, handler, methods=list(spec.methods), middleware=middleware)
            for spec, handler in routes_of(self)
        ]

    def tables(self) -> dict[str, dict[str, Table]]:
        """Return the tables of all servers: product to table name to rows."""
        return {name: server.tables() for name, server in self.servers.items()}

    @route("GET", "/")
    async def get_page(self, request: Request) -> Response:
        """Return the tables as HTML."""
        return HTMLResponse(render_page(self.tables()))

    @route("GET", "/_control/state")
    async def get_state(self, request: Request) -> Response:
        """Return the tables as JSON."""
        return JSONResponse(self.tables())

    @route("GET", "/_control/connections")
    async def get_connections(self, request: Request) -> Response:
        """Return {connection id: Airflow connection} of all servers."""
        base_url = str(request.base_url).rstrip("/")
        return JSONResponse({f"{name}_default": server.connection(base_url) for name, server in self.servers.items()})

    @route("POST", "/_control/reset")
    async def reset(self, request: Request) -> Response:
        """Restore the sample data of all servers and remove all faults."""
        self.fault_plan.clear()
        for server in self.servers.values():
            server.reset()
        return JSONResponse({})

    @route("POST", "/_control/seed")
    async def seed(self, request: Request) -> Response:
        """Add data, given as {product: data}; see `seed` of each fake server."""
        for name, data in (await request.json()).items():
            self.servers[name].seed(data)
        return JSONResponse({})

    @route("POST", "/_control/faults")
    async def add_faults(self, request: Request) -> Response:
        """Add faults, given as [fault]; see `faults.py`."""
        try:
            faults = [Fault(**fault) for fault in await request.json()]
            for fault in faults:
                self._check_component(fault)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        self.fault_plan.faults.extend(faults)
        return JSONResponse({})

    def _check_component(self, fault: Fault) -> None:
        if fault.kind != "outage" or not fault.component:
            return
        for name, server in self.servers.items():
            components = server.find_outage().COMPONENTS if re.fullmatch(fault.product, name) else (fault.component,)
            if fault.component not in components:
                raise ValueError(f"component of {name} must be one of {', '.join(components)}, not {fault.component!r}")

    @route("POST", "/_control/random")
    async def seed_random(self, request: Request) -> Response:
        """Seed the random generator of the faults, given as {"seed": 7}; the same requests get the same faults."""
        self.fault_plan.random.seed((await request.json())["seed"])
        return JSONResponse({})

    @route("GET", "/_control/counts")
    async def get_counts(self, request: Request) -> Response:
        """Return {"requests": {product: count}, "faults": {name of the fault: count}} since the last reset."""
        return JSONResponse({"requests": self.fault_plan.requests, "faults": self.fault_plan.fired})

    @route("POST", "/_control/rotate-credential")
    async def rotate_credential(self, request: Request) -> Response:
        """Replace the credential of a product's connection, given as {"product": name}, and return the connection.

        With "keep_former": true, the former credential remains valid until ``/_control/revoke-former-credentials``.
        """
        options = await request.json()
        server = self.servers[options["product"]]
        server.add_credential(secrets.token_hex(16))
        if not options.get("keep_former"):
            server.revoke_former_credentials()
        return JSONResponse(server.connection(str(request.base_url).rstrip("/")))

    @route("POST", "/_control/revoke-former-credentials")
    async def revoke_former_credentials(self, request: Request) -> Response:
        """Make all former credentials of a product, given as {"product": name}, invalid."""
        self.servers[(await request.json())["product"]].revoke_former_credentials()
        return JSONResponse({})

    @route("POST", "/_control/end-sessions")
    async def end_sessions(self, request: Request) -> Response:
        """Invalidate every session token of a product, given as {"product": name}."""
        self.servers[(await request.json())["product"]].end_sessions()
        return JSONResponse({})
