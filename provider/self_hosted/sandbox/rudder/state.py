"""The data of the server: rules, nodes, change requests, accounts, settings."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """An API account.

    :param rights: "ro", "rw", "acl" or "none"
    :param kind: "public", "user" or "system"; only the last two can have a role in the workflow
    :param validator: whether the account may validate change requests
    :param deployer: whether the account may deploy change requests
    :param active: whether the server accepts the token
    :param expiration_date: ISO 8601; None if the account never expires
    """

    id: str
    name: str
    rights: str
    kind: str = "public"
    validator: bool = False
    deployer: bool = False
    active: bool = True
    expiration_date: str | None = None


@dataclass
class ChangeRequest:
    """A change of a rule that needs approval.

    :param before: the current rule
    :param after: the rule after the change; None for a deletion
    """

    id: int
    name: str
    description: str
    author: Account
    reason: str | None
    before: dict[str, Any]
    after: dict[str, Any] | None
    status: str = "Pending validation"


@dataclass
class Node:
    """A machine with an agent.

    :param status: "accepted" or "pending"
    :param state: "enabled", "ignored", "empty-policies", ...
    :param first_run: time of the agent's first run, in seconds since the epoch; None if the agent never runs
    :param run_interval: seconds between two runs; 0 for a single run
    """

    id: str
    hostname: str
    status: str = "accepted"
    state: str = "enabled"
    first_run: float | None = None
    run_interval: float = 0
    policy_server: bool = False


@dataclass(frozen=True)
class Reports:
    """The reports about a rule or a node, which come in evenly during a period.

    :param compliant_percent: percentage of the reports that say "compliant"
    :param changed_at: time of the policy change, in seconds since the epoch
    :param duration_seconds: seconds after the change until all reports are in
    """

    compliant_percent: float
    changed_at: float
    duration_seconds: float


@dataclass
class State:
    """The complete data of the server.

    :param reports: by id of a rule or node
    :param disabled_directives: ids of directives that rules do not apply
    :param compliance_mode: "full-compliance", "changes-only" or "reports-disabled"
    :param apply_seconds: seconds that agents need to apply and report a change
    :param plugin: whether change-validation is installed
    :param validation: whether every change of a rule needs validation
    :param self_validation: whether authors may validate their own change requests
    :param self_deployment: whether authors may deploy their own change requests
    :param versions: the API versions of the server
    :param clock_offset: seconds by which tests have advanced the server's clock
    """

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[int, ChangeRequest] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    reports: dict[str, Reports] = field(default_factory=dict)
    disabled_directives: set[str] = field(default_factory=set)
    compliance_mode: str = "full-compliance"
    apply_seconds: float = 5
    plugin: bool = True
    validation: bool = False
    self_validation: bool = False
    self_deployment: bool = True
    versions: tuple[int, ...] = (21, 22, 23)
    clock_offset: float = 0

    @property
    def needs_validation(self) -> bool:
        """Whether changes become change requests."""
        return self.plugin and self.validation

    def now(self) -> float:
        """Return the server's time, in seconds since the epoch."""
        return time.time() + self.clock_offset

    def store_change(self, rule: dict[str, Any], account: Account, reason: str | None) -> None:
        """Store new values of a rule, which agents then have to apply."""
        self.rules[rule["id"]] = rule
        self.reports[rule["id"]] = Reports(100, self.now(), self.apply_seconds)
        self.log("Rule modified", rule["id"], account, reason)

    def log(self, event: str, rule_id: str, account: Account, reason: str | None) -> None:
        """Add an entry to the event log."""
        number = len(self.events) + 1
        self.events.append({"id": number, "event": event, "rule": rule_id, "account": account.id, "reason": reason})
