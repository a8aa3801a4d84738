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
from self_hosted.sandbox.rudder.changes import build_decision_error, check_deployable, set_status, to_change
from self_hosted.sandbox.rudder.decoding import DecodingError, decode_object, decode_text
from self_hosted.sandbox.rudder.errors import ApiError, EndpointNotFoundError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import ChangeRequest

MIN_REASON_CHARACTERS = 5


class ChangeRequests(Resource):
    """Change requests: list, read, rename, accept, decline."""

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
            of_rule = ("rules", call.params["ruleId"])
            requests = [request for request in requests if (request.kind, request.target_id) == of_rule]
        return Result([self._to_json(request) for request in requests])

    @route("GET", "/changeRequests/{id}", action="changeRequestDetails")
    def get(self, call: Call) -> Result:
        """Return one change request."""
        return self._result(self._find(call, "find"))

    @route("POST", "/changeRequests/{id}", action="updateChangeRequest")
    def update(self, call: Call) -> Result:
        """Update name and description of a change request."""
        request = self._find(call, "update")
        try:
            given = decode_object(call)
            name = decode_text(".name", given.get("name", request.name))
            description = decode_text(".description", given.get("description", request.description))
        except DecodingError as error:
            raise build_decision_error(request.id, "update", f"Unexpected: {error}") from None
        if (name, description) == (request.name, request.description):
            cause = f"Inconsistency: Could not update ChangeRequest {request.id} details cause is: No changes to save."
            raise build_decision_error(request.id, "update", cause)
        request.name, request.description = name, description
        return self._result(request)

    @route("POST", "/changeRequests/{id}/accept", action="acceptChangeRequest")
    def accept(self, call: Call) -> Result:
        """Move a change request to the status in the parameter ``status``."""
        target = _parse_target(call)
        request = self._find(call, "accept")
        self._check_reason(call, request, "accept")
        problem = find_acceptance_problem(self.state, request, target, call.account)
        if problem:
            raise build_decision_error(request.id, "accept", problem)
        if target == DEPLOYED:
            check_deployable(self.state, request)
        set_status(self.state, request, target)
        return self._result(request)

    @route("DELETE", "/changeRequests/{id}", action="declineChangeRequest")
    def decline(self, call: Call) -> Result:
        """Cancel a change request. One message covers a wrong status and a missing right."""
        request = self._find(call, "decline")
        self._check_reason(call, request, "decline")
        if not is_declinable(self.state, request, call.account):
            reason = (
                f"could not decline ChangeRequest {request.id}, because status '{request.status}' cannot be cancelled."
            )
            cause = f"Inconsistency: Could not decline ChangeRequest {request.id} details cause is: {reason}"
            raise build_decision_error(request.id, "decline", cause)
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
            raise build_decision_error(
                given, verb, f"Inconsistency: '{given}' is not a valid change request id (need to be an integer)"
            )
        if int(given) not in self.state.requests:
            raise build_decision_error(given, verb, f"Inconsistency: Change request with id {given} does not exist.")
        return self.state.requests[int(given)]

    def _check_reason(self, call: Call, request: ChangeRequest, verb: str) -> None:
        """Check the reason, which only these two endpoints require."""
        reason = call.params.get("reason", "")
        if not self.state.reason_mandatory or len(reason) >= MIN_REASON_CHARACTERS:
            return
        rule = f"should be at least {MIN_REASON_CHARACTERS} characters long"
        raise build_decision_error(
            request.id,
            verb,
            "There was an error while extracting reason message; cause was: Inconsistency: "
            f"Reason field {rule if reason else f'is mandatory and {rule}'}",
        )

    def _result(self, request: ChangeRequest) -> Result:
        return Result({"changeRequests": [self._to_json(request)]}, str(request.id))

    def _to_json(self, request: ChangeRequest) -> dict[str, Any]:
        changes = {"directives": [], "rules": [], "groups": [], "parameters": [], request.kind: [to_change(request)]}
        stored = getattr(self.state, request.kind).get(request.target_id)
        return {
            "id": request.id,
            "displayName": request.name,
            "status": request.status,
            "created by": request.author.id,
            "acceptable": stored == request.before,
            "description": request.description,
            "changes": changes,
        }


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
