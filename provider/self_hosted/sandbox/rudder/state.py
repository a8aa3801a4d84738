"""What the stand-in knows: rules, change requests, accounts and settings, and the sample data it starts with."""

from __future__ import annotations

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
class State:
    """Everything the server knows.

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
    plugin: bool = True
    validation: bool = False
    self_validation: bool = False
    self_deployment: bool = True
    versions: tuple[int, ...] = (21, 22, 23)

    def log(self, event: str, rule_id: str, account: Account, reason: str | None) -> None:
        """Write into the event log."""
        number = len(self.events) + 1
        self.events.append({"id": number, "event": event, "rule": rule_id, "account": account.id, "reason": reason})


def sample_state() -> State:
    """A fresh server with a handful of rules, two of them not yet enabled."""
    rules = [
        _rule(PROJECT_SHARE, "Mount the project share", "storage-project-share", WORKSTATIONS, enabled=False),
        _rule(RENDER_FARM, "Render farm limits", "limits-render", "group:render-farm", enabled=False),
        _rule("4a7b9c3d-58e1-4f62-b0d9-2e8a6c1f7b03", "SSH hardening", "ssh-hardening", "special:all"),
        _rule("7c8d1e5f-6a23-4d90-9e4c-8b3f5a7d1c04", "Workstation antivirus", "antivirus-clamav", WORKSTATIONS),
        _rule("time-synchronisation", "Time synchronisation", "ntp", "special:all_exceptPolicyServers"),
    ]
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
