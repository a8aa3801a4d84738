"""Single records, lists, and the search through all entities."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.attributes import flatten
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.lists import list_records, search_globally
from self_hosted.sandbox.atrocore.record_store import create_record, delete_record, get_record, update_record
from self_hosted.sandbox.atrocore.rendering import Renderer
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_not_modified, build_response
from self_hosted.sandbox.atrocore.validation import validate_body
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

COLLECTION, OLD_COLLECTION = "/api/{entity}", "/api/v1/{entity}"
RECORD, OLD_RECORD = "/api/{entity}/{id}", "/api/v1/{entity}/{id}"
MAX_SEARCH_RESULTS = 20


class Records(Resource):
    """Records of any entity: list, read, create, update, delete."""

    @route("GET", COLLECTION, since=V2_3)
    @route("GET", OLD_COLLECTION, until=V2_3)
    def list_all(self, call: Call) -> Response:
        """Return a page of the records that meet the filter."""
        return build_response(list_records(self.state, call, call.entity))

    @route("GET", "/api/globalSearch", since=V2_3)
    @route("GET", "/api/v1/GlobalSearch", until=V2_3)
    def search(self, call: Call) -> Response:
        """Return short forms of the records of all entities that contain a text."""
        text = call.required_parameter("q") if self.state.is_new else call.parameter("q")
        found = search_globally(self.state, call.access, text, MAX_SEARCH_RESULTS)
        return build_response({"count": len(found), "list": found})

    @route("GET", RECORD, since=V2_3)
    @route("GET", OLD_RECORD, until=V2_3)
    def get(self, call: Call) -> Response:
        """Return one record."""
        record, renderer = get_record(self.state, call.entity, call.id), self._renderer(call)
        call.access.check(call.entity, "read")
        flat = flatten(self.state, call, call.entity, record, is_list=False)
        return build_response({**renderer.render(record), **flat})

    @route("POST", COLLECTION, since=V2_3, json_body=True)
    @route("POST", OLD_COLLECTION, until=V2_3)
    def create(self, call: Call) -> Response:
        """Create a record."""
        renderer = self._renderer(call)
        saved = create_record(self.state, call.entity, self._read_body(call, is_create=True), call.access)
        if isinstance(call.body.get("id"), int) and not self.state.is_new:
            raise ApiError(500, hidden=True)  # after the record was stored
        return build_response(renderer.render_created(saved))

    @route("PATCH", RECORD, since=V2_3, json_body=True)
    @route("PATCH", OLD_RECORD, until=V2_3)
    @route("PUT", OLD_RECORD, until=V2_3)
    def update(self, call: Call) -> Response:
        """Update a record. The status is 304 if nothing changes."""
        renderer, record = self._renderer(call), self.state.find_record(call.entity, call.id)
        if record is None:
            raise ApiError(404) if self.state.is_new else ApiError(500, hidden=True)
        saved = update_record(self.state, call.entity, record, self._read_body(call, is_create=False), call.access)
        return build_response(renderer.render_updated(saved)) if saved.changed else build_not_modified()

    @route("DELETE", RECORD, since=V2_3)
    @route("DELETE", OLD_RECORD, until=V2_3)
    def delete(self, call: Call) -> Response:
        """Delete a record softly, or completely with the header ``permanently``."""
        call.access.check(call.entity, "delete")
        permanently = call.headers.get("permanently") == "true"
        record = self.state.records[call.entity].get(call.id) if permanently else None
        record = record or get_record(self.state, call.entity, call.id)
        delete_record(self.state, call.entity, record, permanently=permanently)
        return build_response(True)

    def _renderer(self, call: Call) -> Renderer:
        return Renderer(self.state, call.entity, call.access, call.headers.get("language", ""))

    def _read_body(self, call: Call, *, is_create: bool) -> dict[str, Any]:
        if not self.state.is_new:
            return call.check_object()
        return validate_body(self.state.schema.entity(call.entity), call, is_create=is_create)
