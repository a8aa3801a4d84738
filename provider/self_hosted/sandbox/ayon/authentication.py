"""Credentials of requests: API keys, sessions, and acting as another user."""

from __future__ import annotations

from starlette.requests import Request

from self_hosted.sandbox.ayon.errors import ApiError, CrashError
from self_hosted.sandbox.ayon.state import Record, State

TOKEN_LENGTH = 64


def authenticate(state: State, request: Request) -> Record:
    """Return the user of a request: that of its credentials, or the one as whom a service user acts.

    :raises ApiError: if the credentials are missing or invalid, or the other user does not exist
    """
    user = state.users[_find_user_name(state, request)]
    acts_as = request.headers.get("x-as-user")
    if not acts_as or not user["data"].get("isService"):
        return user  # other users' headers have no effect
    if acts_as not in state.users:
        raise CrashError()
    return state.users[acts_as]


def read_bearer_token(request: Request) -> str:
    """Return the session token of a request, or an empty string."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials if scheme.lower() == "bearer" else ""


def _find_user_name(state: State, request: Request) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key") or (credentials if scheme.lower() == "apikey" else "")
    if key:
        return _find_user_name_of_key(state, key)
    token = read_bearer_token(request)
    if len(token) != TOKEN_LENGTH:
        raise ApiError(401, "Access token is missing")
    if token not in state.sessions:
        raise ApiError(401, "Invalid session")
    return state.sessions[token]


def _find_user_name_of_key(state: State, key: str) -> str:
    if key in state.api_keys:
        return state.api_keys[key]
    is_repeated = key in state.rejected_keys  # the real server remembers them for a minute
    state.rejected_keys.add(key)
    raise ApiError(401, "Invalid session" if is_repeated else "Invalid API key")
