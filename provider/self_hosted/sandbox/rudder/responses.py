"""Responses as Rudder writes them: JSON envelopes for endpoints, HTML pages for everything else."""

from __future__ import annotations

import json

from starlette.responses import HTMLResponse, JSONResponse, Response

from self_hosted.sandbox.rudder.calls import Endpoint, Result
from self_hosted.sandbox.rudder.errors import ApiError, VersionError
from self_hosted.sandbox.rudder.state import Account

PAGE = "<!doctype html><html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"


def build_success_response(result: Result, endpoint: Endpoint) -> Response:
    """Return the envelope of a result."""
    id_field = {} if result.id is None else {"id": result.id}
    action = result.action or endpoint.action
    return JSONResponse({"action": action, **id_field, "result": "success", "data": result.data})


def build_error_response(error: ApiError, endpoint: Endpoint) -> Response:
    """Return the envelope of an error, always with status 500."""
    id_field = {} if error.id is None else {"id": error.id}
    action = "unknow" if isinstance(error, VersionError) else endpoint.action  # Rudder's own spelling
    return JSONResponse({"action": action, **id_field, "result": "error", "errorDetails": error.message}, 500)


def build_forbidden_response(account: Account, endpoint: Endpoint) -> Response:
    """Return the error for a missing right; unlike other envelopes, it has several lines."""
    target = f"{endpoint.method} api/latest{endpoint.path}"
    message = f"Authorization error: User '{account.id}' is not allowed to access {target}"
    body = {"action": endpoint.action, "result": "error", "errorDetails": message}
    return Response(json.dumps(body, indent=2), 403, media_type="application/json;charset=utf-8")


def build_invalid_json_response() -> Response:
    """Return the error for a malformed JSON body; it has no action."""
    message = "The request has a JSON content type but the body is not valid JSON"
    return JSONResponse({"result": "error", "errorDetails": message}, 412)


def build_unauthorized_page() -> Response:
    """Return the page for a missing, unknown or expired token."""
    return _build_page(401, "Unauthorized")


def build_not_found_page() -> Response:
    """Return the page for an unknown address."""
    return _build_page(404, "Not Found")


def _build_page(status: int, reason: str) -> Response:
    return HTMLResponse(PAGE.format(status=status, reason=reason), status)
