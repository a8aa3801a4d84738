"""Changes of rules and parameters that wait for approval: how they are opened, shown and carried out."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.approval import DEPLOYED
from self_hosted.sandbox.rudder.calls import Call
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.rule_targets import to_change_json
from self_hosted.sandbox.rudder.state import ChangeRequest, State

RULE_FIELDS = (  # of a changed rule: a change request shows no tags
    "id",
    "displayName",
    "shortDescription",
    "longDescription",
    "directives",
    "targets",
    "enabled",
    "system",
    "categoryId",
)
PARAMETER_FIELDS = ("id", "value", "description")
TYPES = {"rules": "Rule", "parameters": "GlobalParameter"}


def open_change_request(
    state: State, call: Call, kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> ChangeRequest | None:
    """Return a new change request if changes need validation, else None.

    :param kind: "rules" or "parameters"
    :param before: the current object; None for a creation
    :param after: the changed object; None for a deletion
    """
    if not state.needs_validation:
        return None
    current: dict[str, Any] = before or after or {}
    request = ChangeRequest(
        id=len(state.requests) + 1,
        kind=kind,
        target_id=current["id"],
        name=call.params.get("changeRequestName", _default_name(kind, before, after)),
        description=call.params.get("changeRequestDescription", ""),
        author=call.account,
        reason=call.params.get("reason"),
        before=before,
        after=after,
    )
    state.requests[request.id] = request
    return request


def check_deployable(state: State, request: ChangeRequest) -> None:
    """Check that a change request can be deployed; one for a system rule never can.

    :raises ApiError: if it cannot
    """
    rule = state.rules.get(request.target_id)
    if request.kind == "rules" and rule and rule.get("system"):
        raise build_decision_error(request.id, "accept", f"Unexpected: {describe_system_rule(rule)}")


def set_status(state: State, request: ChangeRequest, status: str) -> None:
    """Set the status of a change request. "Deployed" replaces the whole object by its changed form."""
    request.status = status
    if status != DEPLOYED:
        return
    objects = getattr(state, request.kind)
    if request.after is None:
        objects.pop(request.target_id, None)
        state.log("Rule deleted", request.target_id, request.author, request.reason)
    elif request.kind == "rules":
        state.store_change(request.after, request.author, request.reason)
    else:
        objects[request.target_id] = request.after


def to_change(request: ChangeRequest) -> dict[str, Any]:
    """Return the change as change requests show it."""
    action = "create" if request.before is None else "delete" if request.after is None else "modify"
    type_name = f"{TYPES[request.kind]}{action.capitalize()}ChangeJson"
    return {"action": action, "change": {"type": type_name, **_fields(request)}}


def describe_system_rule(rule: dict[str, Any]) -> str:
    """Return why a system rule cannot be changed.

    :param rule: the rule
    """
    return f"Inconsistency: System rule '{rule['displayName']}' ({rule['id']}) can not be modified"


def build_decision_error(request_id: int | str, verb: str, cause: str) -> ApiError:
    """Return the error of a call about a change request.

    :param request_id: its number
    :param verb: what could not be done
    :param cause: with the class of the error
    """
    return ApiError(f"Could not {verb} ChangeRequest {request_id}; cause was: {cause}", str(request_id))


def _default_name(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    verb = "create" if before is None else "delete" if after is None else "update"
    shown = after or before or {}
    if kind == "parameters":
        return f"{verb} parameter '{shown['id']}' from API"
    return f"{verb} rule '{shown['displayName']}' ({shown['id']}) by API request"


def _fields(request: ChangeRequest) -> dict[str, Any]:
    names = RULE_FIELDS if request.kind == "rules" else PARAMETER_FIELDS
    if request.before is None or request.after is None:
        only = request.after or request.before or {}
        return {name: only[name] for name in (*names, "tags") if name in only}
    before, after = _show(request.before, names), _show(request.after, names)
    return {
        name: value if value == after[name] else {"from": value, "to": after[name]} for name, value in before.items()
    }


def _show(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    fields = {name: item[name] for name in names}
    return {**fields, "targets": to_change_json(fields["targets"])} if "targets" in fields else fields
