"""Additions of signatures: new rules, and new texts of existing ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.search.search import find_shaped
from self_hosted.assemblyline.api.signatures import levels, rows
from self_hosted.assemblyline.errors import API_PATH, read_result
from self_hosted.core.http.errors import ConflictError, ServerError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

MAX_BATCH_ROWS, MAX_BATCH_CHARACTERS = 200, 2_000_000
"""Signatures, and characters of their rules, per request. A larger rule is sent alone."""

COMPARED_FIELDS = ("name", "data", "revision")


class AddedSignatures(TypedDict):
    """The effect of adding signatures: ids.

    :param added: new signatures
    :param updated: existing signatures with another rule, name, revision or classification; their status is kept
    :param unchanged: existing signatures that are equal
    :param skipped: signatures whose name belongs to another id of the same source; the server leaves them out
    """

    added: list[str]
    updated: list[str]
    unchanged: list[str]
    skipped: list[str]


class AddedSignature(TypedDict):
    """The effect of adding one signature.

    :param id: its id
    :param op: "added", "updated" or "unchanged"
    """

    id: str
    op: str


class _Existing(typing_extensions.TypedDict):
    id: str
    name: str
    status: str
    data: typing_extensions.NotRequired[str | None]
    revision: typing_extensions.NotRequired[str | None]
    classification: typing_extensions.NotRequired[str | None]


class _Added(typing_extensions.TypedDict):
    success: int
    errors: bool | list[Any]  # whether the index rejected one; it does not say which
    skipped: list[str]


def add(
    source: str, signature_type: str, signature: Mapping[str, Any], status: str = "DEPLOYED"
) -> Flow[AddedSignature]:
    """Add a signature, or change the rule of an existing one. See `add_many`.

    :param source: name of the source
    :param signature_type: such as "yara"
    :param signature: see `add_many`
    :param status: of a new signature
    :return: `AddedSignature`
    :raises ConflictError: if its name belongs to another id of the same source
    """
    outcome: Mapping[str, Any] = yield from add_many(source, signature_type, [signature], status)
    [(op, [signature_id])] = [(op, ids) for op, ids in outcome.items() if ids]
    if op == "skipped":
        raise ConflictError(
            f"{signature_id} was not added: another signature of {source} has the name {signature['name']}"
        )
    return {"id": signature_id, "op": op}


def add_many(
    source: str, signature_type: str, signatures: Sequence[Mapping[str, Any]], status: str = "DEPLOYED"
) -> Flow[AddedSignatures]:
    """Add signatures, or change the rules of existing ones. Those that are equal are not sent.

    An existing signature keeps its status, because analysts disable noisy ones; an INVALID one with a new rule gets the
    status of a new one.

    ``PUT /api/v4/signature/add_update_many/``, at most 200 at once, each time after a search for them; requires the
    role signature_import. The server stores any text: the service of the type notices invalid rules later.

    :param source: name of the source; letters, digits, "_", "-" and "."
    :param signature_type: such as "yara", "sigma" or "suricata": the name of the service in lower case
    :param signatures: each with ``name`` and ``data``, the rule itself; optional: ``signature_id`` (default: the name),
        ``revision``, ``classification`` (default: the lowest) and ``status``
    :param status: of a new signature that has none of its own
    :return: `AddedSignatures`
    :raises ValueError: for values that the server would drop or replace, and for two signatures with one id or name
    :raises ServerError: if the server did not store all of them
    """
    parsed = rows.parse_many(source, signature_type, signatures, status)
    for level in sorted({row["classification"] for row in parsed.values() if "classification" in row}):
        yield from server.check_classification(level, "classification")
    outcome = AddedSignatures(added=[], updated=[], unchanged=[], skipped=[])
    known = (yield from levels.read()) if parsed else None
    for batch in split_batches(parsed):
        yield from _add_batch({"source": source, "sig_type": signature_type}, batch, known, outcome)
    counts: Mapping[str, Any] = outcome
    log.info("Signatures of %s: %s", source, ", ".join(f"{len(ids)} {name}" for name, ids in counts.items()))
    return outcome


def split_batches(signatures: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield the signatures in parts of limited size.

    :param signatures: by id
    """
    batch: dict[str, dict[str, Any]] = {}
    characters = 0
    for signature_id, row in signatures.items():
        size = len(row["data"])
        if batch and (len(batch) == MAX_BATCH_ROWS or characters + size > MAX_BATCH_CHARACTERS):
            yield batch
            batch, characters = {}, 0
        batch[signature_id] = row
        characters += size
    if batch:
        yield batch


def _add_batch(
    target: Mapping[str, str], batch: Mapping[str, dict[str, Any]], known: Any, outcome: AddedSignatures
) -> Flow[None]:
    existing = yield from _find_existing(list(batch))
    changed = {
        id_: _complete(existing.get(id_), row, known)
        for id_, row in batch.items()
        if id_ not in existing or _differs(existing[id_], row, known)
    }
    skipped = (yield from _send(target, changed)) if changed else []
    outcome["skipped"] += skipped
    outcome["added"] += [id_ for id_ in changed if id_ not in existing and id_ not in skipped]
    outcome["updated"] += [id_ for id_ in changed if id_ in existing and id_ not in skipped]
    outcome["unchanged"] += [id_ for id_ in batch if id_ not in changed]


def _find_existing(ids: Sequence[str]) -> Flow[dict[str, _Existing]]:
    fields = ",".join(("id", "status", "classification", *COMPARED_FIELDS))
    arguments = {"query": f"id:{lucene.quote_any(ids)}", "rows": len(ids), "fl": fields, "sort": "id asc"}
    return {found["id"]: found for found in (yield from find_shaped("signature", arguments, _Existing))}


def _differs(existing: _Existing, row: Mapping[str, Any], known: levels.Levels) -> bool:
    wanted, found = row.get("classification"), existing.get("classification")
    has_other_level = wanted is not None and known.normalize(wanted) != known.normalize(found or "")
    return has_other_level or any(existing.get(field) != row[field] for field in COMPARED_FIELDS if field in row)


def _complete(existing: _Existing | None, row: Mapping[str, Any], known: levels.Levels) -> dict[str, Any]:
    """Return a signature with a classification, without which the server fails, and with the status that it keeps."""
    if existing is None:
        return {"classification": known.lowest, **row}
    kept = {} if existing["status"] == "INVALID" else {"status": existing["status"]}
    return {"classification": existing.get("classification") or known.lowest, **row, **kept}


def _send(target: Mapping[str, str], batch: Mapping[str, Mapping[str, Any]]) -> Flow[list[str]]:
    """Send signatures, and return the ids of those that the server left out."""
    path = f"{API_PATH}/signature/add_update_many/"
    reply = yield Request("PUT", path, target, json=[*batch.values()], long_running=True, idempotent=True)
    response = read_result(reply, _Added)
    skipped = [signature_id for signature_id in batch if signature_id in response["skipped"]]
    if response["errors"] or response["success"] + len(skipped) != len(batch):
        raise reply.error(ServerError, f"not all of {len(batch)} signatures of {target['source']} were stored")
    return skipped
