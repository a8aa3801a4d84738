"""Session, login, and detection of a server's dialect. Only these requests are written in a certain dialect."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NotRequired, TypeVar

from typing_extensions import TypedDict

from self_hosted.atrocore.api.dialects import ESPO, SINCE_2_3, UP_TO_2_2, Dialect
from self_hosted.core.http.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    SelfHostedError,
    UnavailableError,
    UnreachableError,
)
from self_hosted.core.http.flow import Flow, Reply, Request, Secret
from self_hosted.core.http.shape import JsonObject, check_shape

T = TypeVar("T")

TOKEN_FIELDS = ("authorizationToken", "token")
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


class User(TypedDict):
    """The field of a user that is read."""

    userName: str


class Session(TypedDict):
    """The fields of a session that are read."""

    user: NotRequired[User]
    token: NotRequired[str]
    authorizationToken: NotRequired[str]


class _OldSession(TypedDict):
    user: User
    token: str


class OpenApiServer(TypedDict):
    """A server of an OpenAPI document."""

    url: NotRequired[str]


class OpenApi(NamedTuple):
    """The server's description of its API.

    :param reply: the response with the document
    :param document: the document, unchecked
    """

    reply: Reply
    document: Mapping[str, Any]


def get() -> Flow[dict[str, Any]]:
    """Return the session: ``user``, ``settings``, ``acl`` and more, without its token (``GET /api/userSession``)."""
    _, current = yield from read(Session)
    return {name: value for name, value in current.items() if name not in TOKEN_FIELDS}


def read(shape: type[T]) -> Flow[tuple[Reply, T]]:
    """Return the response with the session, and the session itself (``GET /api/userSession``).

    :param shape: the shape that it must have
    """
    reply = yield Request("GET", "/api/userSession")
    for secret in _secrets(check_shape(reply, reply.json(), Session)):
        yield Secret(secret)
    return reply, check_shape(reply, reply.json(), shape)


def describe_user() -> Flow[str]:
    """Return the name of the user who is signed in (``GET /api/userSession``)."""
    reply = yield Request("GET", "/api/userSession")
    current = check_shape(reply, reply.json(), Session)
    return reply.clean(current["user"]["userName"]) if "user" in current else "an unknown user"


def get_core_version() -> Flow[str | None]:
    """Return the version of the core, or None if the server does not describe its API (``GET /openapi.json``)."""
    openapi = yield from get_openapi()
    if openapi is None:
        return None
    info = check_shape(openapi.reply, openapi.document.get("info"), JsonObject, "info")
    return openapi.reply.clean(check_shape(openapi.reply, info.get("version"), str, "info.version"))


def get_openapi() -> Flow[OpenApi | None]:
    """Return the server's OpenAPI document, or None if it has or shows none (``GET /openapi.json``)."""
    try:
        reply = yield Request("GET", "/openapi.json")
        document = reply.json()
    except NO_RESPONSE_ERRORS:
        raise
    except SelfHostedError:
        return None
    return OpenApi(reply, document) if isinstance(document, dict) and "openapi" in document else None


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
    openapi = yield from get_openapi()
    if openapi is None:
        return None
    servers = check_shape(openapi.reply, openapi.document.get("servers", []), list[OpenApiServer], "servers")
    urls = [server.get("url", "").rstrip("/") for server in servers]
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
        yield from _check_token(UP_TO_2_2, token)
    except AuthenticationError:
        yield from _check_token(ESPO, token)
        return ESPO, token
    return UP_TO_2_2, token


def _check_token(dialect: Dialect, token: str) -> Flow[None]:
    """Request the session with a token: a page of another server, which accepts any, is no session."""
    reply = yield dialect.translate(Request("GET", "/api/userSession", headers=dialect.token_headers(token)))
    check_shape(reply, reply.json(), Session)


def _request_token(dialect: Dialect, headers: Mapping[str, str], credential: Credential) -> Flow[str]:
    yield Secret(credential.basic)
    path = dialect.translate(Request("GET", "/api/userSession")).path
    reply = yield Request("GET", path, headers={**headers, "Authorization-Token-Only": "true"})
    session = check_shape(reply, reply.json(), Session)
    for secret in _secrets(session):
        yield Secret(secret)
    if "authorizationToken" in session:
        return session["authorizationToken"]
    # cores before 1.3.12 return user and token, and the client joins them
    parts = check_shape(reply, {name: session.get(name) for name in ("user", "token")}, _OldSession)
    return _encode_basic(parts["user"]["userName"], parts["token"])


def _secrets(session: Session) -> Iterator[str]:
    """Yield the tokens of a session: with the user's name, as headers carry it, and alone."""
    if session.get("token"):
        yield session["token"]
    if session.get("authorizationToken"):
        yield session["authorizationToken"]
        try:
            user_and_token = b64decode(session["authorizationToken"]).decode()
        except ValueError:
            return
        if token := user_and_token.partition(":")[2]:
            yield token


def _encode_basic(user: str, secret: str) -> str:
    return b64encode(f"{user}:{secret}".encode()).decode()
