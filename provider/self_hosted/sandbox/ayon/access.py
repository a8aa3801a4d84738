"""Who is asking: keys, sessions, acting as others; and what one may read about users."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.answers import Outage, Refusal, malformed, refused
from self_hosted.sandbox.ayon.studio import Record, Studio, is_manager

NAME = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.\-]*[a-zA-Z0-9_])?")
MOST_FAILURES = 10

Handler = Callable[[Studio, Request, Record], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(studio: Callable[[], Studio], handler: Handler) -> Endpoint:
    """A handler that is told who asks, and whose refusals become answers."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(studio(), request, user_of(studio(), request))
        except Refusal as refusal:
            return refusal.response

    return endpoint


def public(studio: Callable[[], Studio], handler: Callable[[Studio, Request], Awaitable[Response]]) -> Endpoint:
    """A handler for anybody."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(studio(), request)
        except Refusal as refusal:
            return refusal.response

    return endpoint


def user_of(studio: Studio, request: Request) -> Record:
    """The user whose credential a request carries, or whom it acts as."""
    user = studio.users[_name_of(studio, request)]
    acting_as = request.headers.get("x-as-user")
    if not acting_as or not user["data"].get("isService"):
        return user  # silently
    if acting_as not in studio.users:
        raise Refusal(Outage())
    return studio.users[acting_as]


def _name_of(studio: Studio, request: Request) -> str:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key") or (credential if kind.lower() == "apikey" else "")
    if key:
        return _name_of_key(studio, key)
    if kind.lower() != "bearer" or len(credential) != 64:
        raise refused(401, "Access token is missing")
    if credential not in studio.sessions:
        raise refused(401, "Invalid session")
    return studio.sessions[credential]


def _name_of_key(studio: Studio, key: str) -> str:
    if key in studio.keys:
        return studio.keys[key]
    known = key in studio.refused_keys  # for a minute, on the real server
    studio.refused_keys.add(key)
    raise refused(401, "Invalid session" if known else "Invalid API key")


async def login(studio: Studio, request: Request) -> Response:
    """Exchange a password for a token."""
    body = await request.json()
    missing = {field: "field required" for field in ("name", "password") if field not in body}
    if missing:
        raise malformed(request, missing)
    if studio.failed_logins > MOST_FAILURES:
        raise refused(403, "Too many failed login attempts")
    user = studio.users.get(body["name"])
    if user and user["data"].get("isService"):
        raise refused(403, "Service users cannot log in")
    if user is None or studio.passwords.get(body["name"]) != body["password"]:
        studio.failed_logins += 1
        raise refused(403, "Invalid login/password combination")
    token = secrets.token_hex(32)
    studio.sessions[token] = body["name"]
    answer = {"detail": f"Logged in as {body['name']}", "error": None, "token": token, "user": user}
    return JSONResponse({**answer, "redirectUrl": None})


async def logout(studio: Studio, request: Request) -> Response:
    """End a session."""
    studio.sessions.pop(request.headers.get("authorization", "").partition(" ")[2], None)
    return JSONResponse({"detail": "Logged out"})


async def me(studio: Studio, request: Request, user: Record) -> Response:
    """The user that asks, or is acted as."""
    return JSONResponse({**user, "uiExposureLevel": 500})


async def get_user(studio: Studio, request: Request, user: Record) -> Response:
    """A user: everything for managers and oneself, else hardly more than the name."""
    name = request.path_params["user"]
    if name not in studio.users:
        raise refused(404, f"User {name} not found")
    found = studio.users[name]
    if is_manager(user) or found is user:
        return JSONResponse(found)
    return JSONResponse({"name": name, "attrib": found["attrib"], "data": {}, "active": True})


def senders_of(request: Request) -> tuple[str | None, str]:
    """What a request's events are marked with; what is not of the right form is dropped without a word."""
    sender, kind = request.headers.get("x-sender"), request.headers.get("x-sender-type")
    return _named(sender) or None, _named(kind) or "api"


def _named(given: Any) -> str:
    return given if given and NAME.fullmatch(given) else ""
