"""The ASGI app of the sandbox: the control routes, and each fake server below the path of its name."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from self_hosted.sandbox.control import Control
from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.fault_middleware import FaultMiddleware
from self_hosted.sandbox.faults import FaultPlan


class BrowserRedirect:
    """Middleware that redirects browsers to the page of the sandbox; a real product would show its UI.

    :param app: the app of the product
    :param product: name of the product
    """

    def __init__(self, app: ASGIApp, product: str) -> None:
        self.app, self.product = app, product

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect a GET request that accepts HTML first, and pass other requests on."""
        is_browser = scope["type"] == "http" and Headers(scope=scope).get("accept", "").startswith("text/html")
        app = RedirectResponse(f"/#{self.product}") if is_browser and scope["method"] == "GET" else self.app
        await app(scope, receive, send)


def build_app(servers: Sequence[FakeServer], fault_plan: FaultPlan) -> Starlette:
    """Return the app.

    :param servers: the fake servers to include
    :param fault_plan: the faults of all servers
    """
    mounts = [_build_mount(server, fault_plan) for server in servers]
    return Starlette(routes=[*Control(servers, fault_plan).routes(), *mounts])


def _build_mount(server: FakeServer, fault_plan: FaultPlan) -> Mount:
    # without redirects: each product has its own behaviour for a missing slash
    router = Router(server.routes(), redirect_slashes=False)
    app = FaultMiddleware(router, server.name, fault_plan, server.find_outage)
    return Mount(f"/{server.name}", BrowserRedirect(app, server.name))
