"""What AYON's answers mean: its statuses alone tell too little, so the bodies are read as well."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.core.errors import Conflict, Invalid, LoginRefused, ProductError, Uncertain, kind_of
from self_hosted.core.flow import Reply

LOGIN = "/api/auth/login"
GRAPHQL = "/graphql"
DANGLING = re.compile(r'is not present in table "|Missing required field')
CACHED_REFUSAL = "Invalid session"


def error_of(reply: Reply) -> ProductError | None:
    """What went wrong, or None.

    - 500 as plain text is an outage of database or Redis: the request may have been carried out
    - 500 as JSON is a bug or bad input, or, by the ``code`` within, a conflict (409) or a bad request (400)
    - 409 means "exists already" as well as "refers to something missing"
    - 403 means a refused login at the login, else a missing right
    - GraphQL answers 200, whatever happens
    """
    if reply.status < 400:
        return _graphql_error(reply) if reply.request.path == GRAPHQL else reply.plain_error()
    body = _body(reply)
    if reply.status == 500 and not body:
        return reply.error(Uncertain, f"the server is failing: {reply.text[:80]!r}")
    status = body.get("code", 500) if reply.status == 500 else reply.status
    words = _words(reply, body)
    if status == 409:
        return reply.error(Invalid if DANGLING.search(words) else Conflict, words)
    if status == 403 and reply.request.path == LOGIN:
        return reply.error(LoginRefused, words)
    return reply.error(kind_of(status), words)


def _graphql_error(reply: Reply) -> ProductError | None:
    errors = reply.json().get("errors")
    if not errors:
        return None
    return reply.error(kind_of(errors[0].get("extensions", {}).get("status", 400)), str(errors[0]["message"]))


def _body(reply: Reply) -> dict[str, Any]:
    """The error as JSON, or nothing: a proxy's page, or the plain text of an outage."""
    body = reply.json() if reply.is_json else None
    return body if isinstance(body, dict) else {}


def _words(reply: Reply, body: dict[str, Any]) -> str:
    words = str(body.get("detail") or "refused without a reason")
    if words == CACHED_REFUSAL and "X-Api-Key" in reply.request.headers:
        return "Invalid API key"  # what AYON says the first time; it remembers bad keys for a minute
    if "errors" in body:
        # here it is "field: message" by the line; elsewhere it shows the server's files, which are nobody's business
        return f"{words}: {'; '.join(str(body.get('traceback', '')).splitlines())}"
    return words
