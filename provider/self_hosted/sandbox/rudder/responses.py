"""Responses as Rudder writes them: JSON envelopes for endpoints, HTML pages for everything else."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import HTMLResponse, Response

from self_hosted.sandbox.rudder.calls import Endpoint, Result
from self_hosted.sandbox.rudder.errors import ApiError, VersionError
from self_hosted.sandbox.rudder.state import Account

PAGE = "<!doctype html><html><head><title>{status}</title></head><body><h1>{status} {reason}</h1></body></html>"
JSON_TYPE = "application/json;charset=utf-8"


def build_success_response(result: Result, endpoint: Endpoint, *, prettify: bool = False) -> Response:
    """Return the envelope of a result."""
    id_field = {} if result.id is None else {"id": result.id}
    action = result.action or endpoint.action
    return _build_json({"action": action, **id_field, "result": "success", "data": result.data}, prettify=prettify)


def build_error_response(error: ApiError, endpoint: Endpoint, *, prettify: bool = False) -> Response:
    """Return the envelope of an error, always with status 500."""
    id_field = {} if error.id is None else {"id": error.id}
    is_about_version = isinstance(error, VersionError)
    action = error.action if isinstance(error, VersionError) else endpoint.action
    body = {"action": action, **id_field, "result": "error", "errorDetails": error.message}
    return _build_json(body, 500, prettify=prettify or is_about_version)


def build_forbidden_response(account: Account, endpoint: Endpoint) -> Response:
    """Return the error for a missing right; unlike other envelopes, it has several lines."""
    target = f"{endpoint.method} api/latest{endpoint.path}"
    message = f"Authorization error: User '{account.id}' is not allowed to access {target}"
    body = {"action": endpoint.name or endpoint.action, "result": "error", "errorDetails": message}
    return _build_json(body, 403, prettify=True)


def build_unsupported_method_response(method: str) -> Response:
    """Return the error for a method that no endpoint has."""
    message = f"Bad request: API does not support HTTP request type '{method}'"
    return _build_json({"action": "unknown", "result": "error", "errorDetails": message}, 500, prettify=True)


def build_invalid_json_response() -> Response:
    """Return the error for a malformed JSON body; it has no action."""
    message = "The request has a JSON content type but the body is not valid JSON"
    return _build_json({"result": "error", "errorDetails": message}, 412, prettify=True)


def build_unauthorized_page() -> Response:
    """Return the page for a missing, unknown or expired token."""
    return _build_page(401, "Unauthorized")


def build_not_found_page() -> Response:
    """Return the page for an unknown address."""
    return _build_page(404, "Not Found")


def _build_json(body: dict[str, Any], status: int = 200, *, prettify: bool = False) -> Response:
    separators = None if prettify else (",", ":")
    text = json.dumps(body, indent=2 if prettify else None, ensure_ascii=False, separators=separators)
    return Response(text, status, media_type=JSON_TYPE)


def _build_page(status: int, reason: str) -> Response:
    return HTMLResponse(PAGE.format(status=status, reason=reason), status)
