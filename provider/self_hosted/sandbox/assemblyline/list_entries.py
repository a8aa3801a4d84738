"""Entries of the stand-in's badlist and safelist: their ids, and what becomes of two for the same thing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.dates import moment

HASHES = {
    "sha256": r"[a-f0-9]{64}",
    "sha1": r"[a-f0-9]{40}",
    "md5": r"[a-f0-9]{32}",
    "tlsh": r".*",
    "ssdeep": r"\d{1,18}:[a-zA-Z0-9/+]{0,64}:[a-zA-Z0-9/+]{0,64}",
}
KEPT = {"badlist": tuple(HASHES), "safelist": ("sha256", "sha1", "md5")}
ATTRIBUTIONS = ("actor", "campaign", "category", "exploit", "implant", "family", "network")
FAILED, LOWEST = "Internal Server Error", "TLP:C"  # classifications are not enforced

Entries = dict[str, dict[str, Any]]


def put(entries: Entries, list_name: str, sent: Mapping[str, Any]) -> tuple[str, str]:
    """Add one entry, or merge it into the one there is; its id, and which of both.

    :param entries: those of the list
    :param list_name: "badlist" or "safelist"
    :param sent: as a client sends it
    """
    id_, wanted = _read(list_name, sent)
    wanted["hashes"] = _checked(list_name, wanted["hashes"], 500)
    if id_ in entries:
        merge(entries[id_], wanted)
        return id_, "update"
    added = {name: sent[name] for name in ("enabled",) if name in sent}
    entries[id_] = {**wanted, **added, "sources": list({one["name"]: one for one in wanted["sources"]}.values())}
    return id_, "add"


def put_many(entries: Entries, list_name: str, sent: Iterable[Mapping[str, Any]]) -> int:
    """Add or merge many; how many. What is neither file nor tag of a new one is lost, and so is ``enabled``.

    :param entries: those of the list
    :param list_name: "badlist" or "safelist"
    :param sent: as a client sends them
    """
    read = dict(_read(list_name, one) for one in sent)
    for wanted in read.values():
        wanted["hashes"] = _checked(list_name, wanted["hashes"], 400)
    for id_, wanted in read.items():
        if id_ in entries:
            merge(entries[id_], wanted)
        else:
            entries[id_] = {**wanted, **({"signature": None} if list_name == "safelist" else {})}
    return len(read)


def merge(old: dict[str, Any], new: Mapping[str, Any]) -> None:
    """What becomes of an entry when another one comes for the same thing: no reason twice, the expiry of the newer.

    :param old: the entry that is changed
    :param new: what is added
    """
    if new["type"] != old["type"]:
        raise Refusal(400, f"Invalid data provided: Bad hash type mismatch: {new['type']} != {old['type']}", None)
    if not new["sources"]:
        raise Refusal(400, "Invalid data provided: No valid source found", None)
    sources = {one["name"]: one for one in old["sources"]}
    for one in new["sources"]:
        known = sources.setdefault(one["name"], one)
        if known["type"] != one["type"]:
            words = f"Source {one['name']} has a type conflict: {known['type']} != {one['type']}"
            raise Refusal(400, f"Invalid data provided: {words}", None)
        known["reason"] = [*known["reason"], *(reason for reason in one["reason"] if reason not in known["reason"])]
        known["classification"] = one["classification"]
    for kind, names in (new.get("attribution") or {}).items():
        attribution = old["attribution"] = old["attribution"] or dict.fromkeys(ATTRIBUTIONS)
        attribution[kind] = sorted({*(attribution[kind] or []), *(names or [])}) or None
    old["hashes"].update({kind: value for kind, value in new["hashes"].items() if value})
    old.update(sources=list(sources.values()), expiry_ts=new["expiry_ts"], updated=moment("now"))


def _read(list_name: str, sent: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """An entry's id, and the entry with all that one has."""
    kind = sent.get("type")
    thing, hashes = _thing(sent, str(kind))
    id_ = next((hashes[name] for name in HASHES if hashes.get(name)), None)
    if not id_:
        raise Refusal(400, "No valid hash found", None)
    if "sources" not in sent:
        raise Refusal(500, FAILED)
    sources = [{**one, "classification": LOWEST} for one in sent["sources"]]
    days = sent.get("dtl")
    expiry = datetime.now(UTC) + timedelta(days=days) if days else None
    attribution = sent.get("attribution")
    names = {name: [one.upper() for one in values] for name, values in (attribution or {}).items()}
    named = {**dict.fromkeys(ATTRIBUTIONS), **names} if attribution else None
    entry = {
        "added": moment("now"),
        "classification": LOWEST,
        "enabled": True,
        "expiry_ts": expiry.isoformat().replace("+00:00", "Z") if expiry else None,
        "file": {"name": [], "size": None, "type": None, **sent.get("file", {})} if kind == "file" else None,
        "hashes": hashes,
        "sources": sources,
        "tag": None,
        "type": kind,
        "updated": moment("now"),
        **({"attribution": named} if list_name == "badlist" else {"signature": None}),
    }
    return str(id_), {**entry, **thing}


def _thing(sent: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if kind == "tag":
        tag = sent.get("tag") or {}
        if not {"type", "value"} <= set(tag):
            raise Refusal(400, "Tag data not found", None)
        tag = {**tag, "value": _normal(tag["type"], tag["value"])}
        return {"tag": tag}, {"sha256": digest(f"{tag['type']}: {tag['value']}")}
    if kind == "signature":
        if "name" not in (sent.get("signature") or {}):
            raise Refusal(400, "Signature data not found", None)
        return {"signature": sent["signature"]}, {"sha256": digest(f"signature: {sent['signature']['name']}")}
    return {}, dict(sent.get("hashes") or {})


def _normal(kind: str, value: str) -> str:
    if kind.endswith(".domain"):
        return value.lower()
    if kind.endswith(".uri"):
        if "//" not in value:
            raise Refusal(500, FAILED)
        host = value.split("//", 1)[1].split("/", 1)[0]
        return value.replace(host, host.lower(), 1)
    return value


def _checked(list_name: str, hashes: Mapping[str, Any], status: int) -> dict[str, Any]:
    """All hashes that an entry has room for; the others are lost. One alone that is none makes the server fail."""
    for kind, value in hashes.items():
        if value and not re.fullmatch(HASHES.get(kind, ".*"), value):
            words = f"[{kind}] '{value}' not match the validator: ^{HASHES[kind]}$"
            raise Refusal(status, words if status == 400 else FAILED, None if status == 400 else "")
    return {kind: hashes.get(kind) for kind in KEPT[list_name]}


def digest(words: str) -> str:
    """The id of a tag or a signature.

    :param words: its kind and value
    """
    return hashlib.sha256(words.encode()).hexdigest()


def source_of(entry: Mapping[str, Any], name: str, kind: str) -> dict[str, Any] | None:
    """One of the sources of an entry, if it has it.

    :param entry: the entry
    :param name: of the source
    :param kind: of the source
    """
    return next((one for one in entry["sources"] if (one["name"], one["type"]) == (name, kind)), None)
