"""The plugin change-validation: who may send a change request from which status to which, and what comes of it."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.gate import Answer, Call, NoSuchPage, Refused
from self_hosted.sandbox.rudder.state import Account, ChangeRequest, State

VALIDATION, DEPLOYMENT, DEPLOYED, CANCELLED = "Pending validation", "Pending deployment", "Deployed", "Cancelled"
STATUSES = (VALIDATION, DEPLOYMENT, DEPLOYED, CANCELLED)
FILTERS = {"open": STATUSES[:2], "closed": STATUSES[2:], "all": STATUSES}


def opened(call: Call, before: dict[str, Any], after: dict[str, Any] | None) -> ChangeRequest | None:
    """A new change request, if changes need validation."""
    state = call.state
    if not (state.plugin and state.validation):
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


def list_change_requests(call: Call) -> Answer:
    """GET /changeRequests: a bare list."""
    status = call.params.get("status", "open").lower()
    wanted = FILTERS.get(status) or tuple(known for known in STATUSES if known.lower() == status)
    if not wanted:
        raise Refused(f"'{status}' is not a possible state for change requests")
    _offered(call.state)
    found = [request for request in call.state.requests.values() if request.status in wanted]
    if "ruleId" in call.params:
        found = [request for request in found if request.before["id"] == call.params["ruleId"]]
    return Answer([_shown(request, call.state) for request in found])


def change_request_details(call: Call) -> Answer:
    """GET /changeRequests/{id}."""
    return _one(_found(call, "find"), call.state)


def accept_change_request(call: Call) -> Answer:
    """POST /changeRequests/{id}/accept, with the status as parameter."""
    target = _target(call)
    request = _found(call, "accept")
    problem = _over(request) or _not_allowed(request, target, call) or _no_step(request, target)
    if problem:
        raise _refused(request.id, "accept", problem)
    move(call.state, request, target)
    return _one(request, call.state)


def decline_change_request(call: Call) -> Answer:
    """DELETE /changeRequests/{id}: one text for too late and for not allowed."""
    request = _found(call, "decline")
    step_open = request.status in FILTERS["open"]
    own = request.author is call.account and not call.state.self_validation
    if not step_open or own or not _has_role(call.account, request.status):
        number = request.id
        raise _refused(
            number,
            "decline",
            f"Could not decline ChangeRequest {number} details cause is: could not decline ChangeRequest {number}, "
            f"because status '{request.status}' cannot be cancelled.",
        )
    move(call.state, request, CANCELLED)
    return _one(request, call.state)


def move(state: State, request: ChangeRequest, status: str) -> None:
    """Send a change request to a status; the change happens when that is "Deployed"."""
    request.status = status
    if status != DEPLOYED:
        return
    if request.after is None:
        state.rules.pop(request.before["id"], None)
        state.log("Rule deleted", request.before["id"], request.author, request.reason)
    else:
        state.modified(request.after, request.author, request.reason)


def _target(call: Call) -> str:
    status = call.params.get("status")
    if not status:
        raise Refused("workflow status should not be empty", call.path["id"])
    for known in STATUSES:
        if known.lower() == status.lower():
            return known
    raise Refused(
        f"'{status.lower()}' is not a possible state for change requests, "
        f"available values are: [ {', '.join(STATUSES)} ]",
        call.path["id"],
    )


def _offered(state: State) -> None:
    if not state.plugin:
        raise NoSuchPage
    if not state.validation:
        raise Refused("Workflow are disabled in Rudder, change request API is not available")


def _found(call: Call, verb: str) -> ChangeRequest:
    _offered(call.state)
    given = call.path["id"]
    if not given.isdecimal():
        raise _refused(given, verb, f"'{given}' is not a valid change request id (need to be an integer)")
    if int(given) not in call.state.requests:
        raise _refused(given, verb, f"Change request with id {given} does not exist.")
    return call.state.requests[int(given)]


def _refused(number: int | str, verb: str, words: str) -> Refused:
    return Refused(f"Could not {verb} ChangeRequest {number}; cause was: Inconsistency: {words}", str(number))


def _has_role(account: Account, status: str) -> bool:
    return account.validator if status == VALIDATION else account.deployer


def _over(request: ChangeRequest) -> str | None:
    if request.status in FILTERS["open"]:
        return None
    return _not_accepted(request, f"ChangeRequest {request.id} has already been {request.status.lower()}.")


def _not_allowed(request: ChangeRequest, target: str, call: Call) -> str | None:
    if not _has_role(call.account, request.status):
        return f"User is not authorized to update a '{request.status.lower()}' change"
    if target == DEPLOYED and not call.account.deployer:
        return f"User is not authorized to update a '{request.status.lower()}' change to 'deployed' state"
    if request.author is not call.account:
        return None
    state = call.state
    allowed = state.self_deployment if target == DEPLOYED else state.self_validation
    what = "deployment" if target == DEPLOYED else "validation"
    words = f"You are not authorized to do that action on your own change request: self-{what} is disabled."
    return None if allowed else words


def _no_step(request: ChangeRequest, target: str) -> str | None:
    if target in {DEPLOYMENT, DEPLOYED} and target != request.status:
        return None
    return _not_accepted(request, f"you could not send Change Request from '{request.status}' to '{target}'.")


def _not_accepted(request: ChangeRequest, cause: str) -> str:
    return f"Could not accept ChangeRequest {request.id} details cause is: {cause}"


def _one(request: ChangeRequest, state: State) -> Answer:
    return Answer({"changeRequests": [_shown(request, state)]}, str(request.id))


def _shown(request: ChangeRequest, state: State) -> dict[str, Any]:
    changes = {"directives": [], "rules": [_change(request)], "groups": [], "parameters": []}
    return {
        "id": request.id,
        "displayName": request.name,
        "status": request.status,
        "created by": request.author.id,
        "acceptable": state.rules.get(request.before["id"]) == request.before,
        "description": request.description,
        "changes": changes,
    }


def _change(request: ChangeRequest) -> dict[str, Any]:
    before, after = request.before, request.after
    if after is None:
        return {"action": "delete", "change": {"type": "RuleDeleteChangeJson", **before}}
    fields = {
        name: value if value == after[name] or name == "id" else {"from": value, "to": after[name]}
        for name, value in before.items()
    }
    return {"action": "modify", "change": {"type": "RuleModifyChangeJson", **fields}}
