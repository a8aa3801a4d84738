"""The effect of an update of a rule: in the rule itself, or as a change request that waits for approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from self_hosted.core.http.errors import ConflictError
from self_hosted.core.http.flow import Flow
from self_hosted.rudder.api import change_requests, rule_values
from self_hosted.rudder.api.shapes import ChangeRequest, Rule
from self_hosted.rudder.api.types import RuleUpdate, UpdateOutcome

GetRule = Callable[[str], Flow[Rule]]


@dataclass
class Change:
    """One update.

    :param rule_id: id of the rule
    :param values: the desired values
    :param fields: the fields that differ from them
    :param idempotency_key: identifies the update; the same on every retry
    :param outdated: open change requests of earlier attempts that had other values
    """

    rule_id: str
    values: Mapping[str, Any]
    fields: list[str]
    idempotency_key: str
    outdated: list[ChangeRequest] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Identifies the desired values."""
        return rule_values.compute_fingerprint(self.values)


def find_effect(change: Change, get: GetRule) -> Flow[RuleUpdate | None]:
    """Return the effect of a write whose response was lost; None if there is none.

    :param change: the update
    :param get: returns the flow that reads a rule
    """
    if not (yield from _is_different(change, get)):
        return build_result(change.rule_id, "applied", change.fields)
    return (yield from find_change_request(change, get))


def find_change_request(change: Change, get: GetRule) -> Flow[RuleUpdate | None]:
    """Return the state of the change request that an earlier attempt opened; None if there is none.

    A change request with other values is not the one: it stays in ``change.outdated``. Neither is a deployed one while
    the rule differs, as after a later change: then the values are to be set again.

    :param change: the update
    :param get: returns the flow that reads a rule
    :raises ConflictError: if it was declined
    """
    own = yield from change_requests.list_own(change.idempotency_key, change.rule_id, change.fingerprint)
    change.outdated = own.outdated
    candidates = own.current
    deployed = [request for request in candidates if request["status"] == change_requests.DEPLOYED]
    if deployed:
        is_effective = not (yield from _is_different(change, get))
        candidates = deployed if is_effective else [request for request in candidates if request not in deployed]
    if not candidates:
        return None
    effective = candidates[0]
    if effective["status"] == change_requests.CANCELLED:
        raise ConflictError(f"change request {effective['id']} for rule {change.rule_id} was declined")
    outcome: UpdateOutcome = "applied" if effective["status"] == change_requests.DEPLOYED else "pending"
    result = build_result(change.rule_id, outcome, change.fields, effective["id"])
    superseded = [request for request in (*own.current, *own.outdated) if request is not effective]
    if superseded:
        result["duplicates"] = yield from change_requests.decline_all(superseded, effective["id"])
        change.outdated = []
    return result


def decline_duplicates(
    rule_id: str, values: Mapping[str, Any], idempotency_key: str, effective: int | None
) -> Flow[list[int]]:
    """Decline the open change requests of an update but one, as far as the account may.

    :param rule_id: id of the rule
    :param values: the desired values
    :param idempotency_key: identifies the update
    :param effective: the number of the change request to keep
    :return: the numbers of those that stay open
    """
    fingerprint = rule_values.compute_fingerprint(rule_values.normalize(values))
    own = yield from change_requests.list_own(idempotency_key, rule_id, fingerprint)
    others = [request for request in (*own.current, *own.outdated) if request["id"] != effective]
    return (yield from change_requests.decline_all(others, effective))


def build_result(
    rule_id: str, outcome: UpdateOutcome, changed: list[str], change_request_id: int | None = None
) -> RuleUpdate:
    """Return the effect of an update.

    :param rule_id: id of the rule
    :param outcome: see `RuleUpdate`
    :param changed: Rudder's names of the fields that differed
    :param change_request_id: number of the change request, if there is one
    """
    return {"rule_id": rule_id, "outcome": outcome, "changed": changed, "change_request_id": change_request_id}


def describe_outcome(result: RuleUpdate) -> str:
    """Return the outcome of an update for the log.

    :param result: the effect of the update
    """
    number = result["change_request_id"]
    return result["outcome"] if number is None else f"{result['outcome']} as change request {number}"


def _is_different(change: Change, get: GetRule) -> Flow[bool]:
    return bool(rule_values.find_differences((yield from get(change.rule_id)), change.values))
