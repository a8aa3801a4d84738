"""Errors and the envelope of Rudder's responses.

Rudder answers HTTP 500 to everything but success. Only the text of ``errorDetails`` distinguishes a missing rule from a
failing server, and it changes between releases: it is matched loosely, never compared.
"""

from __future__ import annotations

import json
import re
from typing import Any

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Reply

MAX_TEXT_CHARACTERS = 200  # of a plain-text response in an error
MAX_DATA_CHARACTERS = 500  # of a JSON response in an error


class NotOfferedError(NotFoundError):
    """The server has no such endpoint: another version, a missing plugin, or a disabled feature."""


ERROR_CLASSES_BY_TEXT: tuple[tuple[type[SelfHostedError], str], ...] = (
    (PermissionDeniedError, r"not authori[sz]ed|not allowed|forbidden|can't be (modified|deleted) by"),
    (NotOfferedError, r"(workflows?|api '') (is|are) disabled"),
    (ConflictError, r"\balready\b|could not send|cannot be cancelled"),
    (InvalidRequestError, r"\bparse|not a (valid|possible)|not valid|\binvalid\b|unexpected: [.(\[]"),
    (NotFoundError, r"not (found|known)|no reports were found|could not find|(does not|doesn't|don't) exist"),
    (
        InvalidRequestError,
        r"missing|mana?datory|should|must|can ?not|not defined|no changes|not empty|support|bad request",
    ),
    (InvalidRequestError, r"\binconsistency\b"),
)
"""The error class of an error text: the first match counts; a text without a match is a failure of the server."""

_QUOTED = re.compile(r"(?<!\w)'[^']*'")  # names and ids may contain any word; an apostrophe follows a letter


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    :param reply: any reply of Rudder
    """
    if reply.status == 401:
        return reply.error(AuthenticationError, "the API token is missing, unknown, expired or disabled")
    if reply.status == 404:
        return reply.error(NotOfferedError, _describe_missing(reply))
    details = _read_error_details(reply) if reply.status >= 400 else None
    if reply.status == 500 and details is not None:
        return reply.error(_error_class_for_text(details), details)
    return reply.default_error(details or "")


def unwrap(reply: Reply, container: str | None = None) -> Any:
    """Return the content of a response's envelope.

    :param reply: a successful reply
    :param container: the key inside ``data``, such as "rules". None: ``data`` itself, which some endpoints return
        without a container, such as the list of change requests
    :raises ServerError: if the response has no envelope, or no such container
    """
    envelope = reply.json()
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if container is not None:
        data = data.get(container) if isinstance(data, dict) else None
    if data is None:
        raise reply.error(ServerError, f"the response contains no {container or 'data'}")
    return data


def unwrap_first(reply: Reply, container: str) -> dict[str, Any]:
    """Return the only object of a response; Rudder wraps even a single object in a list.

    :param reply: a successful reply
    :param container: the key inside ``data``, such as "rules"
    :raises ServerError: if the response contains no object
    """
    objects = unwrap(reply, container)
    if not (isinstance(objects, list) and objects and isinstance(objects[0], dict)):
        raise reply.error(ServerError, f"the response contains no {container}")
    return objects[0]


def _describe_missing(reply: Reply) -> str:
    if "html" in reply.headers.get("content-type", "html"):
        return "no such address: check the base URL, the API version, and whether the plugin is installed"
    return reply.text.strip()[:MAX_TEXT_CHARACTERS]


def _read_error_details(reply: Reply) -> str | None:
    """Return the server's error text; None without an envelope, as when a component before or below Rudder failed."""
    try:
        envelope = json.loads(reply.body)
    except ValueError:
        return None
    if not isinstance(envelope, dict):
        return None
    details = envelope.get("errorDetails") or envelope.get("error")
    # a failed creation of nodes has no error text, but a list of the nodes that were not created
    return str(details) if details else f"not valid: {json.dumps(envelope.get('data'))[:MAX_DATA_CHARACTERS]}"


def _error_class_for_text(text: str) -> type[SelfHostedError]:
    without_names = _QUOTED.sub("''", text)
    matches = (cls for cls, pattern in ERROR_CLASSES_BY_TEXT if re.search(pattern, without_names, re.IGNORECASE))
    return next(matches, ServerError)
