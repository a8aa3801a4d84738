"""The status of a rule, which follows from the configuration: from the rule, its directives and its groups."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.rule_targets import list_names
from self_hosted.sandbox.rudder.state import State


def to_json(rule: dict[str, Any], state: State) -> dict[str, Any]:
    """Return the JSON of a rule.

    :param rule: the rule
    :param state: the state of the server
    """
    return {**rule, "policyMode": "enforce", "status": _compute_status(rule, state)}


def _compute_status(rule: dict[str, Any], state: State) -> dict[str, str]:
    disabled = [name for name in rule["directives"] if name in state.disabled_directives]
    obstacles = [
        *([] if rule["directives"] else ["No policy defined"]),
        *([] if set(list_names(rule["targets"])) - state.empty_groups else ["Empty groups"]),
    ]
    reasons = [*obstacles, *(f"Directive '{name}' disabled" for name in disabled)]
    if not rule["enabled"]:
        return {"value": "Disabled", "details": ", ".join(["This rule is disabled. ", *reasons])}
    if not reasons:
        return {"value": "In application"}
    is_applied = not obstacles and len(disabled) < len(rule["directives"])
    return {"value": "Partially applied" if is_applied else "Not applied", "details": ", ".join(reasons)}
