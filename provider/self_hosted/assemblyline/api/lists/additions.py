"""Additions to badlist and safelist."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.lists import lists, schema
from self_hosted.assemblyline.errors import API_PATH, call, read_result
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)


class Addition(TypedDict):
    """The effect of one addition.

    :param id: id of the entry
    :param op: "add" or "update"
    """

    id: str
    op: str


class Additions(TypedDict):
    """The effect of many additions: ids of entries.

    :param added: new entries
    :param updated: existing entries that got a source or a reason
    :param unchanged: existing entries that had all of it
    :param disabled: entries among them that a user disabled; an addition does not enable them
    """

    added: list[str]
    updated: list[str]
    unchanged: list[str]
    disabled: list[str]


class _Added(typing_extensions.TypedDict):
    hash: str
    op: str


class _AddedMany(typing_extensions.TypedDict):
    errors: bool | list[Any] | dict[str, Any]  # False for none


def get_own_source(reasons: Sequence[str], classification: str | None = None) -> Flow[dict[str, Any]]:
    """Return the user as the source of an entry; the server accepts no other user's name.

    :param reasons: why the entry is on the list
    :param classification: of the reasons; default: the lowest
    """
    user = yield from account.get()
    source = {"name": user["username"], "type": "user", "reason": [*reasons]}
    return {**source, "classification": classification} if classification else source


def add(list_name: str, entry: Mapping[str, Any]) -> Flow[Addition]:
    """Add an entry to a list, or add sources and reasons to the existing entry.

    An update resets the expiry: without ``dtl``, the server's own period applies, by default no expiry.

    ``PUT /api/v4/badlist/``, which is idempotent: it adds no reason twice

    :param list_name: "badlist" or "safelist"
    :param entry: from `schema.build_file_entry`, `schema.build_tag_entry` or `schema.build_signature_entry`, with
        ``sources``: a list of {"name", "type", "reason", "classification"}; optional: ``dtl`` in days, ``file`` and,
        for the badlist, ``attribution``
    :return: `Addition`
    :raises ValueError: for an entry on which the server would fail
    :raises PermissionDeniedError: for an external source, without the role signature_import
    """
    parsed = schema.parse(list_name, entry)
    yield from _check([parsed])
    response = yield from call(Request("PUT", f"{API_PATH}/{list_name}/", json=parsed, idempotent=True), _Added)
    log.info("Entry %s of the %s: %s", response["hash"], list_name, "added" if response["op"] == "add" else "updated")
    return {"id": response["hash"], "op": response["op"]}


def add_many(list_name: str, entries: Sequence[Mapping[str, Any]]) -> Flow[Additions]:
    """Add many entries to a list; those that it holds already are not sent.

    ``PUT /api/v4/badlist/add_update_many/``, once per 500 entries, after a search for them

    :param list_name: "badlist" or "safelist"
    :param entries: see `add`, without signatures: the server would lose their names
    :return: `Additions`
    :raises ValueError: for entries on which the server would fail
    :raises ServerError: if the server did not store all of them
    """
    parsed = {schema.compute_id(entry): entry for entry in (schema.parse(list_name, entry) for entry in entries)}
    yield from _check(parsed.values())
    if any(entry["type"] == "signature" for entry in parsed.values()):
        raise ValueError("entries: add signatures one by one; the server loses the names of many at once")
    existing = yield from lists.get_many(list_name, [*parsed])
    unchanged = [entry_id for entry_id, entry in parsed.items() if _covers(existing.get(entry_id), entry)]
    missing = [entry_id for entry_id in parsed if entry_id not in unchanged]
    for start in range(0, len(missing), lists.BATCH_SIZE):
        yield from _send(list_name, [parsed[entry_id] for entry_id in missing[start : start + lists.BATCH_SIZE]])
    updated = [entry_id for entry_id in missing if entry_id in existing]
    counts = len(missing) - len(updated), len(updated), len(unchanged)
    log.info("Entries of the %s: %d added, %d updated, %d unchanged", list_name, *counts)
    return {
        "added": [entry_id for entry_id in missing if entry_id not in existing],
        "updated": updated,
        "unchanged": unchanged,
        "disabled": [entry_id for entry_id in parsed if not existing.get(entry_id, {}).get("enabled", True)],
    }


def _check(entries: Collection[Mapping[str, Any]]) -> Flow[None]:
    """Check what only the server knows: it accepts types of tags that no file has, and replaces classifications."""
    levels = {source.get("classification") for entry in entries for source in entry["sources"]} - {None}
    for level in sorted(levels):
        yield from server.check_classification(level, "classification")
    types = {entry["tag"]["type"] for entry in entries if entry["type"] == "tag"}
    unknown = sorted(types - set((yield from server.get_constants())["tag_types"])) if types else []
    if unknown:
        raise ValueError(f"tags: unknown types {', '.join(unknown)}; see get_constants()['tag_types'] of the hook")


def _send(list_name: str, entries: Sequence[Mapping[str, Any]]) -> Flow[None]:
    path = f"{API_PATH}/{list_name}/add_update_many/"
    reply = yield Request("PUT", path, json=entries, long_running=True, idempotent=True)
    errors = read_result(reply, _AddedMany)["errors"]
    if errors:
        raise reply.error(ServerError, f"the {list_name} did not store all of {len(entries)} entries: {errors}")


def _covers(existing: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether an existing entry holds all of another one. An entry that expires is always sent, to set its expiry."""
    if existing is None or existing["type"] != entry["type"] or "file" in entry:
        return False
    if entry.get("dtl") or existing.get("expiry_ts"):
        return False
    sources = {(source["name"], source["type"]): source for source in existing.get("sources") or []}
    hashes, attribution = existing.get("hashes") or {}, existing.get("attribution") or {}
    return (
        all(_covers_source(sources.get((source["name"], source["type"])), source) for source in entry["sources"])
        and all(hashes.get(kind) == value for kind, value in entry.get("hashes", {}).items())
        and all(
            {name.upper() for name in names} <= set(attribution.get(kind) or [])
            for kind, names in (entry.get("attribution") or {}).items()
        )
    )


def _covers_source(existing: Mapping[str, Any] | None, source: Mapping[str, Any]) -> bool:
    if existing is None or source.get("classification") not in {None, existing.get("classification")}:
        return False
    return set(source["reason"]) <= set(existing["reason"])
