"""The toy behind an access proxy, which rejects requests without its header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tests.core.toy import Toy

LOGIN_PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"
LOGIN_URL = "https://login.example.com/sign-in?next=secret"
Handler = Callable[[HttpRequest], Awaitable[Response]]


class GuardedToy(Toy):
    """Answers requests without the right header ``X-Access`` as access proxies do."""

    def reset(self) -> None:
        super().reset()
        self.access, self.rejection = "first-access", 403
        self.rejected: list[str] = []

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(route.path, self._guard(route.endpoint), methods=list(route.methods or ()))
            for route in super().routes()
            if isinstance(route, Route)
        ]

    def _guard(self, handler: Handler) -> Handler:
        async def guarded(request: HttpRequest) -> Response:
            if request.headers.get("x-access", "") == self.access:
                return await handler(request)
            self.rejected.append(request.headers.get("x-access", ""))
            return (
                RedirectResponse(LOGIN_URL, 302) if self.rejection == 302 else HTMLResponse(LOGIN_PAGE, self.rejection)
            )

        return guarded
