"""AtroCore's error function. Errors are plain text, and some of them are raised after the work was done."""

from __future__ import annotations

import re

from self_hosted.core.http.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    UnavailableError,
    error_class_for_status,
)
from self_hosted.core.http.flow import Reply

MAX_REASON_CHARACTERS = 500  # SQL statements may be very long
MAX_EXAMINED_BYTES = 20_000  # of a body
TITLE = re.compile(r"<title[^>]{0,100}>([^<]{0,200})", re.IGNORECASE)
DATABASE_OUTAGE = re.compile(
    # the format of PDO for a connection that could not be opened; errors of statements have no number in brackets
    r"An exception occurred in the driver: SQLSTATE\[\w{5}\] \[\d{1,9}\]"
    r"|SQLSTATE\[(08\w{3}|57P0\d)\]|server closed the connection|terminating connection|no connection to the server"
    r"|server has gone away|Lost connection to MySQL server"
)
DEFAULT_REASONS = {
    401: "user, password or token is not, or no longer, accepted",
    403: "the user lacks the permission",
    404: "there is no such entity, record or route; check the base URL and the dialect of the connection",
    503: "the server is being updated",
}


def parse_error(reply: Reply) -> SelfHostedError | None:
    """Return the error that status and text stand for, or None; 304 (an update without effect) is a success.

    :param reply: any reply of AtroCore
    """
    if reply.status < 400:
        return reply.default_error()
    reason = read_reason(reply) or DEFAULT_REASONS.get(reply.status, "rejected without a reason")
    return reply.error(_error_class(reply, reason), reason)


def read_reason(reply: Reply) -> str:
    """Return the server's explanation: the header ``X-Status-Reason``, else a body that is text; "" if there is none.

    :param reply: an error
    """
    reason = reply.headers.get("x-status-reason") or _read_body(reply).strip()
    if reason.startswith("<"):
        title = TITLE.search(reason)
        reason = "the response is a web page" + (f": {title[1].strip()}" if title else "")
    return reason[:MAX_REASON_CHARACTERS]


def is_database_outage(text: str) -> bool:
    """Return whether the server lost the connection to its database, or could not open one.

    :param text: an explanation of the server
    """
    return bool(DATABASE_OUTAGE.search(text))


def _error_class(reply: Reply, reason: str) -> type[SelfHostedError]:
    if reply.status == 400 and "for Response [" in reason + _read_body(reply):
        return OutcomeUnknownError  # the work was done; only the server's response failed the server's own validation
    if reply.status == 500:
        return _class_of_failure(reply, reason)
    if reply.status == 413:
        return ServerError  # a smaller batch may pass
    if reply.headers.get("password-expired") == "true":
        return AuthenticationError
    return error_class_for_status(reply.status)


def _class_of_failure(reply: Reply, reason: str) -> type[SelfHostedError]:
    """Return the error of a status 500."""
    is_outage = is_database_outage(reason)
    if is_outage and reply.request.method in {"GET", "HEAD"}:
        return UnavailableError
    if is_outage or reply.request.method == "POST":
        return OutcomeUnknownError  # a record may have been stored before the failure
    return ServerError


def _read_body(reply: Reply) -> str:
    return reply.body[:MAX_EXAMINED_BYTES].decode("utf-8", "replace")
