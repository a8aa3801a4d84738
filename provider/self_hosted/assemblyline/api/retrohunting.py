"""Starting a retrohunt, exactly once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.envelope import API
from self_hosted.assemblyline.api.retrohunts import asked_of_retrohunt, search_retrohunts
from self_hosted.assemblyline.api.searching import phrase
from self_hosted.assemblyline.api.server import classification_definition
from self_hosted.assemblyline.api.tagging import LOOKS, read_back
from self_hosted.core.flow import Flow, Request
from self_hosted.core.lost_answers import looked_for

INDICES = ("hot", "archive", "hot_and_archive")
"""Where a retrohunt may look for files."""

RULE = re.compile(r"\brule\s+\w+.*\{.*\bcondition\s*:", re.DOTALL)


def start_retrohunt(yara_signature: str, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Start a retrohunt; its document. Nothing can stop it.

    ``PUT /api/v4/retrohunt/``

    :param yara_signature: a YARA rule, or several
    :param options: ``description``; indices ("hot", "archive" or "hot_and_archive", the default), classification (of
        the retrohunt, by default the lowest), search_classification (of the files it looks at, by default the highest
        that the user may see) and ttl (days that its result is kept, 0 for the server's default)
    :raises ValueError: for what the server would fail on
    :raises Invalid: when the server has no retrohunt, or cannot read the rule
    :raises Uncertain: when the answer was lost: it may have been started
    """
    check_retrohunt(yara_signature, options)
    given = {name: value for name, value in options.items() if value is not None}
    sent = {"indices": INDICES[-1], "ttl": 0, **(yield from _classifications(given)), **given}
    request = Request("PUT", f"{API}/retrohunt/", json={**sent, "yara_signature": yara_signature}, slow=True)
    return (yield from asked_of_retrohunt(request))  # type: ignore[no-any-return]


def start_retrohunt_once(
    yara_signature: str, options: Mapping[str, Any], tag: str, *, interrupted: bool = False
) -> Flow[dict[str, Any]]:
    """As `start_retrohunt`, unless it was started under this tag before, which its description then ends with.

    :param yara_signature: as for `start_retrohunt`
    :param options: as for `start_retrohunt`
    :param tag: what tells this piece of work from all others
    :param interrupted: whether a start under this tag may be under way still, its client being gone
    :raises ValueError: as `start_retrohunt`
    """
    find = partial(tagged_retrohunt, tag)
    found = yield from looked_for(find, LOOKS if interrupted else ())
    if found is None:
        tagged = {**options, "description": f"{options.get('description', '')} [{tag}]".strip()}
        found, _ = yield from read_back(partial(start_retrohunt, yara_signature, tagged), find)
    return found


def tagged_retrohunt(tag: str) -> Flow[dict[str, Any] | None]:
    """The oldest retrohunt whose description ends with a tag, or None.

    :param tag: see `start_retrohunt_once`
    """
    found = yield from search_retrohunts(f"description:{phrase(tag)}")
    own = [one for one in found if str(one.get("description")).endswith(f"[{tag}]")]
    return own[-1] if own else None


def repeat_retrohunt(key: str, search_classification: str, ttl: int = 0) -> Flow[dict[str, Any]]:
    """Run a retrohunt once more, under its key: its document.

    ``POST /api/v4/retrohunt/repeat/``, which leaves one retrohunt however often it is sent

    :param key: its key
    :param search_classification: of the files it looks at
    :param ttl: days that its result is kept, 0 for the server's default
    :raises NotFound: when there is no such retrohunt
    """
    sent = {"key": key, "search_classification": search_classification, "ttl": ttl}
    return asked_of_retrohunt(Request("POST", f"{API}/retrohunt/repeat/", json=sent, repeatable=True))


def check_retrohunt(yara_signature: str, options: Mapping[str, Any]) -> None:
    """Validate what a retrohunt is started with.

    :param yara_signature: as for `start_retrohunt`
    :param options: as for `start_retrohunt`
    :raises ValueError: naming what is wrong
    """
    if not isinstance(yara_signature, str) or not RULE.search(yara_signature):
        raise ValueError("yara_signature must be the text of a YARA rule: rule name { ... condition: ... }")
    unknown = sorted(set(options) - {"description", "indices", "classification", "search_classification", "ttl"})
    if unknown:
        raise ValueError(f"options: a retrohunt takes no {', '.join(unknown)}")
    if not options.get("description"):
        raise ValueError("description is missing: say what the rule looks for")
    if options.get("indices") not in {None, *INDICES}:
        raise ValueError(f"indices must be one of {', '.join(INDICES)}, not {options['indices']!r}")
    if not isinstance(options.get("ttl") or 0, int) or (options.get("ttl") or 0) < 0:
        raise ValueError(f"ttl must be a number of days, not {options['ttl']!r}")


def _classifications(given: Mapping[str, Any]) -> Flow[dict[str, str]]:
    """Both, which the server insists on."""
    if {"classification", "search_classification"} <= set(given):
        return {}
    lowest = (yield from classification_definition())["UNRESTRICTED"]
    user, _ = yield from account()
    return {"classification": lowest, "search_classification": user["classification"]}
