"""Malformed responses, in place of the response that a product has built."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from starlette.responses import HTMLResponse, Response
from starlette.types import Message

PAGE = "<!doctype html><html><head><title>Sign in</title></head><body><form method=post></form></body></html>"
DEFAULT_STATUS = 200
WRONG_VALUE = 1  # of each field of an object
STATUSES_WITHOUT_BODY = (204, 304)


def build_malformed_response(variant: str, messages: Sequence[Message]) -> Response:
    """Return the response, with the status of the original one.

    :param variant: one of ``VARIANTS`` of `faults.py`
    :param messages: the ASGI messages of the original response; empty if the request was not processed
    """
    status = messages[0]["status"] if messages else DEFAULT_STATUS
    status = DEFAULT_STATUS if status in STATUSES_WITHOUT_BODY else status
    if variant == "html":
        return HTMLResponse(PAGE, status)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Response(_BUILDERS[variant](body), status, media_type="application/json")


def _truncate(body: bytes) -> bytes:
    return body[: len(body) // 2] or b'{"data": '


def _change_shape(body: bytes) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return json.dumps(dict.fromkeys(value, WRONG_VALUE)).encode()
    return b"{}" if isinstance(value, list) else b"[]"


def _replace_by_null(body: bytes) -> bytes:
    return b"null"


_BUILDERS: dict[str, Callable[[bytes], bytes]] = {
    "truncated": _truncate,
    "shape": _change_shape,
    "null": _replace_by_null,
}
