"""Middleware that keeps web pages away from the control routes.

A page in a browser on this machine can send requests to any port of it: by a form, or under its own name after that
name was changed to resolve to 127.0.0.1 (DNS rebinding). Browsers send ``Host`` and ``Origin``, which reveal both.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class LoopbackOnly:
    """Middleware that rejects requests to other names, and requests of pages of other origins.

    :param app: the app
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with status 403."""
        reason = find_reason_to_reject(Headers(scope=scope), scope["server"][1])
        app = PlainTextResponse(f"{reason}\n", 403) if reason else self.app
        await app(scope, receive, send)


def find_reason_to_reject(headers: Headers, port: int) -> str:
    """Return one sentence, or an empty text if the request is allowed.

    :param headers: headers of the request
    :param port: port of the sandbox
    """
    hosts = [f"{name}:{port}" for name in LOOPBACK_NAMES]
    host, origin = headers.get("host", "").lower(), headers.get("origin")
    if host not in hosts:
        return f"The Host header of control routes must be one of {', '.join(hosts)}, not {host!r}."
    if origin is not None and origin != f"http://{host}":
        return f"Control routes are not available to pages of {origin!r}."
    return ""
