"""What the stand-in knows: rules, nodes, change requests, accounts, settings, and the sample data it starts with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

TOKENS = {
    "automation": "rudderSandboxTokenAutomation0001",
    "reader": "rudderSandboxTokenReadOnly000001",
    "validator": "rudderSandboxTokenValidator00001",
    "assistant": "rudderSandboxTokenAssistant00001",
    "access-list": "rudderSandboxTokenAccessList0001",
    "expired": "rudderSandboxTokenExpired0000001",
}
PROJECT_SHARE = "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01"
RENDER_FARM = "0e6d2f1a-3c44-4b8e-a1b7-6f1c9d2e5a02"
FILE_SERVER = "3f6a9b2c-8d14-4e57-a0c3-7b5e1d9f4a11"
WORKSTATIONS = "group:5d1f7c2e-91a4-4c1b-8a53-0b6c2f4e7d10"


@dataclass
class Account:
    """An API account.

    :param kind: "public", "user" or "system"; only the last two can have a role in the workflow
    :param rights: "ro", "rw", "acl" or "none"
    """

    id: str
    name: str
    rights: str
    kind: str = "public"
    validator: bool = False
    deployer: bool = False
    accepted: bool = True
    expiration_date: str | None = None


@dataclass
class ChangeRequest:
    """A change that waits for approval: the rule as it was and as it would be, or None when it would be deleted."""

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
    :param first_run: when its agent runs first, in seconds since the epoch; None: it never does
    :param run_interval: seconds between two runs; 0: it runs once
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
    """What is reported about a rule or a node, more and more of it until all is there.

    :param share: percentage of what is reported that is as wanted
    :param since: when the policies changed, in seconds since the epoch
    :param takes: seconds from then on until all is reported
    """

    share: float
    since: float
    takes: float


@dataclass
class State:
    """Everything the server knows.

    :param reports: by the id of the rule or node
    :param disabled_directives: ids; rules do not apply them
    :param compliance_mode: "full-compliance", "changes-only" or "reports-disabled"
    :param apply_seconds: how long agents take to apply and report a change
    :param plugin: whether change-validation is installed
    :param validation: whether every change of a rule needs validation
    :param self_validation: whether authors may validate their own requests
    :param self_deployment: whether authors may deploy them
    :param versions: the API versions that are served
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

    def modified(self, rule: dict[str, Any], account: Account, reason: str | None) -> None:
        """A rule has new values from now on, which agents have to apply."""
        self.rules[rule["id"]] = rule
        self.reports[rule["id"]] = Reports(100, time.time(), self.apply_seconds)
        self.log("Rule modified", rule["id"], account, reason)

    def log(self, event: str, rule_id: str, account: Account, reason: str | None) -> None:
        """Write into the event log."""
        number = len(self.events) + 1
        self.events.append({"id": number, "event": event, "rule": rule_id, "account": account.id, "reason": reason})


def sample_state() -> State:
    """A fresh server with a handful of rules, two of them not yet enabled, and of nodes, one not yet accepted."""
    rules = [
        _rule(PROJECT_SHARE, "Mount the project share", "storage-project-share", WORKSTATIONS, enabled=False),
        _rule(RENDER_FARM, "Render farm limits", "limits-render", "group:render-farm", enabled=False),
        _rule("4a7b9c3d-58e1-4f62-b0d9-2e8a6c1f7b03", "SSH hardening", "ssh-hardening", "special:all"),
        _rule("7c8d1e5f-6a23-4d90-9e4c-8b3f5a7d1c04", "Workstation antivirus", "antivirus-clamav", WORKSTATIONS),
        _rule("time-synchronisation", "Time synchronisation", "ntp", "special:all_exceptPolicyServers"),
    ]
    began = time.time() - 3600
    nodes = [
        Node("root", "rudder.example.com", first_run=began, run_interval=300, policy_server=True),
        Node(FILE_SERVER, "file-server-01.example.com", first_run=began, run_interval=300),
        Node("9a1c5e7d-2b46-4f8a-b3d1-6e0c8f2a4d12", "workstation-01.example.com", first_run=began, run_interval=300),
        Node("c4e8f1a2-7d35-4b69-8e02-5a9d3c7b1f13", "workstation-02.example.com", status="pending"),
    ]
    things = [*(rule["id"] for rule in rules), *(node.id for node in nodes)]
    accounts = [
        Account("automation", "Automation", "rw"),
        Account("reader", "Dashboard", "ro"),
        Account("validator", "Vera Validator", "rw", kind="user", validator=True, deployer=True),
        Account("assistant", "Validates, but may not deploy", "rw", kind="user", validator=True),
        Account("access-list", "Access list without its plugin", "acl"),
        Account("expired", "Expired", "rw", accepted=False, expiration_date="2024-01-31T00:00:00Z"),
    ]
    return State(
        rules={rule["id"]: rule for rule in rules},
        accounts={TOKENS[account.id]: account for account in accounts},
        nodes={node.id: node for node in nodes},
        reports={thing: Reports(100, began, 0) for thing in things},
    )


def _rule(rule_id: str, name: str, directive: str, target: str, *, enabled: bool = True) -> dict[str, Any]:
    return {
        "id": rule_id,
        "displayName": name,
        "categoryId": "rootRuleCategory",
        "shortDescription": "",
        "longDescription": "",
        "directives": [directive],
        "targets": [target],
        "enabled": enabled,
        "system": False,
        "tags": [],
    }
