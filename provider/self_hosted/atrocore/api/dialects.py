"""AtroCore's three REST dialects, as a table. Flows use the newest one; `Dialect.translate` converts their requests.

https://help.atrocore.com/developer-guide/rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Request

API_ROOT = "/api"  # flows write their paths below it


@dataclass(frozen=True)
class Dialect:
    """The REST API of one generation of servers.

    :param name: its name in the connection
    :param base: the common start of all its paths
    :param password_header: name, and start of the value, of the header with base64(user:password) at login
    :param token_header: name of the header with base64(user:token)
    :param routes: routes of 2.3 and their names in this dialect; None if the route does not exist
    :param headers: further headers of every request
    """

    name: str
    base: str
    password_header: tuple[str, str]
    token_header: str
    routes: Mapping[str, str | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def translate(self, request: Request) -> Request:
        """Return the request in this dialect.

        :param request: with a path of 2.3; paths outside ``/api`` are not changed
        :raises NotFoundError: if the dialect has no such route, as its server would respond
        """
        prefix, _, route = request.path.partition(API_ROOT)
        if prefix:
            return request
        translated = self.routes.get(route, route)
        if translated is None:
            message = f"servers with the dialect {self.name} have no such route"
            raise NotFoundError(message, method=request.method, path=request.path)
        return replace(request.with_headers(self.headers), path=self.base + translated)

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


SINCE_2_3 = Dialect("2.3", "/api", ("Authorization", "Basic "), "Authorization-Token")
UP_TO_2_2 = Dialect(
    "1.x-2.2",
    "/api/v1",
    ("Authorization", "Basic "),
    "Authorization-Token",
    {"/userSession": "/App/user", "/upsert": "/MassActions/action/upsert"},
)
ESPO = Dialect(
    "espo",
    "/api/v1",
    ("Espo-Authorization", ""),
    "Espo-Authorization",
    {"/userSession": "/App/user", "/upsert": None, **dict.fromkeys(["/Job", "/ImportJob", "/ExportJob"])},
    # with it, an expired token does not count as a failed login
    {"Espo-Authorization-By-Token": "true"},
)
DIALECTS = {dialect.name: dialect for dialect in (SINCE_2_3, UP_TO_2_2, ESPO)}
