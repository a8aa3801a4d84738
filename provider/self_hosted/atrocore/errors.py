"""AtroCore's error function. Errors are plain text, and some of them are raised after the work was done."""

from __future__ import annotations

import re

from self_hosted.core.http.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    error_class_for_status,
)
from self_hosted.core.http.flow import Reply

MAX_REASON_LENGTH = 500  # SQL statements may be very long
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
    reason = reply.headers.get("x-status-reason") or reply.text.strip()
    if reason.startswith("<"):
        title = re.search(r"<title>(.*?)</title>", reason, re.IGNORECASE | re.DOTALL)
        reason = "the response is a web page" + (f": {title[1].strip()}" if title else "")
    return reason[:MAX_REASON_LENGTH]


def _error_class(reply: Reply, reason: str) -> type[SelfHostedError]:
    if reply.status == 400 and "for Response [" in reason + reply.text:
        return OutcomeUnknownError  # the work was done; only the server's response failed the server's own validation
    if reply.status == 500 and reply.request.method == "POST":
        return OutcomeUnknownError  # a record may have been stored before the failure
    if reply.status == 413:
        return ServerError  # a smaller batch may pass
    if reply.headers.get("password-expired") == "true":
        return AuthenticationError
    return error_class_for_status(reply.status)
