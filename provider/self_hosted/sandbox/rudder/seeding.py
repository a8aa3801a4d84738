"""Data that tests and demos add."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.changes import set_status
from self_hosted.sandbox.rudder.rules import NEW_RULE
from self_hosted.sandbox.rudder.sample_data import TOKENS
from self_hosted.sandbox.rudder.state import Account, Node, Reports, RuleCategory, State

SETTINGS = (
    "plugin",
    "validation",
    "self_validation",
    "self_deployment",
    "reason_mandatory",
    "api_authorizations",
    "unique_names",
    "compliance_mode",
    "generation_seconds",
    "apply_seconds",
)


def seed(state: State, data: dict[str, Any]) -> None:
    """Add data to the state.

    :param state: the state to change
    :param data: see `Rudder.seed`
    """
    state.clock_offset += data.get("advance_seconds", 0)
    state.rules.update({rule["id"]: {**NEW_RULE, **rule} for rule in data.get("rules", ())})
    state.parameters.update({parameter["id"]: parameter for parameter in data.get("parameters", ())})
    state.categories.update({given["id"]: RuleCategory(**given) for given in data.get("categories", ())})
    state.accounts.update({token: Account(**given) for token, given in data.get("accounts", {}).items()})
    _seed_nodes(state, data)
    for name in SETTINGS:
        setattr(state, name, data.get(name, getattr(state, name)))
    state.versions = tuple(data.get("versions", state.versions))
    state.disabled_directives = set(data.get("disabled_directives", state.disabled_directives))
    state.empty_groups = set(data.get("empty_groups", state.empty_groups))
    if data.get("generate"):
        state.generate_due_policies(at_once=True)
    if "expires" in data:
        state.accounts[TOKENS["automation"]].expiration_date = data["expires"]
    for number, status in data.get("decisions", {}).items():
        set_status(state, state.requests[int(number)], status)


def _seed_nodes(state: State, data: dict[str, Any]) -> None:
    now = state.now()
    for given in data.get("nodes", ()):
        node = Node(**{"hostname": f"{given['id']}.example.com", **given})
        node.first_run = None if node.first_run is None else now + node.first_run
        state.nodes[node.id] = node
    for item_id, given in data.get("reports", {}).items():
        state.new_reports.pop(item_id, None)
        state.reports[item_id] = Reports(**{
            "compliant_percent": 100,
            "duration_seconds": 0,
            "changed_at": now,
            **given,
        })
    for item_id in data.get("removed", ()):
        state.rules.pop(item_id, None)
        state.nodes.pop(item_id, None)
