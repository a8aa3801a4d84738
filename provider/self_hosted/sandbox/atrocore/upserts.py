"""Upserts: several records in one request, processed in order, with a result for each."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import V2_3, get_key_field
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.record_store import create_record, find_match, update_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record
from self_hosted.sandbox.routing import route

UPSERT_SINCE = (1, 4, 114)
MATCH_RESET_SINCE = (1, 10, 61)
NOT_MODIFIED_SINCE = (1, 11, 56)


class Upserts(Resource):
    """Upserts of records of any entity."""

    @route("POST", "/api/upsert", since=V2_3)
    @route("POST", "/api/v1/MassActions/action/upsert", since=UPSERT_SINCE, until=V2_3)
    def upsert(self, call: Call) -> Response:
        """Create or update records. A failed record does not stop the others; an internal error does."""
        results, previous_match = [], None
        for item in call.body:
            entity, payload = item.get("entity", ""), item.get("payload", {})
            results.append(self._upsert_record(entity, payload, previous_match))
            if self.state.core < MATCH_RESET_SINCE:  # a bug: an item without a match updates the previous item's match
                previous_match = find_match(self.state, entity, payload)
        return build_response(results)

    def _upsert_record(self, entity: str, payload: dict[str, Any], previous_match: Record | None) -> dict[str, Any]:
        state = self.state
        if payload.get(get_key_field(state.core)) in state.poison:
            message = "SQLSTATE[22P02]: Invalid text representation: 7 ERROR: invalid input syntax; INSERT INTO"
            raise ApiError(500, message)
        try:
            record = find_match(state, entity, payload) or (previous_match if "id" not in payload else None)
            if record is None:
                return self._result("Created", entity, create_record(state, entity, payload))
            modified = update_record(state, entity, record, payload)
        except ApiError as error:
            return {"status": "Failed", "stored": False, "code": error.status, "message": error.message}
        if modified or state.core >= NOT_MODIFIED_SINCE:
            return self._result("Updated" if modified else "NotModified", entity, record)
        return {"status": "Failed", "stored": False, "message": "Code: 304. Not Modified"}

    def _result(self, status: str, entity: str, record: Record) -> dict[str, Any]:
        reference = {"entity": entity, "id": record["id"]} if self.state.core >= V2_3 else {"entity": record}
        return {"status": status, "stored": True, **reference}
