"""Middleware around every handler: due changes of the state, authentication, error responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.ayon.authentication import authenticate
from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.resource import HasState

Handler = Callable[..., Awaitable[Response]]


def with_middleware(
    server: HasState, handler: Handler, *, public: bool = False, **arguments: Any
) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler as an endpoint for Starlette.

    :param server: owner of the state
    :param handler: takes the request and, unless it is public, the user; may raise an `ApiError`
    :param public: whether the handler needs no authentication
    :param arguments: further arguments for the handler
    """

    async def respond(request: Request) -> Response:
        server.state.apply_due_changes()
        try:
            user = [] if public else [authenticate(server.state, request)]
            return await handler(request, *user, **arguments)
        except ApiError as error:
            return error.build_response()

    return respond
