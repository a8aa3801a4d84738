"""Starts of retrohunts, exactly once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api import recovery, server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.retrohunts import retrohunts
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.errors import API_PATH
from self_hosted.core.arguments import parse_choice, parse_int
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.recovery import poll_for_effect

INDICES = ("hot", "archive", "hot_and_archive")
"""The files that a retrohunt runs on."""

OPTION_NAMES = frozenset({"description", "indices", "classification", "search_classification", "ttl"})
YARA_RULE = re.compile(r"\brule\s+\w+.*\{.*\bcondition\s*:", re.DOTALL)


def start(yara_signature: str, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Start a retrohunt and return its document. A retrohunt cannot be cancelled.

    ``PUT /api/v4/retrohunt/``

    :param yara_signature: one or more YARA rules
    :param options: ``description``; optional: indices ("hot", "archive" or "hot_and_archive", the default),
        classification (of the retrohunt; default: the lowest), search_classification (of the files; default: the
        highest that the user may see) and ttl (days until the result expires; 0 for the server's default)
    :raises ValueError: for arguments on which the server would fail
    :raises InvalidRequestError: if the server has no retrohunt, or cannot read the rule
    :raises OutcomeUnknownError: if the response was lost: the retrohunt may be running
    """
    ttl = check_arguments(yara_signature, options)
    given = {name: value for name, value in options.items() if value is not None}
    classifications = yield from _get_classifications(given)
    body = {"indices": INDICES[-1], **classifications, **given, "ttl": ttl, "yara_signature": yara_signature}
    request = Request("PUT", f"{API_PATH}/retrohunt/", json=body, long_running=True)
    return (yield from retrohunts.call_retrohunt(request))  # type: ignore[no-any-return]


def start_once(
    yara_signature: str, options: Mapping[str, Any], tag: str, *, previous_attempt_unknown: bool = False
) -> Flow[dict[str, Any]]:
    """Start a retrohunt, unless one with this tag exists, and return its document.

    The tag is added to the end of the description.

    ``PUT /api/v4/retrohunt/``

    :param yara_signature: see `start`
    :param options: see `start`
    :param tag: identifies the piece of work
    :param previous_attempt_unknown: whether an earlier client may have died during the start: the retrohunt is then
        looked for as after a lost response
    :raises ValueError: see `start`
    """
    find = partial(get_by_tag, tag)
    found = yield from poll_for_effect(find, recovery.RECHECK_DELAYS_SECONDS if previous_attempt_unknown else ())
    if found is None:
        tagged = {**options, "description": f"{options.get('description', '')} [{tag}]".strip()}
        found, _ = yield from recovery.read_back(partial(start, yara_signature, tagged), find)
    return found


def get_by_tag(tag: str) -> Flow[dict[str, Any] | None]:
    """Return the oldest retrohunt with a tag, or None.

    :param tag: see `start_once`
    """
    found = yield from retrohunts.search(f"description:{lucene.quote(tag)}")
    tagged = [document for document in found if str(document.get("description")).endswith(f"[{tag}]")]
    return tagged[-1] if tagged else None


def repeat(key: str, search_classification: str, ttl: int = 0) -> Flow[dict[str, Any]]:
    """Run a retrohunt once more, under its key, and return its document.

    ``POST /api/v4/retrohunt/repeat/``, which is idempotent

    :param key: key of the retrohunt
    :param search_classification: of the files it runs on
    :param ttl: days until the result expires; 0 for the server's default
    :raises NotFoundError: if it does not exist
    """
    body = {"key": key, "search_classification": search_classification, "ttl": parse_int("ttl", ttl, minimum=0)}
    request = Request("POST", f"{API_PATH}/retrohunt/repeat/", json=body, idempotent=True)
    return retrohunts.call_retrohunt(request)


def check_arguments(yara_signature: str, options: Mapping[str, Any]) -> int:
    """Check the arguments of a start, and return the ttl in days.

    :param yara_signature: see `start`
    :param options: see `start`
    :raises ValueError: if one is unknown or invalid
    """
    if not isinstance(yara_signature, str) or not YARA_RULE.search(yara_signature):
        raise ValueError("yara_signature must be the text of a YARA rule: rule name { ... condition: ... }")
    unknown = sorted(set(options) - OPTION_NAMES)
    if unknown:
        raise ValueError(f"options: unknown {', '.join(unknown)}; valid are {', '.join(sorted(OPTION_NAMES))}")
    if not options.get("description"):
        raise ValueError("description is missing: describe what the rule looks for")
    if options.get("indices") is not None:
        parse_choice("indices", options["indices"], INDICES)
    return parse_int("ttl", options.get("ttl") or 0, minimum=0)


def _get_classifications(given: Mapping[str, Any]) -> Flow[dict[str, str]]:
    """Return the default classifications; the server requires both."""
    if {"classification", "search_classification"} <= set(given):
        return {}
    lowest = (yield from server.get_classification_definition())["UNRESTRICTED"]
    user, _ = yield from account.get_with_version()
    return {"classification": lowest, "search_classification": user["classification"]}
