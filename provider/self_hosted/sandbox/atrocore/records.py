"""Single records and lists."""

from __future__ import annotations

from itertools import islice

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import V2_3, get_fields
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import build_matcher, parse_conditions
from self_hosted.sandbox.atrocore.record_store import (
    create_record,
    get_record,
    list_candidates,
    select_fields,
    update_record,
)
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_not_modified, build_response
from self_hosted.sandbox.atrocore.validation import validate_body
from self_hosted.sandbox.routing import route

DEFAULT_PAGE_SIZE = 200
MAX_PAGE_SIZE_OF_ESPO = 200
COLLECTION, OLD_COLLECTION = "/api/{entity}", "/api/v1/{entity}"
RECORD, OLD_RECORD = "/api/{entity}/{id}", "/api/v1/{entity}/{id}"


class Records(Resource):
    """Records of any entity: list, read, create, update, delete."""

    @route("GET", COLLECTION, since=V2_3)
    @route("GET", OLD_COLLECTION, until=V2_3)
    def list_all(self, call: Call) -> Response:
        """Return a page of the records that meet the filter."""
        state, fields = self.state, get_fields(self.state.core, call.entity)
        size, offset = int(call.parameter("maxSize", str(DEFAULT_PAGE_SIZE))), int(call.parameter("offset", "0"))
        if state.dialect == "espo" and size > MAX_PAGE_SIZE_OF_ESPO:
            raise ApiError(403, f"maxSize must not exceed {MAX_PAGE_SIZE_OF_ESPO}.")
        conditions = parse_conditions(call.query)
        matches = build_matcher(conditions, {"id", *fields})
        candidates = list_candidates(state, call.entity, conditions)
        found = [record for record in candidates if not record["deleted"] and matches(record)]
        if sort_field := call.parameter("sortBy"):
            descending = call.parameter("asc", "true") != "true"
            found.sort(key=lambda record: str(record.get(sort_field)), reverse=descending)
        if call.parameter("totalOnly") == "true":
            return build_response({"total": len(found)})
        page = [select_fields(record, call.parameter("select")) for record in islice(found, offset, offset + size)]
        total = {} if call.parameter("collectionOnly") == "true" else {"total": len(found)}
        return build_response({**total, "list": page})

    @route("GET", RECORD, since=V2_3)
    @route("GET", OLD_RECORD, until=V2_3)
    def get(self, call: Call) -> Response:
        """Return one record."""
        return build_response(get_record(self.state, call.entity, call.id))

    @route("POST", COLLECTION, since=V2_3)
    @route("POST", OLD_COLLECTION, until=V2_3)
    def create(self, call: Call) -> Response:
        """Create a record. The response contains numbers as text."""
        fields = get_fields(self.state.core, call.entity)
        validate_body(self.state.core, call, fields, is_create=True)
        record = create_record(self.state, call.entity, call.body)
        numeric = {name for name, field in fields.items() if field.type == "number"}
        as_text = {name: str(record[name]) for name in record if name in numeric and record[name] is not None}
        return build_response({**record, **as_text})

    @route("PATCH", RECORD, since=V2_3)
    @route("PATCH", OLD_RECORD, until=V2_3)
    @route("PUT", OLD_RECORD, until=V2_3)
    def update(self, call: Call) -> Response:
        """Update a record. The status is 304 if nothing changes."""
        record = get_record(self.state, call.entity, call.id)
        validate_body(self.state.core, call, get_fields(self.state.core, call.entity), is_create=False)
        previous = call.body.get("_prev", {})
        is_outdated = any(record.get(name) != value for name, value in previous.items())
        if is_outdated and "_skipCheckForConflicts" not in call.body:
            raise ApiError(409, f"editedByAnotherUser {', '.join(previous)}")
        changed = update_record(self.state, call.entity, record, call.body)
        return build_response(record) if changed else build_not_modified()

    @route("DELETE", RECORD, since=V2_3)
    @route("DELETE", OLD_RECORD, until=V2_3)
    def delete(self, call: Call) -> Response:
        """Delete a record softly, or completely with the header ``permanently``."""
        stored = self.state.records[call.entity]
        if call.headers.get("permanently") == "true" and call.id in stored:
            del stored[call.id]
        else:
            get_record(self.state, call.entity, call.id)["deleted"] = True
        return build_response(True)
