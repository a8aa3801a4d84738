"""Addition and merging of entries of the badlist and the safelist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.lists.hashes import find_invalid_hash, identify, select_stored_hashes

ATTRIBUTION_TYPES = ("actor", "campaign", "category", "exploit", "implant", "family", "network")
LOWEST_CLASSIFICATION = "TLP:C"  # classifications are not enforced, so that the server stores the lowest
Entries = dict[str, dict[str, Any]]


def put(entries: Entries, list_name: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Add an entry or merge it into the existing one; return its id, and "add" or "update".

    :param entries: entries of the list by id
    :param list_name: "badlist" or "safelist"
    :param body: entry of the request
    """
    id_, entry = _build_entry(list_name, body)
    if find_invalid_hash(entry["hashes"]):
        raise internal_error()  # the real server has an unhandled exception
    entry["hashes"] = select_stored_hashes(list_name, entry["hashes"])
    if id_ in entries:
        merge(entries[id_], entry)
        return id_, "update"
    enabled = {"enabled": body["enabled"]} if "enabled" in body else {}
    sources = {source["name"]: source for source in entry["sources"]}
    entries[id_] = {**entry, **enabled, "sources": list(sources.values())}
    return id_, "add"


def put_many(entries: Entries, list_name: str, body: Iterable[Mapping[str, Any]]) -> int:
    """Add or merge entries; return their number. Signatures and ``enabled`` of new entries are lost.

    :param entries: entries of the list by id
    :param list_name: "badlist" or "safelist"
    :param body: entries of the request
    """
    new_entries = dict(_build_entry(list_name, item) for item in body)
    for entry in new_entries.values():
        message = find_invalid_hash(entry["hashes"])
        if message:
            raise ApiError(400, message, None)
        entry["hashes"] = select_stored_hashes(list_name, entry["hashes"])
    for id_, entry in new_entries.items():
        if id_ in entries:
            merge(entries[id_], entry)
        else:
            entries[id_] = {**entry, **({"signature": None} if list_name == "safelist" else {})}
    return len(new_entries)


def merge(old: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Merge an entry into an existing one. Reasons stay unique, and the new expiry date applies.

    :param old: the existing entry, which is changed
    :param new: the new entry
    """
    if new["type"] != old["type"]:
        raise _invalid(f"Bad hash type mismatch: {new['type']} != {old['type']}")
    if not new["sources"]:
        raise _invalid("No valid source found")
    sources = {source["name"]: source for source in old["sources"]}
    for source in new["sources"]:
        _merge_source(sources.setdefault(source["name"], source), source)
    for type_, names in (new.get("attribution") or {}).items():
        attribution = old["attribution"] = old["attribution"] or dict.fromkeys(ATTRIBUTION_TYPES)
        attribution[type_] = sorted({*(attribution[type_] or []), *(names or [])}) or None
    old["hashes"].update({type_: value for type_, value in new["hashes"].items() if value})
    old.update(sources=list(sources.values()), expiry_ts=new["expiry_ts"], updated=get_current_time())


def _merge_source(old: dict[str, Any], new: Mapping[str, Any]) -> None:
    if old["type"] != new["type"]:
        raise _invalid(f"Source {new['name']} has a type conflict: {old['type']} != {new['type']}")
    old["reason"] = [*old["reason"], *(reason for reason in new["reason"] if reason not in old["reason"])]
    old["classification"] = new["classification"]


def _invalid(reason: str) -> ApiError:
    return ApiError(400, f"Invalid data provided: {reason}", None)


def _build_entry(list_name: str, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the id of an entry, and the entry with all of its fields."""
    id_, hashes, identity = identify(body)
    if "sources" not in body:
        raise internal_error()
    is_file = body.get("type") == "file"
    entry = {
        "added": get_current_time(),
        "classification": LOWEST_CLASSIFICATION,
        "enabled": True,
        "expiry_ts": _build_expiry(body.get("dtl")),
        "file": {"name": [], "size": None, "type": None, **body.get("file", {})} if is_file else None,
        "hashes": hashes,
        "sources": [{**source, "classification": LOWEST_CLASSIFICATION} for source in body["sources"]],
        "tag": None,
        "type": body.get("type"),
        "updated": get_current_time(),
    }
    special = {"attribution": _build_attribution(body)} if list_name == "badlist" else {"signature": None}
    return id_, {**entry, **special, **identity}


def _build_expiry(days: int | None) -> str | None:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z") if days else None


def _build_attribution(body: Mapping[str, Any]) -> dict[str, Any] | None:
    attribution = body.get("attribution")
    if not attribution:
        return None
    names = {type_: [name.upper() for name in values] for type_, values in attribution.items()}
    return {**dict.fromkeys(ATTRIBUTION_TYPES), **names}


def find_source(entry: Mapping[str, Any], name: str, source_type: str) -> dict[str, Any] | None:
    """Return a source of an entry, or None.

    :param entry: the entry
    :param name: name of the source
    :param source_type: type of the source
    """
    sources = entry["sources"]
    return next((source for source in sources if (source["name"], source["type"]) == (name, source_type)), None)
