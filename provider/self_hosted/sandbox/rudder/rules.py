"""Rules as Rudder stores them: lists are sorted sets, and all targets become one object."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.changes import describe_system_rule, open_change_request
from self_hosted.sandbox.rudder.decoding import DecodingError
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.rule_fields import TEXT_FIELDS, parse_fields
from self_hosted.sandbox.rudder.rule_status import to_json

EMPTY_RULE = {
    **dict.fromkeys(TEXT_FIELDS, ""),
    "directives": [],
    "targets": [],
    "enabled": False,
    "system": False,
    "tags": [],
}
NEW_RULE = {**EMPTY_RULE, "categoryId": "rootRuleCategory", "enabled": True}


class Rules(Resource):
    """Rules: list, read, create, update, delete."""

    @route("GET", "/rules", action="listRules")
    def list_all(self, call: Call) -> Result:
        """Return all rules but the system's own, sorted by id."""
        rules = sorted(self.state.rules.values(), key=lambda rule: str(rule["id"]))
        return Result({"rules": [to_json(rule, self.state) for rule in rules if not rule.get("system")]})

    @route("PUT", "/rules", action="createRule")
    def create(self, call: Call) -> Result:
        """Create or clone a rule. This never needs validation; with validation, the new rule is disabled instead."""
        try:
            fields = parse_fields(call)
        except DecodingError as error:
            raise _build_creation_error(f"Unexpected: {error}") from None
        if "displayName" not in fields:
            raise _build_creation_error(
                "Inconsistency: Missing manadatory parameter 'displayName'"
            )  # Rudder's spelling
        self._check_new(fields)
        source = fields.pop("source", None)
        rule_id = fields.get("id") or str(uuid4())
        rule = _merge(self._find_source(source, fields, rule_id) if source else NEW_RULE, fields) | {"id": rule_id}
        if self.state.needs_validation and not source and set(fields) - {"id", "displayName"}:
            rule["enabled"] = False
        self.state.rules[rule["id"]] = rule
        self.state.request_policies(rule)
        self.state.log("Rule created", rule["id"], call.account, call.params.get("reason"))
        return self._result(rule, action="cloneRule" if source else None)

    @route("GET", "/rules/{id}", action="ruleDetails")
    def get(self, call: Call) -> Result:
        """Return one rule."""
        return self._result(self._find(call.path["id"]))

    @route("POST", "/rules/{id}", action="updateRule")
    def update(self, call: Call) -> Result:
        """Update the given fields of a rule. Under validation, even an update without fields opens a change request."""
        before = self._find(call.path["id"])
        try:
            after = _merge(before, parse_fields(call))
        except DecodingError as error:
            raise ApiError(f"Could not extract a rule from request.; cause was: Unexpected: {error}") from None
        request = open_change_request(self.state, call, "rules", before, after)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **after})
        if before.get("system"):
            raise ApiError(describe_system_rule(before))
        if after["displayName"] != before["displayName"] and self._is_name_in_use(after):
            raise ApiError(f"Cannot update rule with name {after['displayName']}: this name is already in use.")
        self.state.store_change(after, call.account, call.params.get("reason"))
        return self._result(after)

    @route("DELETE", "/rules/{id}", action="deleteRule")
    def delete(self, call: Call) -> Result:
        """Delete a rule. The deletion of a missing rule succeeds."""
        rule_id = call.path["id"]
        if "+" in rule_id:
            raise ApiError("You can't delete a past revision of a rule, only current version can be deleted.")
        rule = self.state.rules.get(rule_id)
        if rule is None:
            return Result({"rules": [{"id": rule_id, **EMPTY_RULE}]}, rule_id)
        request = open_change_request(self.state, call, "rules", rule, None)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **rule})
        if rule.get("system"):
            raise ApiError(f"Inconsistency: System Rule '{rule_id}' can't be deleted")
        del self.state.rules[rule_id]
        self.state.log("Rule deleted", rule_id, call.account, call.params.get("reason"))
        return self._result(rule)

    def _find(self, rule_id: str) -> dict[str, Any]:
        if rule_id not in self.state.rules:
            raise ApiError(f"Rule with id '{rule_id}' was not found")
        return self.state.rules[rule_id]

    def _find_source(self, source: str, fields: dict[str, Any], rule_id: str) -> dict[str, Any]:
        try:
            return self._find(source)
        except ApiError as error:
            raise _build_creation_error(
                f"Could not create rule '{fields['displayName']}' (id:{rule_id}) by cloning rule '{source}'); "
                f"cause was: Inconsistency: {error.message}"
            ) from None

    def _check_new(self, fields: dict[str, Any]) -> None:
        prefix, suffix = "Inconsistency: Cannot create a rule with", "there is already a rule with the same"
        if fields.get("id") in self.state.rules:
            raise _build_creation_error(f"{prefix} ID '{fields['id']}' : {suffix} id")
        if self._is_name_in_use({"id": None, **fields}):
            raise _build_creation_error(f"{prefix} name {fields['displayName']} : {suffix} name")

    def _is_name_in_use(self, rule: dict[str, Any]) -> bool:
        others = (other for other in self.state.rules.values() if other["id"] != rule["id"])
        return self.state.unique_names and any(other["displayName"] == rule["displayName"] for other in others)

    def _result(self, rule: dict[str, Any], action: str | None = None) -> Result:
        return Result({"rules": [to_json(rule, self.state)]}, rule["id"], action)


def _merge(rule: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {**rule, **{name: value for name, value in fields.items() if name not in {"id", "source"}}}


def _build_creation_error(cause: str) -> ApiError:
    return ApiError(f"Error when creating new rule; cause was: {cause}")
