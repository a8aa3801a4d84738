"""How Rudder answers: what is an error, of which kind, and what the envelope holds.

Rudder's 500 means "anything but success". Only the words of ``errorDetails`` tell a missing rule from a broken server,
and they change between releases: they are matched loosely, never compared.
"""

from __future__ import annotations

import json
import re
from typing import Any

from self_hosted.core.errors import Broken, Conflict, Forbidden, Invalid, LoginRefused, NotFound, ProductError
from self_hosted.core.flow import Reply


class NotOffered(NotFound):
    """This server has no such endpoint: another version, a plugin that is absent, or a feature that is switched off."""


BY_WORDS: tuple[tuple[type[ProductError], str], ...] = (
    (Forbidden, r"not authori[sz]ed|not allowed|forbidden|can't be (modified|deleted) by"),
    (NotOffered, r"(workflows?|api '') (is|are) disabled"),
    (Conflict, r"\balready\b|could not send|cannot be cancelled"),
    (Invalid, r"\bparse|not a (valid|possible)|not valid|\binvalid\b|unexpected: [.(\[]"),
    (NotFound, r"not (found|known)|no reports were found|could not find|(does not|doesn't|don't) exist"),
    (Invalid, r"missing|mana?datory|should|must|can ?not|not defined|no changes|not empty|support|bad request"),
    (Invalid, r"\binconsistency\b"),
)
"""What the words of a refusal mean, the first match first; words that match nothing are the server's own failure."""

_QUOTED = re.compile(r"(?<!\w)'[^']*'")  # names and ids, which may hold any word; an apostrophe follows a letter


def error_of(reply: Reply) -> ProductError | None:
    """What went wrong, or None."""
    if reply.status == 401:
        return reply.error(LoginRefused, "the API token is missing, unknown, expired or disabled")
    if reply.status == 404:
        return reply.error(NotOffered, _missing(reply))
    refusal = _refusal(reply) if reply.status >= 400 else None
    if reply.status == 500 and refusal is not None:
        return reply.error(_kind(refusal), refusal)
    return reply.plain_error(refusal or "")


def unwrapped(reply: Reply, container: str | None = None) -> Any:
    """What an answer holds: the envelope's ``data``, or what lies in its container.

    :param reply: a successful answer
    :param container: the key inside ``data``, such as "rules"; without it ``data`` itself, which some endpoints leave
        bare, such as the list of change requests
    :raises Broken: when the answer is no envelope, or lacks the container
    """
    envelope = reply.json()
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if container is not None:
        data = data.get(container) if isinstance(data, dict) else None
    if data is None:
        raise reply.error(Broken, f"the answer holds no {container or 'data'}")
    return data


def first(reply: Reply, container: str) -> dict[str, Any]:
    """The one object of an answer, which Rudder puts into a list nevertheless.

    :param reply: a successful answer
    :param container: the key inside ``data``, such as "rules"
    :raises Broken: when the answer holds none
    """
    objects = unwrapped(reply, container)
    if not (isinstance(objects, list) and objects and isinstance(objects[0], dict)):
        raise reply.error(Broken, f"the answer holds no {container}")
    return objects[0]


def _missing(reply: Reply) -> str:
    if "html" in reply.headers.get("content-type", "html"):
        return "there is no such address: mind the base URL, the API version, and whether the plugin is installed"
    return reply.text.strip()[:200]


def _refusal(reply: Reply) -> str | None:
    """The server's words; None when the answer is no envelope, as when something before or below Rudder failed."""
    try:
        envelope = json.loads(reply.body)
    except ValueError:
        return None
    if not isinstance(envelope, dict):
        return None
    details = envelope.get("errorDetails") or envelope.get("error")
    # creating nodes fails without words, with a list of what could not be done
    return str(details) if details else f"not valid: {json.dumps(envelope.get('data'))[:500]}"


def _kind(words: str) -> type[ProductError]:
    plain = _QUOTED.sub("''", words)
    return next((kind for kind, pattern in BY_WORDS if re.search(pattern, plain, re.IGNORECASE)), Broken)
