"""Middleware around every handler: version check, authentication, parsing, latency, faults, error responses."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.authentication import authenticate
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.job_queue import advance_jobs
from self_hosted.sandbox.atrocore.resource import HasState
from self_hosted.sandbox.atrocore.responses import build_error_response
from self_hosted.sandbox.atrocore.seeded_faults import compute_latency, raise_seeded_fault
from self_hosted.sandbox.atrocore.state import State
from self_hosted.sandbox.atrocore.unknown_routes import build_unknown_response, check_controller
from self_hosted.sandbox.atrocore.versions import FIRST, Version, is_in_range

Handler = Callable[[Call], Response | Awaitable[Response]]


def with_middleware(
    server: HasState,
    handler: Handler,
    path: str,
    *,
    since: Version = FIRST,
    until: Version | None = None,
    public: bool = False,
    json_body: bool = False,
) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler as an endpoint for Starlette.

    :param server: owner of the state
    :param handler: returns a response or raises an `ApiError`
    :param path: path of the route
    :param since: the first core version that has the route
    :param until: the first core version that no longer has the route; None if all later ones have it
    :param public: whether the middleware leaves authentication to the handler
    :param json_body: whether the route needs a JSON body, which the server checks since 2.3
    """
    template = path.removeprefix("/api").replace("{entity}", "{entityName}")

    async def respond(request: Request) -> Response:
        state = server.state
        if not is_in_range(state.core, since, until) or (state.is_new and request.method == "HEAD"):
            return build_unknown_response(state, request)
        try:
            if state.is_new:
                check_controller(state, request)
            user_name = "" if public else authenticate(state, request.headers)
            check_controller(state, request)
            call = await Call.parse(request, template, Access(state, user_name))
            if json_body and state.is_new:
                call.check_json()
            return await _run(state, handler, call)
        except ApiError as error:
            return build_error_response(error, header_only=state.dialect == "espo")

    return respond


async def _run(state: State, handler: Handler, call: Call) -> Response:
    advance_jobs(state)
    response = handler(call)
    if inspect.isawaitable(response):
        response = await response
    if state.latencies:
        await asyncio.sleep(compute_latency(state, call, response))
    raise_seeded_fault(state, call)
    return response
