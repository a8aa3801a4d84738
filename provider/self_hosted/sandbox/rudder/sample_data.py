"""The data of a fresh server: a few rules and nodes, and one account for every kind of access."""

from __future__ import annotations

import time
from typing import Any

from self_hosted.sandbox.rudder.state import Account, Node, Reports, State

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
RUN_INTERVAL_SECONDS = 300
UPTIME_SECONDS = 3600
NODE_DETAILS = {
    "os": {"type": "Linux", "name": "Debian", "version": "12.0", "fullName": "Debian GNU/Linux 12 (bookworm)"},
    "ram": 8589934592,
    "machine": {"id": "machine-1", "type": "Virtual", "provider": "vmware"},
    "ipAddresses": ["192.0.2.10"],
    "description": "",
    "acceptanceDate": "2026-01-05T08:00:00Z",
    "lastInventoryDate": "2026-01-05T08:00:00Z",
    "policyServerId": "root",
    "managementTechnology": [{"name": "Rudder", "version": "9.1.4", "capabilities": [], "nodeKind": "node"}],
    "timezone": {"name": "UTC", "offset": "+00"},
}


def create_sample_state() -> State:
    """Return the state of a fresh server. Two rules are disabled, and one node is pending."""
    started = time.time() - UPTIME_SECONDS
    rules, nodes = _rules(), _nodes(started)
    ids = [*(rule["id"] for rule in rules if rule["enabled"]), *(node.id for node in nodes)]
    return State(
        rules={rule["id"]: rule for rule in rules},
        accounts={TOKENS[account.id]: account for account in _accounts()},
        nodes={node.id: node for node in nodes},
        reports={item_id: Reports(100, started, 0) for item_id in ids},
    )


def _accounts() -> list[Account]:
    return [
        Account("automation", "Automation", "rw"),
        Account("reader", "Dashboard", "ro"),
        Account("validator", "Vera Validator", "rw", kind="user", validator=True, deployer=True),
        Account("assistant", "Validates, but may not deploy", "rw", kind="user", validator=True),
        Account("access-list", "Access list that allows nothing", "acl"),
        Account("expired", "Expired", "rw", active=False, expiration_date="2024-01-31T00:00:00Z"),
    ]


def _nodes(started: float) -> list[Node]:
    runs: dict[str, Any] = {"first_run": started, "run_interval": RUN_INTERVAL_SECONDS, "details": NODE_DETAILS}
    return [
        Node("root", "rudder.example.com", **runs, policy_server=True),
        Node(FILE_SERVER, "file-server-01.example.com", **runs),
        Node("9a1c5e7d-2b46-4f8a-b3d1-6e0c8f2a4d12", "workstation-01.example.com", **runs),
        Node("c4e8f1a2-7d35-4b69-8e02-5a9d3c7b1f13", "workstation-02.example.com", status="pending"),
    ]


def _rules() -> list[dict[str, Any]]:
    return [
        _rule(PROJECT_SHARE, "Mount the project share", "storage-project-share", WORKSTATIONS, enabled=False),
        _rule(RENDER_FARM, "Render farm limits", "limits-render", "group:render-farm", enabled=False),
        _rule("4a7b9c3d-58e1-4f62-b0d9-2e8a6c1f7b03", "SSH hardening", "ssh-hardening", "special:all"),
        _rule("7c8d1e5f-6a23-4d90-9e4c-8b3f5a7d1c04", "Workstation antivirus", "antivirus-clamav", WORKSTATIONS),
        _rule("time-synchronisation", "Time synchronisation", "ntp", "special:all_exceptPolicyServers"),
    ]


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
