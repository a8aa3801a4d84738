"""How the stand-in answers: the envelope, and the HTML that gets out where the real server forgets its envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

VERSION = "4.7.4.25"


class Refusal(Exception):
    """An answer that is an error.

    :param status: HTTP status
    :param words: what the server says
    :param response: what it puts into the envelope beside it
    """

    def __init__(self, status: int, words: str, response: Any = "") -> None:
        super().__init__(words)
        self.status, self.words, self.response = status, words, response


def answer(
    response: Any, status: int = 200, words: str | None = "", headers: Mapping[str, str] | None = None
) -> Response:
    """A result in its envelope."""
    envelope = {
        "api_error_message": words,
        "api_response": response,
        "api_server_version": VERSION,
        "api_status_code": status,
    }
    return JSONResponse(envelope, status, headers)


def denied(path: str, reason: str) -> Refusal:
    """A 403 as all of the server's are."""
    auth = {"allow_2fa": True, "allow_apikeys": True, "allow_security_tokens": True}
    return Refusal(403, f"Access Denied ({path}) [{reason}]", {"auth": auth, "ui": {"read_only": False}})


def redirected(url: str) -> Response:
    """What a path without its last slash is answered with."""
    page = f"<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>{url}"
    return HTMLResponse(page, 308, {"Location": url})


def wrong_method() -> Response:
    """What another method than the route's is answered with."""
    title = "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>"
    return HTMLResponse(f"{title}\n<p>The method is not allowed for the requested URL.</p>\n", 405)


def path_of(request: Request) -> str:
    """The path as the server names it, without what the stand-in stands below."""
    return str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))


def is_set(request: Request, name: str) -> bool:
    """Whether a parameter of the address is a yes; without a value it counts as one."""
    return request.query_params.get(name, "false").lower() in {"true", ""}


async def body_of(request: Request) -> Any:
    """The JSON that was sent. Another type is an error that the server gives the status 200."""
    if "json" not in request.headers.get("content-type", ""):
        reason = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        raise Refusal(200, f"415 Unsupported Media Type: {reason}")
    try:
        return json.loads(await request.body())
    except ValueError:
        raise Refusal(400, "No data block provided or data block not in JSON format.'") from None
