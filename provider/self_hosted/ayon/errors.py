"""Errors of AYON's responses: the status alone is ambiguous, so the body is read as well."""

from __future__ import annotations

import re
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    error_class_for_status,
)
from self_hosted.core.http.flow import Reply
from self_hosted.core.http.shape import check_shape

LOGIN_PATH = "/api/auth/login"
GRAPHQL_PATH = "/graphql"
INVALID_REFERENCE = re.compile(r'is not present in table "|Missing required field')
CACHED_REJECTION = "Invalid session"
# the exceptions of a server that cannot reach PostgreSQL, or loses the connection; those of Redis have a module
EXCEPTION_NAME = re.compile(r"[\w.]{1,200}")
OUTAGE = re.compile(
    r"redis\.exceptions\."
    r"|(^|\.)\w*(Connect|Timeout|Shutdown)\w*$"
    r"|(^|\.)(InterfaceError|InternalClientError|BrokenPipeError|gaierror|OSError)$"
)
INVALID_IN_QUERY = "Invalid "  # how errors about the arguments of a query begin


class _GraphQLError(TypedDict):
    message: str
    path: NotRequired[list[Any] | None]
    extensions: NotRequired[dict[str, Any] | None]


class _GraphQLBody(TypedDict):
    errors: NotRequired[list[_GraphQLError] | None]


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    - 500 as plain text is an outage of database or Redis: the request may have been carried out.
    - 500 as JSON is an outage, too, if it names an exception of the connection to one of them. Any other is a bug or
      invalid input, or, by the ``code`` in the body, a conflict (409) or a bad request (400).
    - 409 means "already exists" as well as "refers to a missing object".
    - 403 means a rejected login at the login endpoint, and a missing permission elsewhere.
    - GraphQL answers 200 in all cases.

    :param reply: any reply of AYON
    """
    if reply.status < 400:
        return _parse_graphql_error(reply) if reply.request.path == GRAPHQL_PATH else reply.default_error()
    body = _read_body(reply)
    message = _read_message(reply, body)
    if reply.status == 500 and (not body or _is_outage(message)):
        return reply.error(OutcomeUnknownError, f"the server is failing: {(message if body else reply.text)[:80]!r}")
    status = _read_status(reply, body)
    if status == 409:
        return reply.error(InvalidRequestError if INVALID_REFERENCE.search(message) else ConflictError, message)
    if status == 403 and reply.request.path == LOGIN_PATH:
        return reply.error(AuthenticationError, message)
    return reply.error(error_class_for_status(status), message)


def _parse_graphql_error(reply: Reply) -> SelfHostedError | None:
    if reply.status >= 300:
        return reply.default_error()
    try:
        errors = check_shape(reply, reply.json(), _GraphQLBody).get("errors")
    except ServerError as error:
        return error
    if not errors:
        return None
    classes = [_class_of_graphql_error(error) for error in errors]
    # while the database is down, another error may be its consequence
    index = classes.index(OutcomeUnknownError) if OutcomeUnknownError in classes else 0
    return reply.error(classes[index], errors[index]["message"] or "the server is failing without a reason")


def _class_of_graphql_error(error: _GraphQLError) -> type[SelfHostedError]:
    """Return the class of an error: an outage is one of the errors with a path and without a status."""
    status = _parse_status((error.get("extensions") or {}).get("status"))
    if status:
        return error_class_for_status(status)
    is_of_query = not error.get("path") or error["message"].startswith(INVALID_IN_QUERY)
    return InvalidRequestError if is_of_query else OutcomeUnknownError


def _parse_status(value: Any) -> int | None:
    """Return the HTTP status of an error, or None for anything else."""
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _is_outage(message: str) -> bool:
    """Whether the text of an exception, such as "ConnectionRefusedError: [Errno 111]", names one of an outage."""
    name = EXCEPTION_NAME.match(message)
    return name is not None and OUTAGE.search(name[0]) is not None


def _read_status(reply: Reply, body: dict[str, Any]) -> int:
    """Return the status that the body gives for HTTP 500; else that of the reply."""
    return (_parse_status(body.get("code")) if reply.status == 500 else None) or reply.status


def _read_body(reply: Reply) -> dict[str, Any]:
    """Return the error in JSON; empty for the page of a proxy, for the plain text of an outage and malformed JSON."""
    try:
        body = reply.json() if reply.is_json else None
    except ServerError:
        return {}
    return body if isinstance(body, dict) else {}


def _read_message(reply: Reply, body: dict[str, Any]) -> str:
    message, traceback = (value if isinstance(value, str) else "" for value in map(body.get, ("detail", "traceback")))
    if message == CACHED_REJECTION and "X-Api-Key" in reply.request.headers:
        return "Invalid API key"  # the text of the first rejection; AYON caches invalid keys for a minute
    if "errors" in body:
        # here, the traceback has a line "field: message" per field; elsewhere it exposes paths of the server
        return f"{message}: {'; '.join(traceback.splitlines())}"
    return message or "rejected without a reason"
