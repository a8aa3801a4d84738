"""Middleware around every handler: authentication, API version, authorization, parsing, and error responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.rudder.calls import Call, Endpoint, Handler, read_parameters
from self_hosted.sandbox.rudder.errors import ApiError, EndpointNotFoundError, InvalidJsonError
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
        if request.method == "HEAD":
            return build_not_found_page()
        try:
            version = select_version(endpoint, request, server.state.versions)
            if not _is_allowed(server.state, account, endpoint):
                return build_forbidden_response(account, endpoint)
            result = handler(await _read_call(request, account, version))
        except (ApiError, EndpointNotFoundError, InvalidJsonError) as error:
            return _respond_to_error(error, endpoint, request)
        return build_success_response(result, endpoint, prettify=_is_prettified(request))

    return respond


def _respond_to_error(
    error: ApiError | EndpointNotFoundError | InvalidJsonError, endpoint: Endpoint, request: Request
) -> Response:
    if isinstance(error, EndpointNotFoundError):
        return build_not_found_page()
    if isinstance(error, InvalidJsonError):
        return build_invalid_json_response()
    return build_error_response(error, endpoint, prettify=_is_prettified(request))


def _is_prettified(request: Request) -> bool:
    return request.query_params.get("prettify") == "true"


def authenticate(state: State, request: Request) -> Account | None:
    """Return the account of the request's token, or None if there is no active account."""
    account = state.accounts.get(request.headers.get("x-api-token", ""))
    return account if account and account.active else None


async def _read_call(request: Request, account: Account, version: int) -> Call:
    params, body = await read_parameters(request)
    # Rudder rebuilds the plus of a revision from blanks, and calls an empty segment "index"
    path = {name: value.replace(" ", "+") or "index" for name, value in request.path_params.items()}
    return Call(account, version, path, params, body)


def _is_allowed(state: State, account: Account, endpoint: Endpoint) -> bool:
    if not state.api_authorizations and (account.kind == "user" or account.rights == "acl"):
        return False
    if account.rights == "acl":
        return any(_covers(pattern, methods, endpoint) for pattern, methods in account.access)
    return account.rights == "rw" or (account.rights == "ro" and endpoint.method == "GET")


def _covers(pattern: str, methods: list[str], endpoint: Endpoint) -> bool:
    """Return whether an entry of an access list covers an endpoint; a star stands for one segment."""
    expected, actual = pattern.split("/"), endpoint.path.strip("/").split("/")
    is_same_path = len(expected) == len(actual) and all(
        word in {"*", segment} for word, segment in zip(expected, actual, strict=True)
    )
    return is_same_path and endpoint.method in methods
