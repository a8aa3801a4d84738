"""Errors of AYON's responses: the status alone is ambiguous, so the body is read as well."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    SelfHostedError,
    error_class_for_status,
)
from self_hosted.core.http.flow import Reply

LOGIN_PATH = "/api/auth/login"
GRAPHQL_PATH = "/graphql"
INVALID_REFERENCE = re.compile(r'is not present in table "|Missing required field')
CACHED_REJECTION = "Invalid session"


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    - 500 as plain text is an outage of database or Redis: the request may have been carried out.
    - 500 as JSON is a bug or invalid input, or, by the ``code`` in the body, a conflict (409) or a bad request (400).
    - 409 means "already exists" as well as "refers to a missing object".
    - 403 means a rejected login at the login endpoint, and a missing permission elsewhere.
    - GraphQL answers 200 in all cases.

    :param reply: any reply of AYON
    """
    if reply.status < 400:
        return _graphql_error(reply) if reply.request.path == GRAPHQL_PATH else reply.default_error()
    body = _read_body(reply)
    if reply.status == 500 and not body:
        return reply.error(OutcomeUnknownError, f"the server is failing: {reply.text[:80]!r}")
    status = body.get("code", 500) if reply.status == 500 else reply.status
    message = _read_message(reply, body)
    if status == 409:
        return reply.error(InvalidRequestError if INVALID_REFERENCE.search(message) else ConflictError, message)
    if status == 403 and reply.request.path == LOGIN_PATH:
        return reply.error(AuthenticationError, message)
    return reply.error(error_class_for_status(status), message)


def _graphql_error(reply: Reply) -> SelfHostedError | None:
    errors = reply.json().get("errors")
    if not errors:
        return None
    status = errors[0].get("extensions", {}).get("status", 400)
    return reply.error(error_class_for_status(status), str(errors[0]["message"]))


def _read_body(reply: Reply) -> dict[str, Any]:
    """Return the error in JSON; empty for the page of a proxy and for the plain text of an outage."""
    body = reply.json() if reply.is_json else None
    return body if isinstance(body, dict) else {}


def _read_message(reply: Reply, body: dict[str, Any]) -> str:
    message = str(body.get("detail") or "rejected without a reason")
    if message == CACHED_REJECTION and "X-Api-Key" in reply.request.headers:
        return "Invalid API key"  # the text of the first rejection; AYON caches invalid keys for a minute
    if "errors" in body:
        # here, the traceback has a line "field: message" per field; elsewhere it exposes paths of the server
        return f"{message}: {'; '.join(str(body.get('traceback', '')).splitlines())}"
    return message
