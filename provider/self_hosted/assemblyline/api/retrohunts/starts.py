"""Starts of retrohunts, exactly once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import recovery, server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.retrohunts import retrohunts
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.errors import API_PATH
from self_hosted.core.arguments import check_id, parse_choice, parse_int
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)

INDICES = ("hot", "archive", "hot_and_archive")
"""The files that a retrohunt runs on."""

OPTION_NAMES = frozenset({"description", "indices", "classification", "search_classification", "ttl"})
# in this order; one pattern with ".*" between them would take minutes for a long text that is no rule
RULE_PARTS = tuple(map(re.compile, (r"\brule\s+\w", r"\{", r"\bcondition\s*:")))


class _User(TypedDict):
    classification: str


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
    started = yield from retrohunts.call_document(request)
    log.info("Retrohunt %s: started", started["key"])
    return started


def start_once(
    yara_signature: str, options: Mapping[str, Any], tag: str, *, previous_attempt_unknown: bool = False
) -> Flow[dict[str, Any]]:
    """Start a retrohunt, unless one of this rule with this tag exists, and return its document.

    The tag is added to the end of the description. A retrohunt with the tag, but with another rule or other indices, is
    left alone.

    ``PUT /api/v4/retrohunt/``

    :param yara_signature: see `start`
    :param options: see `start`
    :param tag: identifies the piece of work
    :param previous_attempt_unknown: whether an earlier client may have died during the start: the retrohunt is then
        looked for as after a lost response
    :raises ValueError: see `start`
    """
    search = OwnRetrohunt(tag, yara_signature, options.get("indices"))
    return (yield from start_unless_found(search, options, previous_attempt_unknown=previous_attempt_unknown))


class OwnRetrohunt:
    """The retrohunt of a piece of work: it has its tag, its rule and its indices.

    :param tag: see `start_once`
    :param yara_signature: see `start`
    :param indices: see `start`
    """

    def __init__(self, tag: str, yara_signature: str, indices: str | None) -> None:
        self.tag, self.yara_signature, self.indices = tag, yara_signature, indices or INDICES[-1]
        self.left_alone: dict[str, str] = {}
        """Why other retrohunts with this tag are not used, by their keys."""

    def find(self) -> Flow[dict[str, Any] | None]:
        """Return the oldest one, or None."""
        for document in (yield from _list_by_tag(self.tag)):
            if self._is_same(document):
                return document
            self.left_alone[document["key"]] = (
                f"retrohunt {document['key']} has the tag of this one, but another rule or indices; it is left alone"
            )
        return None

    def _is_same(self, document: Mapping[str, Any]) -> bool:
        rules = _normalize(document["yara_signature"]), _normalize(self.yara_signature)
        return rules[0] == rules[1] and bool(document["indices"] == self.indices)


def start_unless_found(
    own: OwnRetrohunt, options: Mapping[str, Any], *, previous_attempt_unknown: bool = False
) -> Flow[dict[str, Any]]:
    """Start a retrohunt, unless it is found, see `start_once`; and return its document.

    :param own: how to find it
    :param options: see `start`
    :param previous_attempt_unknown: see `start_once`
    :raises ValueError: see `start`
    """
    found = yield from poll_for_effect(own.find, recovery.RECHECK_DELAYS_SECONDS if previous_attempt_unknown else ())
    if found is None:
        tagged = {**options, "description": f"{options.get('description', '')} [{own.tag}]".strip()}
        found, _ = yield from recovery.read_back(partial(start, own.yara_signature, tagged), own.find)
    else:
        log.info("Retrohunt %s: found, an earlier try started it", found["key"])
    return found


def get_by_tag(tag: str) -> Flow[dict[str, Any] | None]:
    """Return the oldest retrohunt with a tag, or None.

    :param tag: see `start_once`
    """
    found = yield from _list_by_tag(tag)
    return found[0] if found else None


def _list_by_tag(tag: str) -> Flow[list[dict[str, Any]]]:
    """Return the documents of the retrohunts with a tag, oldest first."""
    check_id("tag", tag)
    rows = yield from retrohunts.search(f"description:{lucene.quote(tag)}")
    keys = [row["key"] for row in reversed(rows) if str(row.get("description")).endswith(f"[{tag}]")]
    documents = []
    for key in keys:
        document = yield from _get_if_present(key)
        if document:
            documents.append(document)
    return documents


def _get_if_present(key: str) -> Flow[dict[str, Any] | None]:
    try:
        return (yield from retrohunts.get(key))
    except NotFoundError:
        return None


def _normalize(yara_signature: str) -> list[str]:
    return [line.rstrip() for line in yara_signature.strip().splitlines()]


def repeat(key: str, search_classification: str, ttl: int = 0) -> Flow[dict[str, Any]]:
    """Run a retrohunt once more, under its key, and return its document.

    ``POST /api/v4/retrohunt/repeat/``, which is idempotent

    :param key: key of the retrohunt
    :param search_classification: of the files it runs on
    :param ttl: days until the result expires; 0 for the server's default
    :raises NotFoundError: if it does not exist
    """
    check_id("key", key)
    body = {"key": key, "search_classification": search_classification, "ttl": parse_int("ttl", ttl, minimum=0)}
    request = Request("POST", f"{API_PATH}/retrohunt/repeat/", json=body, idempotent=True)
    document = yield from retrohunts.call_document(request)
    log.info("Retrohunt %s: started once more", key)
    return document


def check_arguments(yara_signature: str, options: Mapping[str, Any]) -> int:
    """Check the arguments of a start, and return the ttl in days.

    :param yara_signature: see `start`
    :param options: see `start`
    :raises ValueError: if one is unknown or invalid
    """
    if not isinstance(yara_signature, str) or not _is_rule(yara_signature):
        raise ValueError("yara_signature must be the text of a YARA rule: rule name { ... condition: ... }")
    unknown = sorted(set(options) - OPTION_NAMES)
    if unknown:
        raise ValueError(f"options: unknown {', '.join(unknown)}; valid are {', '.join(sorted(OPTION_NAMES))}")
    if not options.get("description"):
        raise ValueError("description is missing: describe what the rule looks for")
    if options.get("indices") is not None:
        parse_choice("indices", options["indices"], INDICES)
    return parse_int("ttl", options.get("ttl") or 0, minimum=0)


def _is_rule(text: str) -> bool:
    position = 0
    for part in RULE_PARTS:
        match = part.search(text, position)
        if match is None:
            return False
        position = match.end()
    return True


def _get_classifications(given: Mapping[str, Any]) -> Flow[dict[str, str]]:
    """Return the default classifications; the server requires both."""
    if {"classification", "search_classification"} <= set(given):
        return {}
    lowest = (yield from server.get_classification_definition())["UNRESTRICTED"]
    user = yield from account.read_document(_User)
    return {"classification": lowest, "search_classification": user["classification"]}
