"""What every call passes: token, version, rights and body on the way in, the envelope on the way out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from self_hosted.sandbox.rudder.state import Account, State

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
PAGE = "<!doctype html><html><head><title>{status}</title></head><body><h1>{status} {words}</h1></body></html>"


class Refused(Exception):
    """What Rudder answers with a 500: everything but success.

    :param id: the id that few errors carry
    """

    def __init__(self, words: str, id: str | None = None) -> None:
        super().__init__(words)
        self.words, self.id = words, id


class NoSuchPage(Exception):
    """No endpoint matches."""


@dataclass
class Call:
    """A request that came through the gate.

    :param params: query, or form body: where alone Rudder reads `reason` and its like
    :param body: the JSON body; None when there was none, or its content type was not JSON
    """

    state: State
    account: Account
    version: int
    path: Mapping[str, Any]
    params: Mapping[str, str]
    body: Any


@dataclass
class Answer:
    """A success."""

    data: Any
    id: str | None = None
    action: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """One row of the table of endpoints, all of them older than the oldest version that is served.

    :param action: its name, which answers and errors repeat
    """

    method: str
    path: str
    action: str
    handler: Callable[[Call], Answer]


class Gate:
    """Makes routes of endpoints.

    :param state: returns the server's state
    """

    def __init__(self, state: Callable[[], State]) -> None:
        self.state = state

    def routes(self, endpoints: tuple[Endpoint, ...]) -> list[Route]:
        """Each endpoint with the version in the path and without, and the page for whatever else is asked."""
        prefixes = ("/api", "/api/{version}")
        calls = [self._route(prefix, endpoint) for endpoint in endpoints for prefix in prefixes]
        return [*calls, Route("/{path:path}", self._nothing, methods=ALL_METHODS)]

    def _route(self, prefix: str, endpoint: Endpoint) -> Route:
        async def call(request: Request) -> Response:
            return await self._call(endpoint, request)

        return Route(prefix + endpoint.path, call, methods=[endpoint.method])

    async def _nothing(self, request: Request) -> Response:
        account = self._account(request)
        return _page(404, "Not Found") if account else _page(401, "Unauthorized")

    async def _call(self, endpoint: Endpoint, request: Request) -> Response:
        state, account = self.state(), self._account(request)
        if account is None:
            return _page(401, "Unauthorized")
        try:
            version = _version(endpoint, request, state.versions)
            if not _allowed(account, endpoint):
                return _forbidden(account, endpoint)
            params, body = await _sent(request)
            answer = endpoint.handler(Call(state, account, version, request.path_params, params, body))
        except NoSuchPage:
            return _page(404, "Not Found")
        except json.JSONDecodeError:
            words = "The request has a JSON content type but the body is not valid JSON"
            return JSONResponse({"result": "error", "errorDetails": words}, 412)
        except Refused as refused:
            return _error(endpoint.action, refused)
        return _success(answer, endpoint)

    def _account(self, request: Request) -> Account | None:
        account = self.state().accounts.get(request.headers.get("x-api-token", ""))
        return account if account and account.accepted else None


def _version(endpoint: Endpoint, request: Request, served: tuple[int, ...]) -> int:
    """The version that is asked for, in the path or in the header."""
    header = _number(request.headers.get("x-api-version", ""), served)
    if "version" in request.path_params:
        return _version_in_path(_number(request.path_params["version"], served), header)
    if header is None and len(served) == 1:
        return served[0]
    if header is None:
        where, versions = f"'{endpoint.method} api{endpoint.path}'", "".join(f"'{version}'" for version in served)
        raise _Unknown(
            "Bad request: Request is missing a version but the version is required "
            f"for {where}. Available versions: {versions}"
        )
    return header


def _version_in_path(version: int | None, header: int | None) -> int:
    if version is None:
        raise NoSuchPage
    if header not in {None, version}:
        raise _Unknown(
            f"Bad request: Request is requiring version '{header}' "
            f"but the available endpoints only provide version '{version}'"
        )
    return version


def _number(given: str, served: tuple[int, ...]) -> int | None:
    """A version that is served; a header with any other counts as none."""
    number = max(served) if given == "latest" else int(given) if given.isdecimal() else None
    return number if number in served else None


class _Unknown(Refused):
    """A refusal before it is clear which endpoint was meant."""


def _allowed(account: Account, endpoint: Endpoint) -> bool:
    # without the plugin api-authorizations, accounts with an access list lose all rights
    return account.rights == "rw" or (account.rights == "ro" and endpoint.method == "GET")


def _forbidden(account: Account, endpoint: Endpoint) -> Response:
    where = f"{endpoint.method} api/latest{endpoint.path}"
    words = f"Authorization error: User '{account.id}' is not allowed to access {where}"
    body = {"action": endpoint.action, "result": "error", "errorDetails": words}
    return Response(json.dumps(body, indent=2), 403, media_type="application/json;charset=utf-8")


async def _sent(request: Request) -> tuple[dict[str, str], Any]:
    """Parameters and JSON body, each by the content type."""
    pairs = list(request.query_params.multi_items())
    body, kind = None, request.headers.get("content-type", "")
    if request.method in {"PUT", "POST", "DELETE"}:
        raw = await request.body()
        if "json" in kind:
            body = json.loads(raw)
        elif "x-www-form-urlencoded" in kind:
            pairs += parse_qsl(raw.decode(), keep_blank_values=True)
    return dict(reversed(pairs)), body  # the first value wins


def _success(answer: Answer, endpoint: Endpoint) -> Response:
    named = {} if answer.id is None else {"id": answer.id}
    return JSONResponse({"action": answer.action or endpoint.action, **named, "result": "success", "data": answer.data})


def _error(action: str, refused: Refused) -> Response:
    named = {} if refused.id is None else {"id": refused.id}
    action = "unknow" if isinstance(refused, _Unknown) else action  # its own spelling
    return JSONResponse({"action": action, **named, "result": "error", "errorDetails": refused.words}, 500)


def _page(status: int, words: str) -> Response:
    return HTMLResponse(PAGE.format(status=status, words=words), status)
