"""Middleware around every handler: authentication, authorization, quotas, and error responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, missing_role
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.request_parsing import get_path
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.responses import envelope, method_not_allowed, redirect
from self_hosted.sandbox.routing import Handler, RouteSpec

Endpoint = Callable[[Request], Awaitable[Response]]


def with_middleware(server: Server, resource: Resource, spec: RouteSpec, handler: Handler) -> Endpoint:
    """Return a handler as an endpoint for Starlette.

    :param server: the server
    :param resource: owner of the handler
    :param spec: declaration of the route, with the options of `Resource`
    :param handler: bound method
    """
    role = spec.options.get("role")
    required_role = f"{resource.role_prefix}{role}" if role else None
    is_counted = spec.options.get("counted", True)

    async def respond(request: Request) -> Response:
        try:
            session = _admit(server, request, required_role, is_counted=is_counted)
            resource.check_available(request)
            result = await handler(request, session)
        except ApiError as error:
            return envelope(error.response, error.status, error.message, server.quotas.build_headers())
        return result if isinstance(result, Response) else envelope(result, headers=server.quotas.build_headers())

    return respond


def _admit(server: Server, request: Request, role: str | None, *, is_counted: bool) -> Session:
    path = get_path(request)
    session = server.authentication.authenticate(request, path)
    if role and role not in session.roles:
        raise missing_role(path, role)
    if is_counted:
        server.quotas.count_call()
    return session


def respond_to_unknown_path(request: Request, routes: Sequence[BaseRoute]) -> Response:
    """Return the response to a request that no route matches.

    :param request: the request
    :param routes: the routes of the API
    """
    with_slash = {**request.scope, "path": f"{request.scope['path']}/"}
    if any(route.matches(with_slash)[0] is not Match.NONE for route in routes):
        return redirect(f"{request.url.replace(path=request.url.path + '/')}")
    if any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes):
        return method_not_allowed()
    return envelope("", 404, f"Api does not exist ({get_path(request)})")
