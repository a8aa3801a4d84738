"""Session, login, and detection of a server's dialect. Only these requests are written in a certain dialect."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from self_hosted.atrocore.api.dialects import ESPO, SINCE_2_3, UP_TO_2_2, Dialect
from self_hosted.core.http.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    SelfHostedError,
    UnavailableError,
    UnreachableError,
)
from self_hosted.core.http.flow import Flow, Request, Secret

NO_RESPONSE_ERRORS = (UnreachableError, UnavailableError, OutcomeUnknownError)


@dataclass(frozen=True)
class Credential:
    """User and password, or an existing token.

    :param user: the user name
    :param password: the user's password
    :param token: base64(user:token), the value of Authorization-Token; "" if there is none
    """

    user: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """base64(user:password)."""
        return _encode_basic(self.user, self.password)


def get() -> Flow[dict[str, Any]]:
    """Return the session: ``user``, ``settings``, ``acl`` and more (``GET /api/userSession``)."""
    reply = yield Request("GET", "/api/userSession")
    return reply.json()  # type: ignore[no-any-return]


def get_core_version() -> Flow[str | None]:
    """Return the version of the core, or None if the server does not describe its API (``GET /openapi.json``)."""
    document = yield from get_openapi()
    return document["info"]["version"] if document else None


def get_openapi() -> Flow[dict[str, Any] | None]:
    """Return the server's OpenAPI document, or None if it has or shows none (``GET /openapi.json``)."""
    try:
        reply = yield Request("GET", "/openapi.json")
        document = reply.json()
    except NO_RESPONSE_ERRORS:
        raise
    except SelfHostedError:
        return None
    return document if isinstance(document, dict) and "openapi" in document else None


def login(dialect: Dialect, credential: Credential) -> Flow[str]:
    """Exchange user and password for a token, and return base64(user:token); an existing token is returned unchanged.

    :param dialect: the server's dialect
    :param credential: the credential
    :raises AuthenticationError: if it is rejected. Do not retry: more than ten failures per minute lock the address out
    """
    if credential.token:
        return credential.token
    return (yield from _request_token(dialect, dialect.password_headers(credential.basic), credential))


def detect_dialect(credential: Credential) -> Flow[tuple[Dialect, str]]:
    """Detect the dialect and sign in: on older servers, only a login shows the dialect.

    :param credential: the credential
    :return: the dialect, and base64(user:token)
    :raises AuthenticationError: if the credential is rejected
    """
    dialect = (yield from _detect_by_description()) or (yield from _detect_by_rejection())
    if dialect:
        return dialect, (yield from login(dialect, credential))
    return (yield from _detect_by_login(credential))


def _detect_by_description() -> Flow[Dialect | None]:
    document = yield from get_openapi()
    urls = [str(server.get("url", "")).rstrip("/") for server in (document or {}).get("servers", [])]
    if any(url.endswith(UP_TO_2_2.base) for url in urls):
        return UP_TO_2_2
    return SINCE_2_3 if any(url.endswith(SINCE_2_3.base) for url in urls) else None


def _detect_by_rejection() -> Flow[Dialect | None]:
    """Request the session without a credential: 2.3 rejects this, older servers do not have the route."""
    try:
        yield Request("GET", "/api/userSession")
    except AuthenticationError as rejection:
        return SINCE_2_3 if rejection.message == "Unauthorized" else None
    except NO_RESPONSE_ERRORS:
        raise
    except SelfHostedError:
        pass
    return None


def _detect_by_login(credential: Credential) -> Flow[tuple[Dialect, str]]:
    """Sign in with the headers of both older dialects: each reads its own and ignores the other's."""
    token = credential.token
    if not token:
        basic = credential.basic
        headers = UP_TO_2_2.password_headers(basic) | ESPO.password_headers(basic)
        token = yield from _request_token(UP_TO_2_2, headers, credential)
    yield Secret(token)
    try:
        yield UP_TO_2_2.translate(Request("GET", "/api/userSession", headers=UP_TO_2_2.token_headers(token)))
    except AuthenticationError:
        yield ESPO.translate(Request("GET", "/api/userSession", headers=ESPO.token_headers(token)))
        return ESPO, token
    return UP_TO_2_2, token


def _request_token(dialect: Dialect, headers: Mapping[str, str], credential: Credential) -> Flow[str]:
    yield Secret(credential.basic)
    path = dialect.translate(Request("GET", "/api/userSession")).path
    reply = yield Request("GET", path, headers={**headers, "Authorization-Token-Only": "true"})
    session = reply.json()
    if "authorizationToken" in session:
        return str(session["authorizationToken"])
    # cores before 1.3.12 return user and token, and the client joins them
    return _encode_basic(session["user"]["userName"], session["token"])


def _encode_basic(user: str, secret: str) -> str:
    return b64encode(f"{user}:{secret}".encode()).decode()
