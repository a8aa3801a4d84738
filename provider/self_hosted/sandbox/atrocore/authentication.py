"""Authentication in the three dialects: headers, passwords, tokens."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from uuid import uuid4

from self_hosted.sandbox.atrocore.errors import ApiError, AuthenticationError
from self_hosted.sandbox.atrocore.state import State

MAX_FAILED_LOGINS = 10
FAILED_LOGIN_PERIOD_SECONDS = 60


def authenticate(state: State, headers: Mapping[str, str]) -> str:
    """Return the name of the user of a request to any route but login.

    These routes accept tokens only. The dialect "espo" also accepts passwords and creates a token for each.

    :raises ApiError: if the credentials are missing or invalid
    """
    name, secret = read_credentials(state, headers)
    if is_valid_token(state, name, secret):
        return name
    if state.dialect != "espo" or headers.get("espo-authorization-by-token") == "true":
        raise AuthenticationError(state.is_new)
    check_password(state, name, secret)
    if "espo-authorization" in headers:
        create_token(state, name)
    return name


def read_credentials(state: State, headers: Mapping[str, str]) -> tuple[str, str]:
    """Return user name and password or token. The dialect's own header has priority over Basic.

    :raises ApiError: if there are none
    """
    own_header = "espo-authorization" if state.dialect == "espo" else "authorization-token"
    credentials = _decode(headers.get(own_header)) or _decode_basic(headers)
    if credentials is None:
        raise AuthenticationError(state.is_new, is_missing=own_header not in headers)
    return credentials


def is_valid_token(state: State, name: str, token: str) -> bool:
    """Return whether a token belongs to an active user."""
    return state.tokens.get(token) == name and _is_active(state, name)


def check_password(state: State, name: str, password: str) -> None:
    """Check a password.

    :raises ApiError: if the password is wrong, or if there were too many failed logins
    """
    now = state.now()
    state.failed_logins = [moment for moment in state.failed_logins if now - moment < FAILED_LOGIN_PERIOD_SECONDS]
    if len(state.failed_logins) > MAX_FAILED_LOGINS:
        raise ApiError(403, "Max failed login attempts exceeded.")
    if password not in {state.users.get(name), state.former_passwords.get(name)} or not _is_active(state, name):
        state.failed_logins.append(now)
        raise AuthenticationError(state.is_new)


def create_token(state: State, name: str) -> str:
    """Return a new token of a user."""
    token = uuid4().hex
    state.tokens[token] = name
    return token


def _is_active(state: State, name: str) -> bool:
    user = state.find_user(name)
    return user is None or bool(user.get("isActive"))


def _decode_basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return _decode(credentials) if scheme == "Basic" else None


def _decode(credentials: str | None) -> tuple[str, str] | None:
    if not credentials:
        return None
    try:
        name, _, secret = b64decode(credentials).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return None
    return name, secret
