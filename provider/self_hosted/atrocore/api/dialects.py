"""AtroCore's three REST dialects, as a table. Flows use the newest one; `Dialect.translate` converts their requests.

https://help.atrocore.com/developer-guide/rest-api
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from self_hosted.atrocore.api.filters import expand_query
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError
from self_hosted.core.http.flow import Request

API_ROOT = "/api"  # flows write their paths below it
ID_IN_ROUTE = re.compile(r"(?<=\w)/[^/]+/(?=\w+$)")
MAX_REQUEST_TARGET = 8000  # common servers reject request lines from 8190 bytes on
URI_TOO_LONG = 414

Route = str | Callable[[Request], tuple[str, Request]] | None
"""The name of a route in a dialect, or a function that also changes the request; None if the route does not exist."""


@dataclass(frozen=True)
class Dialect:
    """The REST API of one generation of servers.

    :param name: its name in the connection
    :param base: the common start of all its paths
    :param password_header: name, and start of the value, of the header with base64(user:password) at login
    :param token_header: name of the header with base64(user:token)
    :param routes: routes of 2.3 in this dialect
    :param headers: further headers of every request
    :param reads_json_filters: whether ``where`` may be JSON
    :param max_page_size: of a list; None = no limit
    """

    name: str
    base: str
    password_header: tuple[str, str]
    token_header: str
    routes: Mapping[str, Route] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    reads_json_filters: bool = True
    max_page_size: int | None = None

    def translate(self, request: Request) -> Request:
        """Return the request in this dialect.

        :param request: with a path of 2.3; paths outside ``/api`` are not changed
        :raises NotFoundError: if the dialect has no such route, as its server would respond
        :raises InvalidRequestError: if the filter is too long in this dialect, as a server would respond
        """
        prefix, _, route = request.path.partition(API_ROOT)
        if prefix:
            return request
        translated = self.routes.get(ID_IN_ROUTE.sub("/{id}/", route), route)
        if translated is None:
            message = f"servers with the dialect {self.name} have no such route"
            raise NotFoundError(message, method=request.method, path=request.path)
        if callable(translated):
            translated, request = translated(request)
        request = replace(request.with_headers(self.headers), path=self.base + translated)
        return self._limit_page(request if self.reads_json_filters else _expand_filter(request))

    def _limit_page(self, request: Request) -> Request:
        size = request.query.get("maxSize")
        if self.max_page_size is None or not isinstance(size, int) or size <= self.max_page_size:
            return request
        return replace(request, query={**request.query, "maxSize": self.max_page_size})

    def password_headers(self, basic: str) -> dict[str, str]:
        """Return the headers of a login.

        :param basic: base64(user:password)
        """
        name, prefix = self.password_header
        return {name: f"{prefix}{basic}"}

    def token_headers(self, token: str) -> dict[str, str]:
        """Return the headers of a session.

        :param token: base64(user:token)
        """
        return {self.token_header: token}


def _to_action(name: str) -> Route:
    """Return the route of an action of an entity, whose name 2.3 has in the body."""

    def translate(request: Request) -> tuple[str, Request]:
        entity = request.json["entityName"]
        body = {field: value for field, value in request.json.items() if field != "entityName"}
        return f"/{entity}/action/{name}", replace(request, json=body)

    return translate


def _expand_filter(request: Request) -> Request:
    if "where" not in request.query:
        return request
    expanded = replace(request, query=expand_query(request.query))
    if len(expanded.target) > MAX_REQUEST_TARGET:
        message = "the filter is too long for a URL"
        raise InvalidRequestError(message, method=request.method, path=request.path, status=URI_TOO_LONG)
    return expanded


BEFORE_2_3: Mapping[str, Route] = {
    "/userSession": "/App/user",
    "/metadata": "/Metadata",
    "/entityMassDelete": _to_action("massDelete"),
    "/ExportJob/{id}/cancel": None,
    "/File/createChunk": "/File",
}
SINCE_2_3 = Dialect("2.3", "/api", ("Authorization", "Basic "), "Authorization-Token", {"/QueueItem": None})
UP_TO_2_2 = Dialect(
    "1.x-2.2",
    "/api/v1",
    ("Authorization", "Basic "),
    "Authorization-Token",
    {**BEFORE_2_3, "/upsert": "/MassActions/action/upsert", "/entityRestore": _to_action("massRestore")},
)
ESPO = Dialect(
    "espo",
    "/api/v1",
    ("Espo-Authorization", ""),
    "Espo-Authorization",
    {**BEFORE_2_3, **dict.fromkeys(["/upsert", "/entityRestore", "/Job", "/QueueItem", "/ImportJob", "/ExportJob"])},
    # with it, an expired token does not count as a failed login
    {"Espo-Authorization-By-Token": "true"},
    reads_json_filters=False,
    max_page_size=200,
)
DIALECTS = {dialect.name: dialect for dialect in (SINCE_2_3, UP_TO_2_2, ESPO)}
