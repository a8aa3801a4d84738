"""Errors and the envelope of Rudder's responses.

Rudder answers HTTP 500 to everything but success. Only the text of ``errorDetails`` distinguishes a missing rule from a
failing server, and it changes between releases: it is matched loosely, never compared. A text that no pattern matches
is a rejection of the request: the server's own failures name the exception, the LDAP directory or the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, TypeVar, cast

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Reply
from self_hosted.core.http.shape import JsonObject, check_shape

T = TypeVar("T")
MAX_TEXT_CHARACTERS = 200  # of a plain-text response in an error
MAX_DATA_CHARACTERS = 500  # of a JSON response in an error
MAX_MATCHED_CHARACTERS = 4000  # of an error text that is classified
ENVELOPE_KEYS = {"action", "result", "errorDetails"}


class NotOfferedError(NotFoundError):
    """The server has no such endpoint: another version, a missing plugin, or a disabled feature."""


ERROR_CLASSES_BY_TEXT: tuple[tuple[type[SelfHostedError], str], ...] = (
    (ConflictError, r"there is already|already exists|with the same (id|name)|name is already in use"),
    (
        ServerError,
        r"SystemError|BackendException|LDAP|\bP?SQL([A-Z]\w{0,40})?\b|org\.postgresql|JDBC|Hikari|\bdatabase\b"
        r"|\bconnections?\b",
    ),
    (
        PermissionDeniedError,
        r"not authori[sz]ed|not allowed|forbidden|unauthori[sz]ed|SecurityError|security context"
        r"|can('t|not| not) be (modified|deleted) by",
    ),
    (NotOfferedError, r"(workflows?|api '') (is|are) disabled|version '' but|version is not available"),
    (ConflictError, r"\balready\b|could not send|cannot be cancelled"),
    (
        InvalidRequestError,
        r"\bparse|not a (valid|possible)|not valid|\binvalid\b|unexpected: \S*[.(\[]|end of input|missing a\b"
        r"|bad request",
    ),
    (
        NotFoundError,
        r"not (found|known)|is missing|no reports were found|(could not|can ?not|can't) find|\bno .{1,60} with id\b"
        r"|(does not|doesn't|don't) exist",
    ),
)
"""The error class of an error text: the first match counts."""

_QUOTED = re.compile(r"(?<!\w)'[^']*'")  # names and ids may contain any word; an apostrophe follows a letter


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that a reply stands for, or None for a success.

    :param reply: any reply of Rudder
    """
    if reply.status == 401:
        return reply.error(AuthenticationError, "the API token is missing, unknown, expired or disabled")
    if reply.status == 404:
        return reply.error(NotOfferedError, _describe_missing(reply))
    if reply.status < 400:
        return reply.default_error()
    text, is_envelope = _read_error_text(reply)
    if reply.status != 500:
        return reply.default_error(text)
    error_class = _match(text) or (InvalidRequestError if is_envelope else ServerError)
    if error_class is ServerError and not reply.request.is_idempotent:
        error_class = OutcomeUnknownError  # the server may have carried out the write before it failed
    return reply.error(error_class, text or "failed without a reason")


def is_empty_success(reply: Reply) -> bool:
    """Return whether a response reports success and holds no data, as some of Rudder's do.

    :param reply: a successful reply
    """
    envelope = check_shape(reply, reply.json(), JsonObject)
    return envelope.get("result") == "success" and envelope.get("data") is None


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
        raise reply.malformed(f"the response contains no {container or 'data'}")
    return data


def unwrap_list(reply: Reply, container: str | None, shape: type[T]) -> list[T]:
    """Return the objects of a response.

    :param reply: a successful reply
    :param container: see `unwrap`
    :param shape: the shape of each object, see `check_shape`
    :raises ServerError: if the response contains no list of such objects
    """
    return check_shape(reply, unwrap(reply, container), list[shape], container or "data")  # type: ignore[valid-type]


def unwrap_first(reply: Reply, container: str, shape: type[T]) -> T:
    """Return the only object of a response; Rudder wraps even a single object in a list.

    :param reply: a successful reply
    :param container: the key inside ``data``, such as "rules"
    :param shape: the shape of the object, see `check_shape`
    :raises ServerError: if the response contains no such object
    """
    objects = unwrap(reply, container)
    if not (isinstance(objects, list) and objects and isinstance(objects[0], dict)):
        raise reply.malformed(f"the response contains no {container}")
    return check_shape(reply, objects[0], shape, container)


def clean_texts(reply: Reply, item: T, names: Collection[str]) -> T:
    """Return an object of a response; the texts that results and messages show are made fit for them.

    :param reply: the reply that the object is from
    :param item: the object
    :param names: the fields with these texts
    """
    fields = cast("dict[str, Any]", item)
    texts = {name: reply.clean(fields[name]) for name in names if isinstance(fields.get(name), str)}
    return cast("T", {**fields, **texts})


def _describe_missing(reply: Reply) -> str:
    if "html" in reply.headers.get("content-type", "html"):
        return "no such address: check the base URL, the API version, and whether the plugin is installed"
    return reply.text.strip()[:MAX_TEXT_CHARACTERS]


def _read_error_text(reply: Reply) -> tuple[str, bool]:
    """Return the server's error text, and whether it is from an envelope.

    Without an envelope, a component before or below Rudder failed; the text of its pages is left out.
    """
    try:
        content = json.loads(reply.body)
        if isinstance(content, dict):
            text = content.get("errorDetails") or content.get("error")
            # a failed creation of nodes has no error text, but a list of the nodes that were not created
            text = str(text) if text else f"not valid: {json.dumps(content.get('data'))[:MAX_DATA_CHARACTERS]}"
            return text, bool(ENVELOPE_KEYS & set(content))
    except (ValueError, RecursionError):
        pass
    is_text = "text/plain" in reply.headers.get("content-type", "")
    return (reply.text.strip("\0\r\n\t ")[:MAX_TEXT_CHARACTERS] if is_text else ""), False


def _match(text: str) -> type[SelfHostedError] | None:
    without_names = _QUOTED.sub("''", text[:MAX_MATCHED_CHARACTERS])
    matches = (cls for cls, pattern in ERROR_CLASSES_BY_TEXT if re.search(pattern, without_names, re.IGNORECASE))
    return next(matches, None)
