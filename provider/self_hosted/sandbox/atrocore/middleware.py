"""Middleware around every handler: version check, authentication, parsing, latency, faults, error responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.atrocore.authentication import authenticate
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import Version
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.job_queue import advance_jobs
from self_hosted.sandbox.atrocore.resource import HasState
from self_hosted.sandbox.atrocore.responses import build_error_response
from self_hosted.sandbox.atrocore.seeded_faults import compute_latency, raise_seeded_fault
from self_hosted.sandbox.atrocore.state import State

Handler = Callable[[Call], Response]
FIRST_VERSION: Version = (0,)


def with_middleware(
    server: HasState,
    handler: Handler,
    *,
    since: Version = FIRST_VERSION,
    until: Version | None = None,
    public: bool = False,
) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler as an endpoint for Starlette.

    :param server: owner of the state
    :param handler: returns a response or raises an `ApiError`
    :param since: the first core version that has the route
    :param until: the first core version that no longer has the route; None if all later ones have it
    :param public: whether the middleware leaves authentication to the handler
    """

    async def respond(request: Request) -> Response:
        try:
            _check_version(server.state, since, until)
            call = await Call.parse(request)
            if not public:
                authenticate(server.state, call.headers)
            return await _run(server.state, handler, call)
        except ApiError as error:
            return build_error_response(error, header_only=server.state.dialect == "espo")

    return respond


def _check_version(state: State, since: Version, until: Version | None) -> None:
    # a route that the core version lacks is unknown even without authentication
    if state.core < since or (until is not None and state.core >= until):
        raise ApiError(404)


async def _run(state: State, handler: Handler, call: Call) -> Response:
    advance_jobs(state)
    response = handler(call)
    if state.latencies:
        await asyncio.sleep(compute_latency(state, call, response))
    raise_seeded_fault(state, call)
    return response
