"""Upserts: several records in one request, processed in order, with a result for each.

The server goes on after the client has given up. If the same upsert arrives again meanwhile, both may find that a
record is missing; then one of them stores it, and the item of the other fails although the record is stored.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.job_queue import background_work, start_work
from self_hosted.sandbox.atrocore.lookups import find_match
from self_hosted.sandbox.atrocore.record_store import Saved, create_record, update_record
from self_hosted.sandbox.atrocore.rendering import Renderer
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import to_php_text
from self_hosted.sandbox.atrocore.versions import QUEUE_SINCE, V2, V2_3, get_key_field
from self_hosted.sandbox.routing import route

UPSERT_SINCE = (1, 4, 114)
MATCH_RESET_SINCE = (1, 10, 61)
NOT_MODIFIED_SINCE = (1, 11, 56)
HOLD_SECONDS = 0.01
WORK = "upsert"

Result = dict[str, Any]


class Upserts(Resource):
    """Upserts of records of any entity."""

    @route("POST", "/api/upsert", since=V2_3, json_body=True)
    @route("POST", "/api/v1/MassActions/action/upsert", since=UPSERT_SINCE, until=V2_3)
    async def upsert(self, call: Call) -> Response:
        """Create or update records. A failed record does not stop the others; an internal error does."""
        state = self.state
        if not state.is_new and call.headers.get("use-queue") == "1":
            return build_response(_start_job(state, call))
        if state.is_new:
            _check_items(call)
        process, results = _Processor(state, call.access, call.headers.get("language", "")), {}
        for key, item in _list_items(call.body):
            match = process.find(item)
            await self._wait(state)
            results[key] = process.save(item, match)
        is_object = isinstance(call.body, dict)
        return build_response(results if is_object else list(results.values()))

    @route("POST", "/api/upsertAsync", since=V2_3, json_body=True)
    def start_upsert(self, call: Call) -> Response:
        """Start an upsert in the background, and return the id of its job."""
        _check_items(call)
        return build_response(_start_job(self.state, call))

    async def _wait(self, state: State) -> None:
        if state.upsert_seconds:
            await asyncio.sleep(state.upsert_seconds)
        while state.holds_upserts and self.state is state:
            await asyncio.sleep(HOLD_SECONDS)


class _Processor:
    """Processes the items of one upsert.

    :param access: the rights of the user
    :param language: content language of the request
    """

    def __init__(self, state: State, access: Access, language: str = "") -> None:
        self.state, self.access, self.language = state, access, language
        self.previous: Record | None = None

    def find(self, item: Any) -> Record | None:
        """Return the record that an item matches, if any.

        :raises ApiError: if the item is poisoned
        """
        state, entity, payload = self.state, _read(item, "entity"), _read(item, "payload") or {}
        if payload.get(get_key_field(state.core)) in state.poison:
            message = "SQLSTATE[22P02]: Invalid text representation: 7 ERROR: invalid input syntax; INSERT INTO"
            raise ApiError(500, message)
        if entity not in state.schema.definitions:
            return None
        # a bug of old cores: an item without a match updates the previous item's match
        inherits = "id" not in payload and state.core < MATCH_RESET_SINCE
        return find_match(state, entity, payload) or (self.previous if inherits else None)

    def save(self, item: Any, match: Record | None) -> Result:
        """Store an item, and return its result."""
        state, entity, payload = self.state, _read(item, "entity"), _read(item, "payload") or {}
        if not entity:
            return {"status": "Failed", "stored": False, "message": "'entity' parameter is required."}
        if entity not in state.schema.definitions:
            return {"status": "Failed", "stored": False, "message": f"Service '{entity}' was not found"}
        self.previous = match
        try:
            if match is None:
                return self._build_result("Created", entity, create_record(state, entity, payload, self.access))
            saved = self._update(entity, match, payload)
        except ApiError as error:
            return self._build_failure(error, entity, match)
        if not saved.changed and state.core < NOT_MODIFIED_SINCE:
            return self._build_failure(ApiError(304), entity, match)
        return self._build_result("Updated" if saved.changed else "NotModified", entity, saved)

    def _update(self, entity: str, match: Record, payload: dict[str, Any]) -> Saved:
        is_other = to_php_text(payload.get("id") or match["id"]) != match["id"]
        if is_other and self.state.core < V2:  # reported as done, with the values of the request, but not stored
            return Saved(match, {name: value for name, value in payload.items() if name in {"id", *match}})
        values = {name: value for name, value in payload.items() if name != "id"}
        return update_record(self.state, entity, match, values, self.access)

    def _build_result(self, status: str, entity: str, saved: Saved) -> Result:
        if self.state.is_new:
            return {"status": status, "stored": True, "entity": entity, "id": saved.record["id"]}
        renderer = Renderer(self.state, entity, self.access, self.language)
        rendered = renderer.render_created(saved) if status == "Created" else renderer.render_updated(saved)
        return {"status": status, "stored": True, "entity": rendered}

    def _build_failure(self, error: ApiError, entity: str, match: Record | None) -> Result:
        failure: Result = {"status": "Failed", "stored": False}
        if self.state.is_new:
            found = {"entity": entity, "id": match["id"]} if match else {}
            return {**found, **failure, "code": error.item_code, "message": error.message}
        return {**failure, "message": f"Code: {error.item_code}. Message: {error.message}"}


def _read(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else None


def _list_items(body: Any) -> list[tuple[Any, Any]]:
    """Return the items with their keys. PHP also iterates over an object; malformed JSON has no items."""
    if isinstance(body, dict):
        return list(body.items())
    return list(enumerate(body)) if isinstance(body, list) else []


def _check_items(call: Call) -> None:
    if not isinstance(call.body, list):
        raise call.wrong_type("array", call.body)
    for item in call.body:
        values = call.require_object(item)
        for name in ("entity", "payload"):
            if name not in values:
                raise call.missing_property(name)


def _start_job(state: State, call: Call) -> dict[str, str]:
    arguments = {"items": call.body, "user": call.access.user_name}
    if state.core >= QUEUE_SINCE:
        job = start_work(state, "Job", {"name": "Upsert", "type": "Upsert"}, WORK, arguments)
        return {"jobId": job["id"]}
    values = {"name": "Action Upsert", "serviceName": "QueueManagerUpsert"}
    return {"queueItemId": start_work(state, "QueueItem", values, WORK, arguments)["id"]}


@background_work(WORK)
def _work(state: State, arguments: Any) -> dict[str, Any]:
    process = _Processor(state, Access(state, arguments["user"]))
    results = [process.save(item, process.find(item)) for _, item in _list_items(arguments["items"])]
    return {"message": json.dumps(results)}
