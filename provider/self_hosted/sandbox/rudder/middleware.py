"""Middleware around every handler: authentication, API version, authorization, parsing, and error responses."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.rudder.calls import Call, Endpoint, Handler, read_parameters
from self_hosted.sandbox.rudder.errors import ApiError, EndpointNotFoundError
from self_hosted.sandbox.rudder.resource import HasState
from self_hosted.sandbox.rudder.responses import (
    build_error_response,
    build_forbidden_response,
    build_invalid_json_response,
    build_not_found_page,
    build_success_response,
    build_unauthorized_page,
)
from self_hosted.sandbox.rudder.state import Account, State
from self_hosted.sandbox.rudder.versions import select_version


def with_middleware(server: HasState, endpoint: Endpoint, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler as an endpoint for Starlette.

    :param server: owner of the state
    :param endpoint: description of the endpoint
    :param handler: returns a `Result` or raises an `ApiError`
    """

    async def respond(request: Request) -> Response:
        account = authenticate(server.state, request)
        if account is None:
            return build_unauthorized_page()
        try:
            version = select_version(endpoint, request, server.state.versions)
            if not _is_allowed(account, endpoint):
                return build_forbidden_response(account, endpoint)
            params, body = await read_parameters(request)
            return build_success_response(handler(Call(account, version, request.path_params, params, body)), endpoint)
        except EndpointNotFoundError:
            return build_not_found_page()
        except json.JSONDecodeError:
            return build_invalid_json_response()
        except ApiError as error:
            return build_error_response(error, endpoint)

    return respond


def authenticate(state: State, request: Request) -> Account | None:
    """Return the account of the request's token, or None if there is no active account."""
    account = state.accounts.get(request.headers.get("x-api-token", ""))
    return account if account and account.active else None


def _is_allowed(account: Account, endpoint: Endpoint) -> bool:
    # without the plugin api-authorizations, accounts with an access list lose all rights
    return account.rights == "rw" or (account.rights == "ro" and endpoint.method == "GET")
