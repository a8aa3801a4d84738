"""Authentication by API key, password, session or bearer token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.errors import ApiError, access_denied, internal_error
from self_hosted.sandbox.assemblyline.roles import ALL_ROLES, READ_ROLES, STANDARD_ROLES

PASSWORDS = {"admin": "admin"}
USERS = {*PASSWORDS, "user"}
API_KEYS = {  # user and key to roles
    ("admin", "sandbox:sandbox-secret"): STANDARD_ROLES,
    ("admin", "readonly:readonly-secret"): READ_ROLES,
    ("admin", "full:full-secret"): ALL_ROLES,
    ("user", "sandbox:user-secret"): STANDARD_ROLES,
}
CONNECTION_KEY, KEY_NAME_PREFIX = ("admin", "sandbox:sandbox-secret"), "sandbox:"
BEARER_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2FuZGJveA"  # noqa: S105 valid only in the sandbox
LOGIN_METHODS = {"allow_saml_login": False, "allow_signup": False, "allow_userpass_login": True}


@dataclass(frozen=True)
class Session:
    """An authenticated user. A session by password has all roles, and requires its XSRF token."""

    user: str
    roles: tuple[str, ...]
    xsrf_token: str | None


@dataclass
class Authentication:
    """The sessions, and the number of logins."""

    sessions: dict[str, Session] = field(default_factory=dict)
    login_count: int = 0
    api_keys: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=lambda: API_KEYS)
    connection_key: tuple[str, str] = CONNECTION_KEY

    def add_key(self, secret: str) -> None:
        """Add another API key of the account of the connection, which then contains it.

        :param secret: secret of the key
        """
        self.connection_key = (CONNECTION_KEY[0], f"{KEY_NAME_PREFIX}{secret}")
        self.api_keys = {**self.api_keys, self.connection_key: STANDARD_ROLES}

    def revoke_former_keys(self) -> None:
        """Remove the keys that `add_key` has replaced, and all sessions."""
        user, _ = current = self.connection_key
        self.api_keys = {
            key: roles
            for key, roles in self.api_keys.items()
            if key == current or key[0] != user or not key[1].startswith(KEY_NAME_PREFIX)
        }
        self.sessions.clear()

    def log_in(self, credentials: dict[str, Any]) -> tuple[str, Session]:
        """Return the id and the data of a new session.

        :param credentials: ``user`` and ``apikey``, or ``user`` and ``password``
        """
        self.login_count += 1
        user, key = str(credentials.get("user")), credentials.get("apikey")
        roles = self.api_keys.get((user, str(key))) if key else ALL_ROLES
        if roles is None or (not key and PASSWORDS.get(user) != credentials.get("password")):
            raise ApiError(401, "Invalid user or APIKey" if key else "Wrong username or password")
        session = Session(user, roles, None if key else secrets.token_hex(20))
        session_id = secrets.token_urlsafe(30)
        self.sessions[session_id] = session
        return session_id, session

    def authenticate(self, request: Request, path: str) -> Session:
        """Return the user of a request. An Authorization header takes precedence, and must be a JWT.

        :param path: path of the request, for error messages
        """
        authorization = request.headers.get("authorization")
        if authorization:
            return _authenticate_token(authorization, path)
        user, key = request.headers.get("x-user"), request.headers.get("x-apikey")
        if user is not None and key is not None:
            return self._authenticate_key(user, key)
        return self._find_session(request, path)

    def _authenticate_key(self, user: str, key: str) -> Session:
        roles = self.api_keys.get((user, key))
        if roles is None:
            raise ApiError(401, "Invalid user or APIKey", LOGIN_METHODS)
        return Session(user, roles, None)

    def _find_session(self, request: Request, path: str) -> Session:
        session = self.sessions.get(request.cookies.get("session", ""))
        if session is None:
            raise ApiError(401, "Session not found", LOGIN_METHODS)
        if session.xsrf_token and request.headers.get("x-xsrf-token") != session.xsrf_token:
            raise access_denied(path, "Invalid XSRF token")
        return session


def _authenticate_token(authorization: str, path: str) -> Session:
    token = authorization.rsplit(" ", 1)[-1]
    if token.count(".") != 2:
        raise internal_error()
    if token != BEARER_TOKEN:
        raise access_denied(path, "oAuth login is disabled")
    return Session("admin", STANDARD_ROLES, None)
