"""Reading of requests as the real server does it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.errors import ApiError


def get_path(request: Request) -> str:
    """Return the path relative to the base URL of the fake server."""
    return str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))


def has_flag(request: Request, name: str) -> bool:
    """Return whether a query parameter is true; a parameter without a value is.

    :param name: name of the parameter
    """
    return request.query_params.get(name, "false").lower() in {"true", ""}


async def read_json(request: Request) -> Any:
    """Return the JSON of the body.

    :raises ApiError: with status 200 for another content type, as on the real server; with 400 if it is not JSON
    """
    if "json" not in request.headers.get("content-type", ""):
        reason = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
        raise ApiError(200, f"415 Unsupported Media Type: {reason}")
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ApiError(400, "No data block provided or data block not in JSON format.'") from None
