"""From a reply to an error. AtroCore's errors are plain text, and not every one means that nothing was done."""

from __future__ import annotations

import re

from self_hosted.core.errors import Broken, LoginRefused, ProductError, Uncertain, kind_of
from self_hosted.core.flow import Reply

LONGEST_REASON = 500  # SQL texts have no end
WITHOUT_A_REASON = {
    401: "user, password or token is not, or no longer, accepted",
    403: "the user lacks the right",
    404: "there is no such entity, record or route; check the base URL and the dialect of the connection",
    503: "the server is being updated",
}


def error_of(reply: Reply) -> ProductError | None:
    """What went wrong according to status and text, or None; 304, an update that changes nothing, is a success."""
    if reply.status < 400:
        return reply.plain_error()
    words = reason(reply) or WITHOUT_A_REASON.get(reply.status, "refused without a reason")
    return reply.error(_kind(reply, words), words)


def reason(reply: Reply) -> str:
    """The server's own words: the header ``X-Status-Reason``, else a body that is text."""
    words = reply.headers.get("x-status-reason") or reply.text.strip()
    if words.startswith("<"):
        title = re.search(r"<title>(.*?)</title>", words, re.IGNORECASE | re.DOTALL)
        words = f"a web page instead of an answer: {title[1].strip()}" if title else "a web page instead of an answer"
    return words[:LONGEST_REASON]


def _kind(reply: Reply, words: str) -> type[ProductError]:
    if reply.status == 400 and "for Response [" in words + reply.text:
        return Uncertain  # the work was done; only the server's answer failed the server's own validation
    if reply.status == 500 and reply.request.method == "POST":
        return Uncertain  # a record may have been stored before it failed
    if reply.status == 413:
        return Broken  # a smaller batch may pass
    if reply.headers.get("password-expired") == "true":
        return LoginRefused
    return kind_of(reply.status)
