"""The plugin change-validation: change requests, their steps, and the accounts that may take these steps."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.approval import (
    CANCELLED,
    DEPLOYED,
    STATUSES,
    STATUSES_BY_FILTER,
    find_acceptance_problem,
    is_declinable,
)
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError, EndpointNotFoundError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import ChangeRequest, State


class ChangeRequests(Resource):
    """Change requests: list, read, accept, decline."""

    @route("GET", "/changeRequests", action="listChangeRequests")
    def list_all(self, call: Call) -> Result:
        """Return change requests by status and rule, as a list without a container."""
        status = call.params.get("status", "open").lower()
        statuses = STATUSES_BY_FILTER.get(status) or tuple(known for known in STATUSES if known.lower() == status)
        if not statuses:
            raise ApiError(f"'{status}' is not a possible state for change requests")
        self._check_enabled()
        requests = [request for request in self.state.requests.values() if request.status in statuses]
        if "ruleId" in call.params:
            requests = [request for request in requests if request.before["id"] == call.params["ruleId"]]
        return Result([self._to_json(request) for request in requests])

    @route("GET", "/changeRequests/{id}", action="changeRequestDetails")
    def get(self, call: Call) -> Result:
        """Return one change request."""
        return self._result(self._find(call, "find"))

    @route("POST", "/changeRequests/{id}/accept", action="acceptChangeRequest")
    def accept(self, call: Call) -> Result:
        """Move a change request to the status in the parameter ``status``."""
        target = _parse_target(call)
        request = self._find(call, "accept")
        problem = find_acceptance_problem(self.state, request, target, call.account)
        if problem:
            raise _build_inconsistency(request.id, "accept", problem)
        set_status(self.state, request, target)
        return self._result(request)

    @route("DELETE", "/changeRequests/{id}", action="declineChangeRequest")
    def decline(self, call: Call) -> Result:
        """Cancel a change request. One message covers a wrong status and a missing right."""
        request = self._find(call, "decline")
        if not is_declinable(self.state, request, call.account):
            raise _build_inconsistency(
                request.id,
                "decline",
                f"Could not decline ChangeRequest {request.id} details cause is: could not decline ChangeRequest "
                f"{request.id}, because status '{request.status}' cannot be cancelled.",
            )
        set_status(self.state, request, CANCELLED)
        return self._result(request)

    def _check_enabled(self) -> None:
        if not self.state.plugin:
            raise EndpointNotFoundError
        if not self.state.validation:
            raise ApiError("Workflow are disabled in Rudder, change request API is not available")

    def _find(self, call: Call, verb: str) -> ChangeRequest:
        self._check_enabled()
        given = call.path["id"]
        if not given.isdecimal():
            raise _build_inconsistency(
                given, verb, f"'{given}' is not a valid change request id (need to be an integer)"
            )
        if int(given) not in self.state.requests:
            raise _build_inconsistency(given, verb, f"Change request with id {given} does not exist.")
        return self.state.requests[int(given)]

    def _result(self, request: ChangeRequest) -> Result:
        return Result({"changeRequests": [self._to_json(request)]}, str(request.id))

    def _to_json(self, request: ChangeRequest) -> dict[str, Any]:
        changes = {"directives": [], "rules": [_change(request)], "groups": [], "parameters": []}
        return {
            "id": request.id,
            "displayName": request.name,
            "status": request.status,
            "created by": request.author.id,
            "acceptable": self.state.rules.get(request.before["id"]) == request.before,
            "description": request.description,
            "changes": changes,
        }


def open_change_request(
    state: State, call: Call, before: dict[str, Any], after: dict[str, Any] | None
) -> ChangeRequest | None:
    """Return a new change request if changes need validation, else None.

    :param before: the current rule
    :param after: the changed rule; None for a deletion
    """
    if not state.needs_validation:
        return None
    action = "Delete" if after is None else "Update"
    name = f"{action} rule '{(after or before)['displayName']}' ({before['id']}) by API request"
    request = ChangeRequest(
        id=len(state.requests) + 1,
        name=call.params.get("changeRequestName", name),
        description=call.params.get("changeRequestDescription", ""),
        author=call.account,
        reason=call.params.get("reason"),
        before=before,
        after=after,
    )
    state.requests[request.id] = request
    return request


def set_status(state: State, request: ChangeRequest, status: str) -> None:
    """Set the status of a change request. "Deployed" carries out the change."""
    request.status = status
    if status != DEPLOYED:
        return
    if request.after is None:
        state.rules.pop(request.before["id"], None)
        state.log("Rule deleted", request.before["id"], request.author, request.reason)
    else:
        state.store_change(request.after, request.author, request.reason)


def _parse_target(call: Call) -> str:
    status = call.params.get("status")
    if not status:
        raise ApiError("workflow status should not be empty", call.path["id"])
    for known in STATUSES:
        if known.lower() == status.lower():
            return known
    raise ApiError(
        f"'{status.lower()}' is not a possible state for change requests, "
        f"available values are: [ {', '.join(STATUSES)} ]",
        call.path["id"],
    )


def _build_inconsistency(request_id: int | str, verb: str, message: str) -> ApiError:
    text = f"Could not {verb} ChangeRequest {request_id}; cause was: Inconsistency: {message}"
    return ApiError(text, str(request_id))


def _change(request: ChangeRequest) -> dict[str, Any]:
    before, after = request.before, request.after
    if after is None:
        return {"action": "delete", "change": {"type": "RuleDeleteChangeJson", **before}}
    fields = {
        name: value if value == after[name] or name == "id" else {"from": value, "to": after[name]}
        for name, value in before.items()
    }
    return {"action": "modify", "change": {"type": "RuleModifyChangeJson", **fields}}
