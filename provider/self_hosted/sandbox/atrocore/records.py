"""Single records and upsert, with what AtroCore does when something is unusual."""

from __future__ import annotations

from itertools import islice
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.answers import Call, Refused, answer, not_modified
from self_hosted.sandbox.atrocore.entities import fields_of, key_field
from self_hosted.sandbox.atrocore.saving import changed, created, match, validate
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.where import conditions, matcher

DEFAULT_PAGE = 200
LARGEST_PAGE_OF_ESPO = 200


def listed(state: State, call: Call) -> Response:
    """``GET {Entity}``."""
    fields = fields_of(state.core, call.entity)
    size, offset = int(call.parameter("maxSize", str(DEFAULT_PAGE))), int(call.parameter("offset", "0"))
    if state.dialect == "espo" and size > LARGEST_PAGE_OF_ESPO:
        raise Refused(403, f"maxSize must not exceed {LARGEST_PAGE_OF_ESPO}.")
    meets = matcher(conditions(call.query), {"id", *fields})
    found = [record for record in state.records[call.entity].values() if not record["deleted"] and meets(record)]
    if call.parameter("sortBy"):
        descending = call.parameter("asc", "true") != "true"
        found.sort(key=lambda record: str(record.get(call.parameter("sortBy"))), reverse=descending)
    if call.parameter("totalOnly") == "true":
        return answer({"total": len(found)})
    page = [_shown(record, call.parameter("select")) for record in islice(found, offset, offset + size)]
    return answer({"list": page} if call.parameter("collectionOnly") == "true" else {"total": len(found), "list": page})


def read(state: State, call: Call) -> Response:
    """``GET {Entity}/{id}``."""
    return answer(_shown(_existing(state, call)))


def create(state: State, call: Call) -> Response:
    """``POST {Entity}``: 200, and numbers come back as text."""
    fields = fields_of(state.core, call.entity)
    validate(state, call, fields, required=True)
    record = created(state, call.entity, call.body)
    numeric = {name for name, field in fields.items() if field.type == "number"}
    fresh = {name: str(value) if name in numeric and value is not None else value for name, value in record.items()}
    return answer(_shown(fresh))


def update(state: State, call: Call) -> Response:
    """``PATCH {Entity}/{id}``, and PUT before 2.3: 304 when nothing changed."""
    record = _existing(state, call)
    validate(state, call, fields_of(state.core, call.entity), required=False)
    previous = call.body.get("_prev", {})
    if any(record.get(name) != value for name, value in previous.items()) and "_skipCheckForConflicts" not in call.body:
        raise Refused(409, f"editedByAnotherUser {', '.join(previous)}")
    return answer(_shown(record)) if changed(state, call.entity, record, call.body) else not_modified()


def delete(state: State, call: Call) -> Response:
    """``DELETE {Entity}/{id}``: soft, unless the header ``permanently`` says otherwise."""
    stored = state.records[call.entity]
    if call.headers.get("permanently") == "true" and call.id in stored:
        del stored[call.id]
    else:
        _existing(state, call)["deleted"] = True
    return answer(True)


def upsert(state: State, call: Call) -> Response:
    """``upsert``: in order, one by one, a result for each; only a bug of the server ends it before the last."""
    results, before = [], None
    for item in call.body:
        entity, payload = item.get("entity", ""), item.get("payload", {})
        results.append(_upserted(state, entity, payload, before))
        if state.core < (1, 10, 61):  # a bug: what one item found is still in hand for the next
            before = match(state, entity, payload)
    return answer(results)


def _upserted(state: State, entity: str, payload: dict[str, Any], before: Record | None) -> dict[str, Any]:
    if payload.get(key_field(state.core)) in state.poison:
        raise Refused(500, "SQLSTATE[22P02]: Invalid text representation: 7 ERROR: invalid input syntax; INSERT INTO")
    try:
        record = match(state, entity, payload) or (before if "id" not in payload else None)
        if record is None:
            return _result(state, "Created", entity, created(state, entity, payload))
        modified = changed(state, entity, record, payload)
    except Refused as refused:
        return {"status": "Failed", "stored": False, "code": refused.status, "message": refused.text}
    if modified or state.core >= (1, 11, 56):
        return _result(state, "Updated" if modified else "NotModified", entity, record)
    return {"status": "Failed", "stored": False, "message": "Code: 304. Not Modified"}


def _result(state: State, status: str, entity: str, record: Record) -> dict[str, Any]:
    named = {"entity": entity, "id": record["id"]} if state.core >= (2, 3) else {"entity": _shown(record)}
    return {"status": status, "stored": True, **named}


def _existing(state: State, call: Call) -> Record:
    fields_of(state.core, call.entity)
    record = state.records[call.entity].get(call.id)
    if record is None or record["deleted"]:
        raise Refused(404)
    return record


def _shown(record: Record, select: str = "") -> Record:
    if not select:
        return record
    return {name: record.get(name) for name in ("id", *select.split(",")) if name in record}
