"""Responses: the envelope of the API, and the HTML pages that the real server sends for unusual requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

SERVER_VERSION = "4.7.4.25"


def envelope(
    response: Any, status: int = 200, message: str | None = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a result in the envelope.

    :param response: value of ``api_response``
    :param status: HTTP status, also the value of ``api_status_code``
    :param message: value of ``api_error_message``
    :param headers: additional headers
    """
    content = {
        "api_error_message": message,
        "api_response": response,
        "api_server_version": SERVER_VERSION,
        "api_status_code": status,
    }
    return JSONResponse(content, status, headers)


def redirect(url: str) -> Response:
    """Return the redirect of a path without its final slash.

    :param url: URL with the slash
    """
    page = f"<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>{url}"
    return HTMLResponse(page, 308, {"Location": url})


def method_not_allowed() -> Response:
    """Return the page for a method that the path does not support."""
    title = "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>"
    return HTMLResponse(f"{title}\n<p>The method is not allowed for the requested URL.</p>\n", 405)
