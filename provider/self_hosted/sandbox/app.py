"""The sandbox as one app: every product at a sub-path of its own, the control route, and a page that shows the state.

GET  /                      the page
GET  /_control/state        what the page shows, as JSON: {product: {table: [row, ...]}}
GET  /_control/connections  {connection id: Airflow connection}, ready for AIRFLOW_CONN_... variables
POST /_control/reset        forget everything, faults included
POST /_control/seed         {product: data}, see each stand-in's ``seed``
POST /_control/faults       [fault, ...], see `faults.py`
POST /_control/random       {"seed": 7}: the same requests meet the same faults as they did with this seed before
GET  /_control/counts       {"requests": {product: number}, "faults": {kind of those that fired: number}}
POST /_control/end-sessions {"product": name}: logins end
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from self_hosted.sandbox.faults import Arranged, Fault, Faults
from self_hosted.sandbox.page import page
from self_hosted.sandbox.stand_in import StandIn


class Pages:
    """ASGI middleware that shows browsers the sandbox's page, where a product would show one of its own.

    :param app: the product's app
    :param product: its name
    """

    def __init__(self, app: ASGIApp, product: str) -> None:
        self.app, self.product = app, product

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect a browser, and let everybody else through."""
        browser = scope["type"] == "http" and Headers(scope=scope).get("accept", "").startswith("text/html")
        app = RedirectResponse(f"/#{self.product}") if browser and scope["method"] == "GET" else self.app
        await app(scope, receive, send)


class Control:
    """The handlers of the control route.

    :param products: the stand-ins
    :param arranged: what is to go wrong
    """

    def __init__(self, products: Sequence[StandIn], arranged: Arranged) -> None:
        self.products = {product.name: product for product in products}
        self.arranged = arranged

    def routes(self) -> list[Route]:
        """The table of routes."""
        return [
            Route("/", self.page),
            Route("/_control/state", self.state),
            Route("/_control/connections", self.connections),
            Route("/_control/reset", self.reset, methods=["POST"]),
            Route("/_control/seed", self.seed, methods=["POST"]),
            Route("/_control/faults", self.add_faults, methods=["POST"]),
            Route("/_control/random", self.seed_random, methods=["POST"]),
            Route("/_control/counts", self.counts),
            Route("/_control/end-sessions", self.end_sessions, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Show what the DAGs did."""
        return HTMLResponse(page({name: product.tables() for name, product in self.products.items()}))

    async def state(self, request: Request) -> Response:
        """Show the same as JSON."""
        return JSONResponse({name: product.tables() for name, product in self.products.items()})

    async def connections(self, request: Request) -> Response:
        """Name the connections that lead here."""
        base_url = str(request.base_url).rstrip("/")
        return JSONResponse({f"{name}_default": found.connection(base_url) for name, found in self.products.items()})

    async def reset(self, request: Request) -> Response:
        """Forget everything."""
        self.arranged.clear()
        for product in self.products.values():
            product.reset()
        return JSONResponse({})

    async def seed(self, request: Request) -> Response:
        """Add data to products."""
        for name, data in (await request.json()).items():
            self.products[name].seed(data)
        return JSONResponse({})

    async def add_faults(self, request: Request) -> Response:
        """Arrange for things to go wrong."""
        self.arranged.faults.extend(Fault(**fault) for fault in await request.json())
        return JSONResponse({})

    async def seed_random(self, request: Request) -> Response:
        """Make it known which of the requests faults with a share befall."""
        self.arranged.random.seed((await request.json())["seed"])
        return JSONResponse({})

    async def counts(self, request: Request) -> Response:
        """Show how much was asked, and how much of it went wrong."""
        return JSONResponse({"requests": self.arranged.requests, "faults": self.arranged.fired})

    async def end_sessions(self, request: Request) -> Response:
        """End the logins of one product."""
        self.products[(await request.json())["product"]].end_sessions()
        return JSONResponse({})


def _router(product: StandIn) -> Router:
    # without redirects: a product decides itself what a missing slash means
    return Router(product.routes(), redirect_slashes=False)


def sandbox_app(products: Sequence[StandIn], arranged: Arranged) -> Starlette:
    """The whole sandbox.

    :param products: the stand-ins to serve
    :param arranged: what is to go wrong
    """
    control = Control(products, arranged)
    mounts = [
        Mount(f"/{found.name}", Pages(Faults(_router(found), found.name, arranged), found.name)) for found in products
    ]
    return Starlette(routes=[*control.routes(), *mounts])
