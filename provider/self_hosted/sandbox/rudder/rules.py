"""Rules, with what Rudder does to them on the way in: sets lose their order, targets become one object."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from self_hosted.sandbox.rudder.change_requests import opened
from self_hosted.sandbox.rudder.gate import Answer, Call, Refused
from self_hosted.sandbox.rudder.state import State

TEXTS = ("displayName", "categoryId", "shortDescription", "longDescription")
TARGET = re.compile(
    r"special:(all|all_exceptPolicyServers|all_policyServers|all_nodes_without_role|all_servers_with_role)"
    r"|(group|policyServer):.+"
)
EMPTY = {**dict.fromkeys(TEXTS, ""), "directives": [], "targets": [], "enabled": False, "system": False, "tags": []}


def list_rules(call: Call) -> Answer:
    """GET /rules: all but the system's."""
    found = sorted(call.state.rules.values(), key=lambda rule: str(rule["id"]))
    return Answer({"rules": [_shown(rule, call.state) for rule in found if not rule.get("system")]})


def rule_details(call: Call) -> Answer:
    """GET /rules/{id}."""
    return _one(_found(call.state, call.path["id"]), call.state)


def create_rule(call: Call) -> Answer:
    """PUT /rules: never validated; instead the rule is created without being enabled."""
    given = _given(call)
    if "displayName" not in given:
        raise _not_created("Missing manadatory parameter 'displayName'")
    if given.get("id") in call.state.rules:
        raise _not_created(f"Rule with id '{given['id']}' already exists")
    source = given.pop("source", None)
    base = _found(call.state, source) if source else {**EMPTY, "categoryId": "rootRuleCategory", "enabled": True}
    rule = _merged(base, given) | {"id": given.get("id") or str(uuid4())}
    if call.state.plugin and call.state.validation and not source and set(given) - {"id", "displayName"}:
        rule["enabled"] = False
    call.state.rules[rule["id"]] = rule
    call.state.log("Rule created", rule["id"], call.account, call.params.get("reason"))
    return _one(rule, call.state, action="cloneRule" if source else None)


def update_rule(call: Call) -> Answer:
    """POST /rules/{id}: what is not named keeps its value."""
    before = _found(call.state, call.path["id"])
    after = _merged(before, _given(call))
    request = opened(call, before, after)
    if request is not None:
        return _one({"changeRequestId": str(request.id), **after}, call.state)
    call.state.modified(after, call.account, call.params.get("reason"))
    return _one(after, call.state)


def delete_rule(call: Call) -> Answer:
    """DELETE /rules/{id}: a rule that is missing is deleted with success."""
    rule = call.state.rules.get(call.path["id"])
    if rule is None:
        return Answer({"rules": [{"id": call.path["id"], **EMPTY}]}, call.path["id"])
    request = opened(call, rule, None)
    if request is not None:
        return _one({"changeRequestId": str(request.id), **rule}, call.state)
    del call.state.rules[rule["id"]]
    call.state.log("Rule deleted", rule["id"], call.account, call.params.get("reason"))
    return _one(rule, call.state)


def _found(state: State, rule_id: str) -> dict[str, Any]:
    if rule_id not in state.rules:
        raise Refused(f"Rule with id '{rule_id}' was not found")
    return state.rules[rule_id]


def _one(rule: dict[str, Any], state: State, action: str | None = None) -> Answer:
    return Answer({"rules": [_shown(rule, state)]}, rule["id"], action)


def _shown(rule: dict[str, Any], state: State) -> dict[str, Any]:
    return {**rule, "policyMode": "enforce", "status": _status(rule, state)}


def _status(rule: dict[str, Any], state: State) -> dict[str, str]:
    """What follows from the rule and its directives."""
    disabled = [name for name in rule["directives"] if name in state.disabled_directives]
    why = [f"Directive '{name}' disabled" for name in disabled]
    if not rule["enabled"]:
        return {"value": "Disabled", "details": ", ".join(["This rule is disabled. ", *why])}
    if not disabled:
        return {"value": "In application"}
    value = "Not applied" if len(disabled) == len(rule["directives"]) else "Partially applied"
    return {"value": value, "details": ", ".join(why)}


def _not_created(words: str) -> Refused:
    return Refused(f"Error when creating new rule; cause was: Inconsistency: {words}")


def _given(call: Call) -> dict[str, Any]:
    """The fields that were sent; unknown ones are passed over, and JSON of another content type altogether."""
    given = call.body if isinstance(call.body, dict) else _from_form(call.params)
    if "category" in given:
        given = {"categoryId": given["category"], **given}
    known = {name: given[name] for name in (*TEXTS, "id", "source", "tags") if name in given}
    if "enabled" in given:
        known["enabled"] = _boolean(given["enabled"])
    if "directives" in given:
        known["directives"] = sorted(set(given["directives"]))
    if "targets" in given:
        known["targets"] = [_one_target(given["targets"])]
    return known


def _from_form(params: Any) -> dict[str, Any]:
    lists = ("directives", "targets", "tags")
    return {name: json.loads(value) if name in lists else value for name, value in params.items()}


def _merged(rule: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    changes = {name: value for name, value in given.items() if name not in {"id", "source"}}
    return {**rule, **changes}


def _boolean(given: Any) -> bool:
    if given not in {True, False, "true", "false"}:
        raise Refused("Unexpected: .enabled(expected 'true' or 'false')")
    return given in {True, "true"}


def _one_target(targets: list[Any]) -> dict[str, Any]:
    """All targets as one object of what is included and excluded; an "and" becomes an "or"."""
    included, excluded = set[str](), set[str]()
    for target in targets:
        composed = isinstance(target, dict) and "include" in target
        included.update(_members(target["include"] if composed else target))
        excluded.update(_members(target["exclude"]) if composed else ())
    return {"include": {"or": sorted(included)}, "exclude": {"or": sorted(excluded)}}


def _members(target: Any) -> list[str]:
    if isinstance(target, dict):
        members = target.get("or") or target.get("and") or []
        return [name for member in members for name in _members(member)]
    if not TARGET.fullmatch(target):
        raise Refused(f"Inconsistency: Invalid target string: '{target}'")
    return [target]
