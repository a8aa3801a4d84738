"""Records of any entity: lists, single records, and upserts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NotRequired, cast
from uuid import uuid4

from typing_extensions import TypedDict

from self_hosted.atrocore.api.comparison import has_values
from self_hosted.atrocore.api.filters import Condition
from self_hosted.atrocore.api.identifiers import check_entity, check_key, check_record_id
from self_hosted.atrocore.api.pages import Record, StoredRecord, read_by_value, read_list
from self_hosted.atrocore.api.record_ids import MAX_ID_LENGTH
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import log_lost
from self_hosted.core.http.shape import JsonObject, check_shape

log = get_logger(__name__)

MAX_MASS_RECORDS = 200  # of a mass action; servers reject more, or process them later


class UpsertResult(TypedDict):
    """The result of one item of an upsert.

    :param status: "Created", "Updated", "NotModified" or "Failed"
    :param message: AtroCore's explanation, shortened to 500 characters
    :param code: HTTP status of a failure, or the number of a database error
    :param id: id of the stored record, since core 2.3
    :param entity: the whole stored record, before core 2.3
    """

    status: NotRequired[str]
    message: NotRequired[str | None]
    code: NotRequired[int | str | None]
    id: NotRequired[str | None]
    entity: NotRequired[Any]


def list_all(entity: str, where: Sequence[Condition] = (), select: Sequence[str] = ()) -> Flow[list[Record]]:
    """Return all records that meet the conditions, read page by page (``GET /api/{Entity}``).

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    :param select: fields to read besides ``id``; default: all
    """
    found: list[Record] = []
    yield from read_list(entity, where, select, lambda reply, page: found.extend(page))
    return found


def find(entity: str, field: str, values: Sequence[str], select: Sequence[str] = ()) -> Flow[dict[str, list[Record]]]:
    """Return records by the value of a field; each request contains as many values as fit into a URL.

    :param entity: such as "Product"
    :param field: such as "number"
    :param values: the values to find; compared as text
    :param select: fields to read besides ``id`` and the given field; default: all
    :return: the records by value, without the values that no record has
    """
    found: dict[str, list[Record]] = {}

    def take(reply: Reply, page: list[Record]) -> None:
        for record in page:
            if isinstance(record.get(field), str | int | float):
                found.setdefault(str(record[field]), []).append(record)

    yield from read_by_value(entity, field, values, select, take)
    return found


def get(entity: str, record_id: str) -> Flow[Record]:
    """Return one record (``GET /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    :raises NotFoundError: if it does not exist
    """
    return _read_record((yield Request("GET", _record_path(entity, record_id))))


def create(entity: str, values: Record) -> Flow[Record]:
    """Create one record and return it (``POST /api/{Entity}``).

    Without an ``id``, it gets a random one. After a lost response, the record is read back by its id.

    :param entity: such as "Product"
    :param values: its fields
    :raises OutcomeUnknownError: if the response was lost, and no record has the id, or one with other values
    """
    record = yield from create_quietly(entity, values)
    log.info("%s %s: created", entity, record["id"])
    return record


def create_quietly(entity: str, values: Record) -> Flow[Record]:
    """Do the same as `create`, as one of many: without a line in the log.

    :param entity: such as "Product"
    :param values: its fields
    """
    path, sent = url_path("api", check_entity(entity)), _with_id("values", values)
    try:
        reply = yield Request("POST", path, json=sent)
    except OutcomeUnknownError as lost_response:
        try:
            record = yield from _read_back(entity, sent["id"])
        except NotFoundError:
            log_lost(lost_response, is_done=False)
            raise lost_response from None
        if "id" in values and not _is_result_of(record, sent):  # a random id belongs to no other record
            raise OutcomeUnknownError(
                f"the response was lost, and the record {sent['id']} has other values: {lost_response.message}",
                method="POST",
                path=path,
            ) from None
        log_lost(lost_response, is_done=True)
        return record
    return _read_record(reply)


def update(entity: str, record_id: str, values: Record) -> Flow[bool]:
    """Set fields of one record (``PATCH /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    :param values: the fields to set; ``_prev`` holds values that the record must have now
    :return: whether the record changed. False also if AtroCore dropped read-only or unknown fields. True also if the
        response was lost and the fields have the values: the cause is then unknown
    :raises ConflictError: if the record does not have the values of ``_prev``
    """
    changed = yield from update_quietly(entity, record_id, values)
    names = ", ".join(name for name in values if name != "_prev")
    log.info("%s %s: %s", entity, record_id, f"changed {names}" if changed else "nothing differs")
    return changed


def update_quietly(entity: str, record_id: str, values: Record) -> Flow[bool]:
    """Do the same as `update`, as one of many: without a line in the log.

    :param entity: such as "Product"
    :param record_id: its id
    :param values: the fields to set
    """
    request = Request("PATCH", _record_path(entity, record_id), json=values)
    try:
        reply = yield request
    except OutcomeUnknownError as lost:
        # read back before the request is sent again: after its own effect, ``_prev`` would be a conflict
        is_done = has_values((yield from _read_back(entity, record_id)), values)
        log_lost(lost, is_done=is_done)
        if is_done:
            return True
        reply = yield request
    if reply.status == 304:
        return False
    check_shape(reply, reply.json(), JsonObject)
    return True


def delete(entity: str, record_id: str) -> Flow[None]:
    """Delete one record; if it does not exist, do nothing (``DELETE /api/{Entity}/{id}``).

    AtroCore deletes softly: an upsert with the same id restores the record.

    :param entity: such as "Product"
    :param record_id: its id
    :raises ServerError: if the server does not confirm that it deleted the record
    """
    path = _record_path(entity, record_id)
    try:
        reply = yield Request("DELETE", path, idempotent=True)
    except NotFoundError:
        log.info("%s %s: it does not exist, so that nothing is deleted", entity, record_id)
        return
    if not check_shape(reply, reply.json(), bool):
        raise reply.error(ServerError, "the server did not delete the record")
    log.info("%s %s: deleted", entity, record_id)


def delete_many(entity: str, record_ids: Sequence[str]) -> Flow[None]:
    """Delete records softly; the response does not say which ones (``POST /api/entityMassDelete``).

    :param entity: such as "Product"
    :param record_ids: their ids; those of no record are ignored
    """
    ids = [check_key("record_ids", record_id) for record_id in record_ids]
    yield from _act_on_many("/api/entityMassDelete", entity, ids)


def restore_many(entity: str, record_ids: Sequence[str]) -> Flow[None]:
    """Restore softly deleted records; the response does not say which ones (``POST /api/entityRestore``).

    :param entity: such as "Product"
    :param record_ids: their ids; those of no deleted record are ignored
    :raises NotFoundError: if the server cannot restore records
    """
    ids = [check_key("record_ids", record_id) for record_id in record_ids]
    yield from _act_on_many("/api/entityRestore", entity, ids)


def _act_on_many(path: str, entity: str, ids: Sequence[str]) -> Flow[None]:
    check_entity(entity)
    for start in range(0, len(ids), MAX_MASS_RECORDS):
        body = {"entityName": entity, "ids": list(ids[start : start + MAX_MASS_RECORDS])}
        reply = yield Request("POST", path, json=body, idempotent=True, long_running=True)
        reply.json()  # a proxy would respond with a page


def upsert(entity: str, payloads: Sequence[Record]) -> Flow[list[UpsertResult]]:
    """Create or update many records in one request (``POST /api/upsert``).

    AtroCore would create a duplicate for a payload without ``id``, unless an administrator made a field unique. So each
    payload gets a random id. After a lost response, everything is sent again; what was done before is "NotModified".

    :param entity: such as "Product"
    :param payloads: the fields of each record
    :return: one `UpsertResult` for each payload
    :raises NotFoundError: if the server has no upsert
    """
    check_entity(entity)
    payloads = [_with_id(f"payloads[{index}]", payload) for index, payload in enumerate(payloads)]
    try:
        results = yield from upsert_once(entity, payloads)
    except OutcomeUnknownError as lost:
        log.warning("%s; sending everything again: what was done before is not modified", lost)
        results = yield from upsert_once(entity, payloads)
    counts = Counter(str(result.get("status")) for result in results)
    log.info(
        "%s: upserted %d records: %s", entity, len(results), ", ".join(f"{n} {name}" for name, n in counts.items())
    )
    return results


def upsert_once(entity: str, payloads: Sequence[Record]) -> Flow[list[UpsertResult]]:
    """Do the same as `upsert`, with unchanged payloads and without another attempt after a lost response.

    :param entity: such as "Product"
    :param payloads: the fields of each record
    :return: one `UpsertResult` for each payload
    :raises OutcomeUnknownError: if the response was lost
    :raises NotFoundError: if the server has no upsert
    """
    check_entity(entity)
    items = [{"entity": entity, "payload": payload} for payload in payloads]
    reply = yield Request("POST", "/api/upsert", json=items)
    results = reply.json()
    if not isinstance(results, list) or len(results) != len(items):
        # PHP returns such a response if the request was larger than post_max_size
        received = len(results) if isinstance(results, list) else "no"
        raise reply.error(ServerError, f"{len(items)} records were sent, but the response has {received} results")
    return [_clean_result(reply, result) for result in check_shape(reply, results, list[UpsertResult])]


def _clean_result(reply: Reply, result: UpsertResult) -> UpsertResult:
    """Return the result with texts that are fit for the task's result. Before 2.3, ``entity`` is the whole record."""
    texts = {name: reply.clean(text) for name, text in result.items() if name != "entity" and isinstance(text, str)}
    return cast("UpsertResult", {**result, **texts})


def _read_back(entity: str, record_id: str) -> Flow[Record]:
    """Return one record with the texts of the main language, which is that of writes."""
    return _read_record((yield Request("GET", _record_path(entity, record_id), headers={"language": ""})))


def _read_record(reply: Reply) -> Record:
    record = reply.json()
    check_shape(reply, record, StoredRecord)
    return record  # type: ignore[no-any-return]


def _is_result_of(record: Record, sent: Record) -> bool:
    """Return whether a record may be what was sent. The server drops unknown fields, and does not show some others."""
    return has_values(record, {name: value for name, value in sent.items() if name in record})


def _record_path(entity: str, record_id: str) -> str:
    return url_path("api", check_entity(entity), check_record_id("record_id", record_id))


def _with_id(argument: str, values: Record) -> Record:
    """Return the fields of a record with an id. One that is given must be one: "" stands for a missing result."""
    if "id" in values:
        return {**values, "id": check_record_id(f"the id in {argument}", values["id"])}
    return {**values, "id": uuid4().hex[:MAX_ID_LENGTH]}
