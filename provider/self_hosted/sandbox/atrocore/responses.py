"""Responses as AtroCore writes them: JSON for success, plain text with X-Status-Reason for errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from self_hosted.sandbox.atrocore.errors import NO_STATUS, ApiError

UNKNOWN_PAGE = "<html><head><title>404 Page Not Found</title></head><body><h1>404 Page Not Found</h1></body></html>"


def build_response(data: Any) -> Response:
    """Return a successful response; the status is always 200."""
    return Response(json.dumps(data), media_type="application/json")


def build_not_modified() -> Response:
    """Return the response to an update without changes."""
    return Response(status_code=304, headers={"X-Status-Reason": ""}, media_type="text/html")


def build_page(text: str, status: int = 404, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that has no reason in a header."""
    return Response(text, status, dict(headers or {}), media_type="text/html")


def build_error_response(error: ApiError, *, header_only: bool) -> Response:
    """Return an error response.

    :param header_only: whether the body is empty, as in the dialect "espo"
    """
    if error.hidden:
        return build_page("", error.status, error.headers)
    reason = " ".join(error.message.split()).encode("latin-1", "replace").decode("latin-1")
    body = "" if header_only else error.message
    if error.status == NO_STATUS:
        return ResponseWithoutStatus(body, reason)
    return Response(body, error.status, {"X-Status-Reason": reason}, media_type="text/html")


class ResponseWithoutStatus(Response):
    """A response whose status line has no status, which clients report as malformed.

    :param text: the body
    :param reason: the reason in the header
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, 500, {"X-Status-Reason": reason}, media_type="text/html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, on a connection that ends with it."""
        # ASGI offers no way to do this; `receive` is a method of uvicorn's request cycle, which holds the connection
        cycle: Any = getattr(receive, "__self__", None)
        if not hasattr(cycle, "transport"):  # in front of a fault that reads the request first
            await super().__call__(scope, receive, send)
            return
        cycle.response_complete = cycle.response_started = True  # otherwise uvicorn responds with status 500
        head = b"".join(name + b": " + value + b"\r\n" for name, value in self.raw_headers)
        cycle.transport.write(b"HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n" + bytes(self.body))
        cycle.transport.close()
