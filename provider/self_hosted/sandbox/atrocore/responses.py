"""Responses as AtroCore writes them: JSON for success, plain text with X-Status-Reason for errors."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.errors import ApiError


def build_response(data: Any) -> Response:
    """Return a successful response; the status is always 200."""
    return Response(json.dumps(data), media_type="application/json")


def build_not_modified() -> Response:
    """Return the response to an update without changes."""
    return Response(status_code=304)


def build_error_response(error: ApiError, *, header_only: bool) -> Response:
    """Return an error response.

    :param header_only: whether the body is empty, as in the dialect "espo"
    """
    reason = " ".join(error.message.split()).encode("latin-1", "replace").decode("latin-1")
    headers = {"X-Status-Reason": reason} if reason else {}
    return Response("" if header_only else error.message, error.status, headers, media_type="text/html")
