"""New objects on the fake server, and the case of each wait spec."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from self_hosted.core.wait.key import WaitKey
from self_hosted.rudder.api.compliance import Kind
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.meta.wait_cases import WaitCase
from tests.rudder.conftest import SHARE

HOUR_AGO = datetime.fromtimestamp(time.time() - 3600, UTC)


def status_key(rule_id: str, status: str = "In application") -> str:
    return WaitKey(rule_id, (status,)).to_text()


def compliance_key(kind: Kind, target_id: str, threshold: float) -> str:
    return WaitKey(target_id, (kind, str(threshold))).to_text()


def run_key(node_id: str, after: datetime = HOUR_AGO) -> str:
    return WaitKey(node_id, (after.isoformat(),)).to_text()


def add_change_request(served: Served, status: str | None = None, description: str | None = None) -> str:
    """Return the number of a new change request: open, or with a status."""
    served.seed({"validation": True})
    response = requests.post(
        f"{served.base_url}/api/latest/rules/{SHARE}",
        params={"changeRequestDescription": description},
        json={"displayName": uuid4().hex},
        headers={"X-API-Token": TOKENS["automation"]},
        timeout=60,
    )
    number = str(response.json()["data"]["rules"][0]["changeRequestId"])
    served.seed({"decisions": {number: status}} if status else {})
    return number


def add_rule(served: Served, directive: str = "ntp", **fields: Any) -> str:
    """Return the id of a new rule with one directive; the directive "off" is disabled."""
    rule_id = str(uuid4())
    defaults = {"id": rule_id, "displayName": "New", "enabled": True, "system": False, "targets": ["special:all"]}
    served.seed({"rules": [{**defaults, "directives": [directive], **fields}], "disabled_directives": ["off"]})
    return rule_id


def add_reported_rule(served: Served, percent: float, seconds: float = 0) -> str:
    """Return the id of a new rule, compliant to some percent, whose reports are complete after some seconds."""
    rule_id = add_rule(served)
    served.seed({"reports": {rule_id: {"compliant_percent": percent, "duration_seconds": seconds}}})
    return rule_id


def add_node(served: Served, **fields: Any) -> str:
    """Return the id of a new node."""
    node_id = str(uuid4())
    served.seed({"nodes": [{"id": node_id, **fields}]})
    return node_id


CASES = {
    "CHANGE_REQUEST": WaitCase(
        finished=lambda served: add_change_request(served, "Deployed"),
        running=add_change_request,
        unknown="99999",
    ),
    "RULE_STATUS": WaitCase(
        finished=lambda served: status_key(add_rule(served)),
        running=lambda served: status_key(add_rule(served, "off")),
        unknown=status_key(str(uuid4())),
    ),
    "COMPLIANCE": WaitCase(
        finished=lambda served: compliance_key("rule", add_reported_rule(served, 90), 90),
        running=lambda served: compliance_key("rule", add_reported_rule(served, 90, seconds=3600), 90),
        unknown=compliance_key("rule", str(uuid4()), 90),
    ),
    "NODE_RUN": WaitCase(
        finished=lambda served: run_key(add_node(served, first_run=-60)),
        running=lambda served: run_key(add_node(served, first_run=-7200)),
        unknown=run_key(str(uuid4())),
    ),
}
