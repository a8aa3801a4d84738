"""Putting things on badlist and safelist, and taking them off."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.account import whoami
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.list_entries import checked_entry, entry_id
from self_hosted.assemblyline.api.lists import MANY, entry_path, list_entries, list_entry_if_any
from self_hosted.assemblyline.api.selection import check_classification
from self_hosted.assemblyline.api.server import constants
from self_hosted.core.errors import Broken
from self_hosted.core.flow import Flow, Request


def own_source(reasons: Sequence[str], classification: str | None = None) -> Flow[dict[str, Any]]:
    """The user as the source of an entry; the server takes no other user's name.

    :param reasons: why something is on the list
    :param classification: of the reasons; by default the lowest
    """
    user = yield from whoami()
    source = {"name": user["username"], "type": "user", "reason": [*reasons]}
    return {**source, "classification": classification} if classification else source


def add_to_list(list_name: str, entry: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Put one thing on a list, or add sources and reasons to its entry: {id, op}, ``op`` being "add" or "update".

    An update sets the expiry anew: without a ``dtl`` the entry stays for the server's own period, by default for ever.

    ``PUT /api/v4/badlist/``, which adds no reason twice, and so may be repeated

    :param list_name: "badlist" or "safelist"
    :param entry: from `file_entry`, `tag_entry` or `signature_entry`, with ``sources``: a list of {"name", "type",
        "reason", "classification"}; ``dtl`` in days, ``file`` and, for the badlist, ``attribution`` may be there too
    :raises ValueError: for an entry on which the server would fail
    :raises Forbidden: for a source that is external, without the role signature_import
    """
    sent = checked_entry(list_name, entry)
    yield from _check([sent])
    answer = yield from asked(Request("PUT", f"{API}/{list_name}/", json=sent, repeatable=True))
    return {"id": answer["hash"], "op": answer["op"]}


def add_many_to_list(list_name: str, entries: Sequence[Mapping[str, Any]]) -> Flow[dict[str, list[str]]]:
    """Put many things on a list, without those that are there just so: {added, updated, unchanged, disabled}, ids each.

    ``disabled`` are those among them that somebody switched off: adding them again does not switch them on.

    ``PUT /api/v4/badlist/add_update_many/``, once for each 500, after a search for them

    :param list_name: "badlist" or "safelist"
    :param entries: as for `add_to_list`, but no signatures, whose names would be lost
    :raises ValueError: for entries on which the server would fail
    :raises Broken: when the server could not store all of them
    """
    wanted = {entry_id(one): one for one in (checked_entry(list_name, entry) for entry in entries)}
    yield from _check(wanted.values())
    if any(entry["type"] == "signature" for entry in wanted.values()):
        raise ValueError("signatures are put on the safelist one by one: the server loses the names of many at once")
    there = yield from list_entries(list_name, [*wanted])
    unchanged = [id_ for id_, entry in wanted.items() if _covers(there.get(id_), entry)]
    sent = [id_ for id_ in wanted if id_ not in unchanged]
    for start in range(0, len(sent), MANY):
        yield from _sent(list_name, [wanted[id_] for id_ in sent[start : start + MANY]])
    return {
        "added": [id_ for id_ in sent if id_ not in there],
        "updated": [id_ for id_ in sent if id_ in there],
        "unchanged": unchanged,
        "disabled": [id_ for id_ in wanted if not there.get(id_, {}).get("enabled", True)],
    }


def _check(entries: Collection[Mapping[str, Any]]) -> Flow[None]:
    """Ask the server what it knows: it takes other types of tags, which no file has, and replaces classifications."""
    levels = {source.get("classification") for entry in entries for source in entry["sources"]} - {None}
    for level in sorted(levels):
        yield from check_classification(level, "classification")
    types = {entry["tag"]["type"] for entry in entries if entry["type"] == "tag"}
    unknown = sorted(types - set((yield from constants())["tag_types"])) if types else []
    if unknown:
        raise ValueError(f"tags: this server knows no {', '.join(unknown)}; see its constants()['tag_types']")


def _sent(list_name: str, entries: Sequence[Mapping[str, Any]]) -> Flow[None]:
    path = f"{API}/{list_name}/add_update_many/"
    answer = yield from asked(Request("PUT", path, json=entries, slow=True, repeatable=True))
    if answer["errors"]:
        raise Broken(f"the {list_name} did not take all of {len(entries)} entries: {answer['errors']}")


def _covers(there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether an entry says already all that another one would add; what expires is always sent, to set its time."""
    if there is None or there["type"] != wanted["type"] or "file" in wanted:
        return False
    if wanted.get("dtl") or there.get("expiry_ts"):
        return False
    sources = {(one["name"], one["type"]): one for one in there.get("sources") or []}
    hashes, known = wanted.get("hashes", {}), there.get("hashes") or {}
    attributed, named = there.get("attribution") or {}, wanted.get("attribution") or {}
    return (
        all(_tells(sources.get((one["name"], one["type"])), one) for one in wanted["sources"])
        and all(known.get(kind) == value for kind, value in hashes.items())
        and all({one.upper() for one in named[kind]} <= set(attributed.get(kind) or []) for kind in named)
    )


def _tells(there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    if there is None or wanted.get("classification") not in {None, there.get("classification")}:
        return False
    return set(wanted["reason"]) <= set(there["reason"])


def remove_from_list(list_name: str, id_: str) -> Flow[str]:
    """Take something off a list: "removed", "absent" when it was not on it, or "kept".

    Without the role signature_manage only the user's own sources are taken out, and an entry with others is kept,
    though the server calls it a success.

    ``DELETE /api/v4/badlist/<id>/``

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    """
    if not (yield from list_entry_if_any(list_name, id_)):
        return "absent"
    yield from asked(Request("DELETE", entry_path(list_name, id_), repeatable=True))
    return "kept" if (yield from list_entry_if_any(list_name, id_)) else "removed"
