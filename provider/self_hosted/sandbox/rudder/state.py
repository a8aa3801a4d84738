"""The data of the server: rules, nodes, change requests, accounts, settings."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
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
    :param access: the access list of an account with the rights "acl": path and methods of each entry
    """

    id: str
    name: str
    rights: str
    kind: str = "public"
    validator: bool = False
    deployer: bool = False
    active: bool = True
    expiration_date: str | None = None
    access: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass
class ChangeRequest:
    """A change of a rule or parameter that needs approval.

    :param kind: "rules" or "parameters"
    :param target_id: id of the rule or parameter
    :param before: the current object; None for a creation
    :param after: the object after the change; None for a deletion
    """

    id: int
    kind: str
    target_id: str
    name: str
    description: str
    author: Account
    reason: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    status: str = "Pending validation"


@dataclass
class Node:
    """A machine with an agent.

    :param status: "accepted" or "pending"
    :param state: "enabled", "ignored", "empty-policies", ...
    :param first_run: time of the agent's first run, in seconds since the epoch; None if the agent never runs
    :param run_interval: seconds between two runs; 0 for a single run
    :param details: further fields of the node's JSON
    """

    id: str
    hostname: str
    status: str = "accepted"
    state: str = "enabled"
    first_run: float | None = None
    run_interval: float = 0
    policy_server: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reports:
    """The reports about a rule or a node, which come in evenly during a period.

    :param compliant_percent: percentage of the reports that say "compliant"
    :param changed_at: time of the new policies, in seconds since the epoch
    :param duration_seconds: seconds after that time until all reports are in
    :param details: percentages by kind of report when all reports are in, instead of ``compliant_percent``
    """

    compliant_percent: float
    changed_at: float
    duration_seconds: float
    details: dict[str, float] | None = None


@dataclass
class RuleCategory:
    """A category of rules, below the root."""

    id: str
    name: str
    description: str = ""
    parent: str = "rootRuleCategory"


@dataclass
class State:
    """The complete data of the server.

    :param reports: by id of a rule or node
    :param new_reports: those of policies that are not generated yet, which then replace the ones in ``reports``; None
        if there will be none, as of a disabled rule
    :param parameters: global parameters, by id
    :param categories: categories of rules, by id
    :param disabled_directives: ids of directives that rules do not apply
    :param empty_groups: targets without nodes, such as "group:archive"
    :param compliance_mode: "full-compliance", "changes-only" or "reports-disabled"
    :param generation_seconds: seconds after a change until new policies are generated; until then, the compliance
        is that of the old policies
    :param apply_seconds: seconds after the generation until all agents have applied and reported a change
    :param api_authorizations: whether the plugin is installed: without it, accounts of users and accounts with an
        access list have no rights
    :param unique_names: whether two rules may not have the same name
    :param reason_mandatory: whether a decision about a change request needs a reason
    :param plugin: whether change-validation is installed
    :param validation: whether every change of a rule needs validation
    :param self_validation: whether authors may validate their own change requests
    :param self_deployment: whether authors may deploy their own change requests
    :param versions: the API versions of the server
    :param generation_at: the time when the generation of policies that is in progress ends; None if there is none
    :param clock_offset: seconds by which tests have advanced the server's clock
    """

    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[int, ChangeRequest] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    reports: dict[str, Reports] = field(default_factory=dict)
    new_reports: dict[str, Reports | None] = field(default_factory=dict)
    generation_at: float | None = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    categories: dict[str, RuleCategory] = field(default_factory=dict)
    disabled_directives: set[str] = field(default_factory=set)
    empty_groups: set[str] = field(default_factory=set)
    compliance_mode: str = "full-compliance"
    generation_seconds: float = 2
    apply_seconds: float = 5
    api_authorizations: bool = True
    unique_names: bool = True
    reason_mandatory: bool = False
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
        self.request_policies(rule)
        self.log("Rule modified", rule["id"], account, reason)

    def request_policies(self, rule: dict[str, Any]) -> None:
        """Start the generation of policies after a change of a rule."""
        self.generate_due_policies()
        self.new_reports[rule["id"]] = Reports(100, 0, self.apply_seconds) if rule["enabled"] else None
        if self.generation_at is None:
            self.generation_at = self.now() + self.generation_seconds

    def generate_due_policies(self, *, at_once: bool = False) -> None:
        """Replace the reports of changed rules, if their policies are generated by now.

        :param at_once: whether a generation that has been started ends now
        """
        due = self.now() if at_once and self.generation_at is not None else self.generation_at
        if due is None or due > self.now():
            return
        for rule_id, reports in self.new_reports.items():
            self.reports.pop(rule_id, None)
            if reports is not None:
                self.reports[rule_id] = replace(reports, changed_at=due)
        self.new_reports, self.generation_at = {}, None

    def log(self, event: str, rule_id: str, account: Account, reason: str | None) -> None:
        """Add an entry to the event log."""
        number = len(self.events) + 1
        self.events.append({"id": number, "event": event, "rule": rule_id, "account": account.id, "reason": reason})
