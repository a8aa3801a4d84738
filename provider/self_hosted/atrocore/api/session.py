"""Which dialect a server speaks, and signing in. These are the only requests written in a dialect of their own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from self_hosted.atrocore.api.dialects import ESPO, SINCE_2_3, UP_TO_2_2, Dialect
from self_hosted.core.errors import Busy, LoginRefused, ProductError, Uncertain, Unreachable
from self_hosted.core.flow import Flow, Request, Secret

NO_ANSWER = (Unreachable, Busy, Uncertain)


@dataclass(frozen=True)
class Credential:
    """User and password, or a ready token.

    :param token: base64(user:token), the value of Authorization-Token; "" when there is none
    """

    user: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """base64(user:password)."""
        return _base64(self.user, self.password)


def session() -> Flow[dict[str, Any]]:
    """Who is signed in: ``user``, ``settings``, ``acl`` and more (``GET /api/userSession``)."""
    reply = yield Request("GET", "/api/userSession")
    return reply.json()  # type: ignore[no-any-return]


def core_version() -> Flow[str | None]:
    """The core's version, from the server's description; None where that is missing (``GET /openapi.json``)."""
    document = yield from openapi()
    return document["info"]["version"] if document else None


def openapi() -> Flow[dict[str, Any] | None]:
    """The server's description of its API; None where it has none, or hides it (``GET /openapi.json``)."""
    try:
        reply = yield Request("GET", "/openapi.json")
        document = reply.json()
    except NO_ANSWER:
        raise
    except ProductError:
        return None
    return document if isinstance(document, dict) and "openapi" in document else None


def login(dialect: Dialect, credential: Credential) -> Flow[str]:
    """Trade user and password for base64(user:token); a ready token is taken as it is.

    :param dialect: what the server speaks
    :param credential: whose login
    :raises LoginRefused: which must not be tried again: more than ten a minute lock the address out
    """
    if credential.token:
        return credential.token
    return (yield from _token(dialect, dialect.password(credential.basic), credential))


def detected(credential: Credential) -> Flow[tuple[Dialect, str]]:
    """Find out the dialect and sign in, which are one thing with older servers.

    :param credential: whose login
    :return: the dialect, and base64(user:token)
    """
    dialect = (yield from _by_description()) or (yield from _by_refusal())
    if dialect:
        return dialect, (yield from login(dialect, credential))
    return (yield from _by_login(credential))


def _by_description() -> Flow[Dialect | None]:
    document = yield from openapi()
    urls = [str(server.get("url", "")).rstrip("/") for server in (document or {}).get("servers", [])]
    if any(url.endswith(UP_TO_2_2.base) for url in urls):
        return UP_TO_2_2
    return SINCE_2_3 if any(url.endswith(SINCE_2_3.base) for url in urls) else None


def _by_refusal() -> Flow[Dialect | None]:
    """2.3 knows this route and refuses who brings no credential; older servers do not know it."""
    try:
        yield Request("GET", "/api/userSession")
    except LoginRefused as refused:
        return SINCE_2_3 if refused.words == "Unauthorized" else None
    except NO_ANSWER:
        raise
    except ProductError:
        pass
    return None


def _by_login(credential: Credential) -> Flow[tuple[Dialect, str]]:
    """Each of the two older dialects reads its own header and overlooks the other's."""
    token = credential.token
    if not token:
        basic = credential.basic
        token = yield from _token(UP_TO_2_2, UP_TO_2_2.password(basic) | ESPO.password(basic), credential)
    yield Secret(token)
    try:
        yield UP_TO_2_2.spoken(Request("GET", "/api/userSession", headers=UP_TO_2_2.token(token)))
    except LoginRefused:
        yield ESPO.spoken(Request("GET", "/api/userSession", headers=ESPO.token(token)))
        return ESPO, token
    return UP_TO_2_2, token


def _token(dialect: Dialect, headers: Mapping[str, str], credential: Credential) -> Flow[str]:
    yield Secret(credential.basic)
    path = dialect.spoken(Request("GET", "/api/userSession")).path
    reply = yield Request("GET", path, headers={**headers, "Authorization-Token-Only": "true"})
    answer = reply.json()
    if "authorizationToken" in answer:
        return str(answer["authorizationToken"])
    # cores before 1.3.12 leave it to the client to put the two together
    return _base64(answer["user"]["userName"], answer["token"])


def _base64(user: str, secret: str) -> str:
    return b64encode(f"{user}:{secret}".encode()).decode()
