"""Signing in, in three dialects."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from self_hosted.sandbox.atrocore.answers import Call, Refused, answer
from self_hosted.sandbox.atrocore.state import State

MOST_DENIED, WITHIN = 10, 60


def user(state: State, call: Call) -> Response:
    """``userSession`` and ``App/user``: tells who is signed in, and earns a token for a password."""
    name, secret = _credential(state, call.headers)
    token = secret
    if state.tokens.get(secret) != name:
        if state.dialect != "espo" and "authorization-token" in call.headers:
            raise Refused(401, "Unauthorized")
        _check_password(state, name, secret)
        # the founding dialect has tokens only for who sends its own header
        token = _new_token(state, name) if state.dialect != "espo" or "espo-authorization" in call.headers else ""
    return answer(_session(state, name, token, token_only=call.headers.get("authorization-token-only")))


def authenticate(state: State, headers: Mapping[str, str]) -> None:
    """Every other route: only tokens; the founding dialect takes passwords too, and makes a token of each."""
    name, secret = _credential(state, headers)
    if state.tokens.get(secret) == name:
        return
    if state.dialect != "espo" or headers.get("espo-authorization-by-token") == "true":
        raise Refused(401, "Unauthorized")
    _check_password(state, name, secret)
    if "espo-authorization" in headers:
        _new_token(state, name)


def _credential(state: State, headers: Mapping[str, str]) -> tuple[str, str]:
    """Name and password or token; the dialect's own header comes before Basic."""
    own = "espo-authorization" if state.dialect == "espo" else "authorization-token"
    given = _pair(headers.get(own)) or _basic(headers)
    if given is None:
        raise Refused(401, "Unauthorized")
    return given


def _check_password(state: State, name: str, password: str) -> None:
    now = time.monotonic()
    state.denied = [moment for moment in state.denied if now - moment < WITHIN]
    if len(state.denied) > MOST_DENIED:
        raise Refused(403, "Max failed login attempts exceeded.")
    if state.users.get(name) != password:
        state.denied.append(now)
        raise Refused(401, "Unauthorized")


def _session(state: State, name: str, token: str, *, token_only: str | None) -> dict[str, Any]:
    session: dict[str, Any] = {"token": token, "user": {"userName": name, "isAdmin": True}, "acl": {}, "settings": {}}
    if state.core < (1, 3, 12):
        return session
    ready = {"authorizationToken": b64encode(f"{name}:{token}".encode()).decode()}
    return ready if token_only in {"true", "1"} else {**session, **ready}


def _new_token(state: State, name: str) -> str:
    token = uuid4().hex
    state.tokens[token] = name
    return token


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    kind, _, credential = headers.get("authorization", "").partition(" ")
    return _pair(credential) if kind == "Basic" else None


def _pair(credential: str | None) -> tuple[str, str] | None:
    if not credential:
        return None
    try:
        name, _, secret = b64decode(credential).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return None
    return name, secret
