"""Mass changes: update, deletion and restoration of many records in one request, or in a background job.

The counts in the responses include failed records and unknown ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.conditions import normalize
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import build_matcher
from self_hosted.sandbox.atrocore.job_queue import background_work, start_work
from self_hosted.sandbox.atrocore.record_store import delete_record, get_record, update_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.versions import QUEUE_SINCE, V2_3
from self_hosted.sandbox.routing import route

MAX_IDS_WITHOUT_JOB = 200
OLD_ACTION = "/api/v1/{entity}/action"
HEADLINES = {"delete": "massDeleteNoRecordProceed", "update": "massUpdateNoRecordProceed", "restore": "notFound"}


class MassActions(Resource):
    """Mass changes of any entity."""

    @route("PUT", f"{OLD_ACTION}/massUpdate", until=V2_3)
    def update_old(self, call: Call) -> Response:
        """Update records by id or by filter."""
        body = call.body or {}
        if not body.get("attributes"):
            raise ApiError(400)
        return self._change_old(call, "update", body, values=body["attributes"])

    @route("POST", f"{OLD_ACTION}/massDelete", until=V2_3)
    def delete_old(self, call: Call) -> Response:
        """Delete records by id or by filter."""
        return self._change_old(call, "delete", call.body or {}, permanently=_is_permanent(call))

    @route("POST", f"{OLD_ACTION}/massRestore", until=V2_3)
    def restore_old(self, call: Call) -> Response:
        """Restore deleted records by id."""
        change_all(self.state, self._plan(call, "restore", call.entity, ids=(call.body or {}).get("ids") or []))
        return build_response(True)

    @route("PATCH", "/api/entityMassUpdate", since=V2_3, json_body=True)
    def update(self, call: Call) -> Response:
        """Update records by id."""
        body = call.require_properties("entityName", "ids", "values")
        return self._change(call, "update", "updated", values=body["values"])

    @route("PATCH", "/api/entityMassUpdateAsync", since=V2_3, json_body=True)
    def update_in_background(self, call: Call) -> Response:
        """Update records by filter; an empty one selects all."""
        body = call.require_properties("entityName", "where", "values")
        return self._start(call, "update", values=body["values"])

    @route("POST", "/api/entityMassDelete", since=V2_3, json_body=True)
    def delete(self, call: Call) -> Response:
        """Delete records by id."""
        call.require_properties("entityName", "ids")
        return self._change(call, "delete", "deleted", permanently=_is_permanent(call))

    @route("POST", "/api/entityMassDeleteAsync", since=V2_3, json_body=True)
    def delete_in_background(self, call: Call) -> Response:
        """Delete records by filter; an empty one selects all."""
        call.require_properties("entityName", "where")
        return self._start(call, "delete", permanently=_is_permanent(call))

    @route("POST", "/api/entityRestore", since=V2_3, json_body=True)
    def restore(self, call: Call) -> Response:
        """Restore deleted records by id."""
        call.require_properties("entityName", "ids")
        return self._change(call, "restore", "restored")

    @route("POST", "/api/entityRestoreAsync", since=V2_3, json_body=True)
    def restore_in_background(self, call: Call) -> Response:
        """Restore deleted records by filter; an empty one selects all."""
        call.require_properties("entityName", "where")
        return self._start(call, "restore")

    def _change_old(self, call: Call, action: str, body: dict[str, Any], **options: Any) -> Response:
        ids = body.get("ids") or []
        if body.get("byWhere"):
            ids = select_ids(self.state, call.entity, body.get("where"))
        plan = self._plan(call, action, call.entity, ids=ids, **options)
        if len(ids) > MAX_IDS_WITHOUT_JOB:
            self._start_job(plan)
        else:
            change_all(self.state, plan)
        return build_response({"count": len(ids), "ids": ids})

    def _change(self, call: Call, action: str, count: str, **options: Any) -> Response:
        entity, ids = call.body["entityName"], call.body["ids"]
        if len(ids) > MAX_IDS_WITHOUT_JOB:
            message = f"Too many ids: maximum allowed is {MAX_IDS_WITHOUT_JOB}."
            raise ApiError(400, f"{message} Use /{call.route}Async for large batches.")
        errors = change_all(self.state, self._plan(call, action, entity, ids=ids, **options))
        return build_response({count: len(ids), "errors": [HEADLINES[action], *errors] if errors else []})

    def _start(self, call: Call, action: str, **options: Any) -> Response:
        entity, where = call.body["entityName"], call.body["where"]
        ids = select_ids(self.state, entity, where, deleted=action == "restore")
        return build_response({"jobId": self._start_job(self._plan(call, action, entity, ids=ids, **options))})

    def _plan(self, call: Call, action: str, entity: str, **options: Any) -> dict[str, Any]:
        self.state.schema.entity(entity)
        return {"action": action, "entity": entity, "user": call.access.user_name, **options}

    def _start_job(self, plan: dict[str, Any]) -> str:
        name = f"Mass {plan['action']}"
        entity = "Job" if self.state.core >= QUEUE_SINCE else "QueueItem"
        kind = (
            {"type": f"Mass{plan['action'].capitalize()}"} if entity == "Job" else {"serviceName": "MassActionCreator"}
        )
        job = start_work(self.state, entity, {"name": name, **kind}, "mass action", plan)
        return str(job["id"])


def select_ids(state: State, entity: str, where: Any, *, deleted: bool = False) -> list[str]:
    """Return the ids of the records that a filter selects.

    :param deleted: whether deleted records are selected, instead of existing ones
    """
    matches = build_matcher(state, entity, normalize(where))
    return [one["id"] for one in state.records[entity].values() if one["deleted"] is deleted and matches(one)]


def change_all(state: State, plan: dict[str, Any]) -> list[str]:
    """Change records, and return a message for each one that failed.

    :param plan: ``action``, ``entity``, ``ids``, ``user``, and options of the action
    """
    errors = []
    for record_id in plan["ids"]:
        try:
            _ACTIONS[plan["action"]](state, plan, record_id)
        except ApiError as error:
            name = (state.records[plan["entity"]].get(record_id) or {}).get("name", record_id)
            errors.append(f"Error for '{name}': {error.message}")
    return errors


@background_work("mass action")
def change_in_background(state: State, plan: dict[str, Any]) -> dict[str, Any]:
    """Change records, and return the message of the job."""
    return {"message": "\n".join(change_all(state, plan)) or None}


def _update(state: State, plan: dict[str, Any], record_id: str) -> None:
    record = get_record(state, plan["entity"], record_id)
    update_record(state, plan["entity"], record, plan["values"], Access(state, plan["user"]))


def _delete(state: State, plan: dict[str, Any], record_id: str) -> None:
    Access(state, plan["user"]).check(plan["entity"], "delete")
    record = get_record(state, plan["entity"], record_id)
    delete_record(state, plan["entity"], record, permanently=plan["permanently"])


def _restore(state: State, plan: dict[str, Any], record_id: str) -> None:
    record: Record | None = state.records[plan["entity"]].get(record_id)
    if record is None or not record["deleted"]:
        raise ApiError(404)
    record |= {"deleted": False, "modifiedAt": state.timestamp()}
    state.index.update(plan["entity"], record)


_ACTIONS: dict[str, Callable[[State, dict[str, Any], str], None]] = {
    "update": _update,
    "delete": _delete,
    "restore": _restore,
}


def _is_permanent(call: Call) -> bool:
    body = call.body if isinstance(call.body, dict) else {}
    return call.headers.get("permanently") == "true" or body.get("permanently") is True
