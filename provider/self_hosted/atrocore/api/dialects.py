"""AtroCore's three REST dialects, as a table. Flows are written for the newest; `Dialect.spoken` translates.

https://help.atrocore.com/developer-guide/rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Request

CANONICAL = "/api"  # flows write their paths below it


@dataclass(frozen=True)
class Dialect:
    """How one generation of servers is spoken to.

    :param name: as the connection names it
    :param base: the path all routes are below
    :param password_header: name and beginning of the header that carries base64(user:password) at login
    :param token_header: name of the header that carries base64(user:token)
    :param routes: what the routes of 2.3 are called here; None for those that do not exist
    :param headers: what else goes with every call
    """

    name: str
    base: str
    password_header: tuple[str, str]
    token_header: str
    routes: Mapping[str, str | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def spoken(self, request: Request) -> Request:
        """A request as this dialect has it.

        :param request: with a path of 2.3; paths that are not below /api stay as they are
        :raises NotFound: when the dialect has no such route, as its server would say
        """
        below, _, route = request.path.partition(CANONICAL)
        if below:
            return request
        own = self.routes.get(route, route)
        if own is None:
            words = f"servers that speak {self.name} have no such route"
            raise NotFound(words, method=request.method, path=request.path)
        return replace(request.with_headers(self.headers), path=self.base + own)

    def password(self, basic: str) -> dict[str, str]:
        """The header of a login."""
        name, beginning = self.password_header
        return {name: f"{beginning}{basic}"}

    def token(self, token: str) -> dict[str, str]:
        """The header of a session."""
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
    # a token that is over then does not count as a denied login
    {"Espo-Authorization-By-Token": "true"},
)
DIALECTS = {dialect.name: dialect for dialect in (SINCE_2_3, UP_TO_2_2, ESPO)}
