"""Ids, hashes, tags and signatures of list entries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error

HASH_PATTERNS = {
    "sha256": r"[a-f0-9]{64}",
    "sha1": r"[a-f0-9]{40}",
    "md5": r"[a-f0-9]{32}",
    "tlsh": r".*",
    "ssdeep": r"\d{1,18}:[a-zA-Z0-9/+]{0,64}:[a-zA-Z0-9/+]{0,64}",
}
STORED_HASHES = {"badlist": tuple(HASH_PATTERNS), "safelist": ("sha256", "sha1", "md5")}


def create_id(text: str) -> str:
    """Return the id of a tag or a signature.

    :param text: such as ``network.static.domain: example.com`` or ``signature: name``
    """
    return hashlib.sha256(text.encode()).hexdigest()


def identify(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the id of an entry, its hashes, and its tag or signature.

    :param entry: entry of the request
    :raises ApiError: if there is no id
    """
    type_ = entry.get("type")
    if type_ == "tag":
        tag = _normalize_tag(entry.get("tag") or {})
        id_ = create_id(f"{tag['type']}: {tag['value']}")
        return id_, {"sha256": id_}, {"tag": tag}
    if type_ == "signature":
        if "name" not in (entry.get("signature") or {}):
            raise ApiError(400, "Signature data not found", None)
        id_ = create_id(f"signature: {entry['signature']['name']}")
        return id_, {"sha256": id_}, {"signature": entry["signature"]}
    hashes = dict(entry.get("hashes") or {})
    found = next((hashes[name] for name in HASH_PATTERNS if hashes.get(name)), None)
    if not found:
        raise ApiError(400, "No valid hash found", None)
    return str(found), hashes, {}


def _normalize_tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    if not {"type", "value"} <= set(tag):
        raise ApiError(400, "Tag data not found", None)
    return {**tag, "value": _normalize_value(tag["type"], tag["value"])}


def _normalize_value(tag_type: str, value: str) -> str:
    """Return a domain, or a URI with its host, in lower case."""
    if tag_type.endswith(".domain"):
        return value.lower()
    if tag_type.endswith(".uri"):
        if "//" not in value:
            raise internal_error()
        host = value.split("//", 1)[1].split("/", 1)[0]
        return value.replace(host, host.lower(), 1)
    return value


def find_invalid_hash(hashes: Mapping[str, Any]) -> str | None:
    """Return the error message for an invalid hash, or None if all are valid.

    :param hashes: type to hash
    """
    for type_, value in hashes.items():
        if value and not re.fullmatch(HASH_PATTERNS.get(type_, ".*"), value):
            return f"[{type_}] '{value}' not match the validator: ^{HASH_PATTERNS[type_]}$"
    return None


def select_stored_hashes(list_name: str, hashes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hashes that a list stores; others are lost.

    :param list_name: "badlist" or "safelist"
    :param hashes: type to hash
    """
    return {type_: hashes.get(type_) for type_ in STORED_HASHES[list_name]}
