"""Categories of rules, and the tree of all rules, which has the address of a rule with the id "tree"."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.decoding import DecodingError, decode_object
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.rule_status import to_json
from self_hosted.sandbox.rudder.state import RuleCategory

ROOT = RuleCategory("rootRuleCategory", "Rules", "This is the main category of Rules")
FIELDS = ("name", "description", "parent")
MIN_NAME_CHARACTERS = 3


class RuleCategories(Resource):
    """Categories of rules: tree, create, read, update, delete."""

    @route("GET", "/rules/tree", action="getRuleTree")
    def get_tree(self, call: Call) -> Result:
        """Return all categories with their rules."""
        return self._result(ROOT, is_complete=True)

    @route("PUT", "/rules/categories", action="createRuleCategory")
    def create(self, call: Call) -> Result:
        """Create a category."""
        fields = _parse(call)
        if len(fields.get("name", "")) < MIN_NAME_CHARACTERS:
            raise ApiError("'displayName' is mandatory and must be at least 3 char long")
        category = RuleCategory(
            fields.get("id") or str(uuid4()), **{key: fields[key] for key in FIELDS if key in fields}
        )
        self.state.categories[category.id] = category
        return self._result(category)

    @route("GET", "/rules/categories/{id}", action="getRuleCategoryDetails")
    def get(self, call: Call) -> Result:
        """Return one category, or a substitute for a missing one that rules name."""
        return self._result(self._find(call.path["id"]))

    @route("POST", "/rules/categories/{id}", action="updateRuleCategory")
    def update(self, call: Call) -> Result:
        """Update the given fields of a category."""
        category = self._find(call.path["id"])
        if category is ROOT:
            raise ApiError("Error: the root category of rules can not be modified")
        for name, value in _parse(call).items():
            if name in FIELDS:
                setattr(category, name, value)
        return self._result(category)

    @route("DELETE", "/rules/categories/{id}", action="deleteRuleCategory")
    def delete(self, call: Call) -> Result:
        """Delete an empty category."""
        category = self._find(call.path["id"])
        if self._list_children(category) or self._list_rules(category):
            raise ApiError(f"Cannot delete category '{category.name}' since that category is not empty")
        self.state.categories.pop(category.id, None)
        return Result({"rulesCategories": [{"ruleCategories": self._to_json(category)}]}, category.id)

    def _find(self, category_id: str) -> RuleCategory:
        known = {ROOT.id: ROOT, **self.state.categories}
        if category_id in known:
            return known[category_id]
        if not any(rule["categoryId"] == category_id for rule in self.state.rules.values()):
            raise ApiError(f"Error: rule category with id '{category_id}' was not found")
        text = f"Category {category_id} has been deleted, please move rules to available categories"
        return RuleCategory(category_id, f"<{category_id}>", text)

    def _list_children(self, category: RuleCategory) -> list[RuleCategory]:
        return [child for child in self.state.categories.values() if child.parent == category.id]

    def _list_rules(self, category: RuleCategory) -> list[dict[str, Any]]:
        rules = sorted(self.state.rules.values(), key=lambda rule: str(rule["id"]))
        return [rule for rule in rules if rule["categoryId"] == category.id and not rule.get("system")]

    def _result(self, category: RuleCategory, *, is_complete: bool = False) -> Result:
        return Result({"ruleCategories": self._to_json(category, is_complete=is_complete)}, category.id)

    def _to_json(self, category: RuleCategory, *, is_complete: bool = False) -> dict[str, Any]:
        """Return the JSON of a category, which contains its categories and rules, or only their ids."""
        children, rules = self._list_children(category), self._list_rules(category)
        return {
            "id": category.id,
            "name": category.name,
            "description": category.description,
            "parent": category.parent,
            "categories": [self._to_json(child, is_complete=True) if is_complete else child.id for child in children],
            "rules": [to_json(rule, self.state) if is_complete else rule["id"] for rule in rules],
        }


def _parse(call: Call) -> dict[str, Any]:
    try:
        return decode_object(call)
    except DecodingError as error:
        raise ApiError(f"Could not extract a rule category from request; cause was: Unexpected: {error}") from None
