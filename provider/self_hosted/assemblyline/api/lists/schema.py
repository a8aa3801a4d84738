"""Entries of badlist and safelist: how they are built, checked and identified.

The server identifies an entry by the best hash of a file, or by a digest of a tag or signature. The same id is computed
here, so that entries with any characters can be found.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.api.lists import tag_values
from self_hosted.core.arguments import parse_choice, parse_int

LIST_NAMES = ("badlist", "safelist")
ATTRIBUTIONS = ("actor", "campaign", "category", "exploit", "implant", "family", "network")
"""The kinds of attribution of a badlist entry."""

ID_HASHES = {"badlist": ("sha256", "sha1", "md5", "tlsh"), "safelist": ("sha256", "sha1", "md5")}
COMMON_KEYS = {"type", "hashes", "file", "tag", "sources", "dtl"}
ENTRY_KEYS = {"badlist": COMMON_KEYS | {"attribution"}, "safelist": COMMON_KEYS | {"signature"}}
TAG_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


def check_list_name(argument: str, list_name: str) -> None:
    """Check the name of a list.

    :param argument: name of the argument
    :param list_name: "badlist" or "safelist"
    :raises ValueError: if it is neither
    """
    parse_choice(argument, list_name, LIST_NAMES)


def build_file_entry(*hashes: str) -> dict[str, Any]:
    """Return an entry for one file, without its sources.

    :param hashes: of the file, of different kinds
    :raises ValueError: if one is no hash
    """
    return {"type": "file", "hashes": {kind: value for each in hashes for kind, value in _identify_hash(each).items()}}


def build_tag_entry(tag_type: str, value: str) -> dict[str, Any]:
    """Return an entry for a tag, without its sources; the value in the server's spelling.

    :param tag_type: such as "network.static.domain"
    :param value: such as "evil.example"
    :raises ValueError: if type or value is malformed, or no result can have the value
    """
    if not isinstance(tag_type, str) or not TAG_TYPE.fullmatch(tag_type):
        raise ValueError(f"tags: the type must look like network.static.domain, not {tag_type!r}")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"tags: the value of {tag_type} must be a text, not {value!r}")
    return {"type": "tag", "tag": {"type": tag_type, "value": tag_values.normalize(tag_type, value)}}


def build_signature_entry(name: str) -> dict[str, Any]:
    """Return a safelist entry for a signature, without its sources.

    :param name: name of the signature in results
    """
    return {"type": "signature", "signature": {"name": name}}


def compute_id(entry: Mapping[str, Any]) -> str:
    """Return the server's id of an entry.

    :param entry: see `build_file_entry`, `build_tag_entry` and `build_signature_entry`
    :raises ValueError: if a file entry has no hash that can be an id
    """
    if entry.get("type") == "tag":
        return _digest(f"{entry['tag']['type']}: {entry['tag']['value']}")
    if entry.get("type") == "signature":
        return _digest(f"signature: {entry['signature']['name']}")
    hashes = entry.get("hashes", {})
    for kind in ID_HASHES["badlist"]:
        if hashes.get(kind):
            return str(hashes[kind])
    # an ssdeep as the id may hold a slash; such an entry could never be removed
    raise ValueError("hashes: a file entry needs a sha256, sha1, md5 or tlsh; an ssdeep alone is not enough")


def parse(list_name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as it is sent, checked: the server fails on invalid parts or drops them.

    :param list_name: "badlist" or "safelist"
    :param entry: with its ``sources``; `ENTRY_KEYS` lists the valid keys; ``dtl`` is in days, 0 = never expires
    :raises ValueError: if a part is unknown or invalid
    """
    check_list_name("list_name", list_name)
    unknown = sorted(set(entry) - ENTRY_KEYS[list_name])
    if unknown:
        valid = ", ".join(sorted(ENTRY_KEYS[list_name]))
        raise ValueError(f"entry: unknown {', '.join(unknown)}; the {list_name} accepts {valid}")
    _check_sources(entry.get("sources"))
    _check_attribution(entry.get("attribution") or {})
    dtl = {"dtl": parse_int("dtl", entry["dtl"], minimum=0)} if entry.get("dtl") is not None else {}
    return {**entry, **_parse_subject(list_name, entry), **dtl}


def _parse_subject(list_name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an entry that says what is listed: a file, a tag or a signature."""
    if entry.get("type") == "file":
        parsed = build_file_entry(*(entry.get("hashes") or {}).values())
        if not set(ID_HASHES[list_name]) & set(parsed["hashes"]):
            raise ValueError(f"hashes: a file on the {list_name} needs one of {', '.join(ID_HASHES[list_name])}")
        return parsed
    if entry.get("type") == "tag":
        tag = entry.get("tag") or {}
        return build_tag_entry(tag.get("type", ""), tag.get("value", ""))
    if entry.get("type") == "signature" and list_name == "safelist":
        return build_signature_entry(entry["signature"]["name"])
    raise ValueError(f"entry: the {list_name} accepts no type {entry.get('type')!r}")


def _check_sources(sources: Any) -> None:
    if not isinstance(sources, Sequence) or isinstance(sources, str) or not sources:
        raise ValueError("sources: an entry needs one or more, each with name, type and reason")
    for source in sources:
        reasons = source.get("reason")
        if not source.get("name") or source.get("type") not in {"user", "external"}:
            raise ValueError(f"sources: each needs a name and the type user or external, not {source!r}")
        if not isinstance(reasons, list) or not reasons or not all(isinstance(text, str) and text for text in reasons):
            raise ValueError(f"sources: the reason must be a list of one or more texts, not {reasons!r}")


def _check_attribution(attribution: Mapping[str, Any]) -> None:
    unknown = sorted(set(attribution) - set(ATTRIBUTIONS))
    if unknown:
        raise ValueError(f"attribution: unknown {', '.join(unknown)}; valid are {', '.join(ATTRIBUTIONS)}")


def _identify_hash(value: str) -> dict[str, str]:
    try:
        return hash_kinds.identify(value.strip() if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"hashes: {value!r} is no sha256, sha1, md5, tlsh or ssdeep") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
