"""Entries of badlist and safelist: how they are made, checked and named.

The server names an entry by the best of a file's hashes, or by a hash of a tag or signature. The same is computed here,
so that an entry can be found whatever characters are in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.sources import HASHES

LISTS = ("badlist", "safelist")
ATTRIBUTIONS = ("actor", "campaign", "category", "exploit", "implant", "family", "network")
"""What a badlist's entry may be attributed to."""

NAMED_BY = {"badlist": ("sha256", "sha1", "md5", "tlsh"), "safelist": ("sha256", "sha1", "md5")}
KNOWN = {"type", "hashes", "file", "tag", "sources", "dtl"}
ENTRY_KEYS = {"badlist": KNOWN | {"attribution"}, "safelist": KNOWN | {"signature"}}
TAG_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


def check_list(argument: str, list_name: str) -> None:
    """Validate the name of a list.

    :param argument: what a DAG author calls it
    :param list_name: "badlist" or "safelist"
    :raises ValueError: naming the argument
    """
    if list_name not in LISTS:
        raise ValueError(f"{argument} must be badlist or safelist, not {list_name!r}")


def file_entry(*hashes: str) -> dict[str, Any]:
    """An entry for one file, without its sources.

    :param hashes: of the file, of different kinds, told apart by what they look like
    :raises ValueError: for what is no hash
    """
    return {"type": "file", "hashes": dict(_kind_and_hash(one) for one in hashes)}


def tag_entry(tag_type: str, value: str) -> dict[str, Any]:
    """An entry for a tag, without its sources; its value as the server stores it.

    :param tag_type: such as "network.static.domain"
    :param value: such as "evil.example"
    :raises ValueError: for what is no tag
    """
    if not isinstance(tag_type, str) or not TAG_TYPE.fullmatch(tag_type):
        raise ValueError(f"tags: {tag_type!r} is no type of tag; it must be like network.static.domain")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"tags: the value of {tag_type} must be text, and not empty")
    return {"type": "tag", "tag": {"type": tag_type, "value": _stored(tag_type, value)}}


def signature_entry(name: str) -> dict[str, Any]:
    """An entry of the safelist for a signature, without its sources.

    :param name: as results name it
    """
    return {"type": "signature", "signature": {"name": name}}


def entry_id(entry: Mapping[str, Any]) -> str:
    """What the server calls an entry.

    :param entry: see `file_entry`, `tag_entry` and `signature_entry`
    :raises ValueError: when nothing in it can name it
    """
    if entry.get("type") == "tag":
        return _digest(f"{entry['tag']['type']}: {entry['tag']['value']}")
    if entry.get("type") == "signature":
        return _digest(f"signature: {entry['signature']['name']}")
    hashes = entry.get("hashes", {})
    for kind in NAMED_BY["badlist"]:
        if hashes.get(kind):
            return str(hashes[kind])
    # an entry with nothing but an ssdeep may hold a slash in its id, and could never be removed again
    raise ValueError("a file is listed by its sha256, sha1, md5 or tlsh; an ssdeep alone is not enough")


def checked_entry(list_name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it is sent, checked, since the server fails on what is wrong or leaves it out.

    :param list_name: "badlist" or "safelist"
    :param entry: with its ``sources``; what goes into it is in ``ENTRY_KEYS``
    :raises ValueError: naming what is wrong
    """
    check_list("list_name", list_name)
    unknown = sorted(set(entry) - ENTRY_KEYS[list_name])
    if unknown:
        known = ", ".join(sorted(ENTRY_KEYS[list_name]))
        raise ValueError(f"entry: the {list_name} takes no {', '.join(unknown)}; it takes {known}")
    _check_sources(entry.get("sources"))
    _check_attribution(entry.get("attribution") or {})
    if not isinstance(entry.get("dtl") or 0, int) or (entry.get("dtl") or 0) < 0:
        raise ValueError(f"dtl must be a number of days, 0 for ever, not {entry['dtl']!r}")
    return {**entry, **_thing(list_name, entry)}


def _thing(list_name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry.get("type") == "file":
        found = file_entry(*(entry.get("hashes") or {}).values())
        if not set(NAMED_BY[list_name]) & set(found["hashes"]):
            raise ValueError(f"a file is put on the {list_name} by its {', '.join(NAMED_BY[list_name])}")
        return found
    if entry.get("type") == "tag":
        tag = entry.get("tag") or {}
        return tag_entry(tag.get("type", ""), tag.get("value", ""))
    if entry.get("type") == "signature" and list_name == "safelist":
        return signature_entry(entry["signature"]["name"])
    raise ValueError(f"entry: the {list_name} takes no type {entry.get('type')!r}")


def _check_sources(sources: Any) -> None:
    if not isinstance(sources, Sequence) or isinstance(sources, str) or not sources:
        raise ValueError("sources: an entry needs one or more, each with name, type and reason")
    for source in sources:
        reasons = source.get("reason")
        if not source.get("name") or source.get("type") not in {"user", "external"}:
            raise ValueError("sources: each needs a name, and the type user or external")
        if not isinstance(reasons, list) or not reasons or not all(isinstance(one, str) and one for one in reasons):
            raise ValueError("sources: the reason must be a list of one text or more")


def _check_attribution(attribution: Mapping[str, Any]) -> None:
    unknown = sorted(set(attribution) - set(ATTRIBUTIONS))
    if unknown:
        raise ValueError(f"attribution: there is no {', '.join(unknown)}; there is {', '.join(ATTRIBUTIONS)}")


def _kind_and_hash(value: str) -> tuple[str, str]:
    if isinstance(value, str):
        for kind, looks in HASHES.items():
            # the server knows hashes in one case only: another one makes it fail
            found = {"ssdeep": value, "tlsh": value.upper()}.get(kind, value.lower())
            if re.fullmatch(looks, found):
                return kind, found
    raise ValueError(f"hashes: {value!r} is no sha256, sha1, md5, tlsh or ssdeep")


def _stored(tag_type: str, value: str) -> str:
    """Domains, and the hosts of URIs, in lower case: the server changes them before it names the entry."""
    if tag_type.endswith(".domain"):
        return value.lower()
    if tag_type.endswith(".uri"):
        if "//" not in value:
            raise ValueError(f"tags: {value!r} is no URI; it must begin as https://example.com does")
        host = value.split("//", 1)[1].split("/", 1)[0]
        return value.replace(host, host.lower(), 1)
    return value


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
