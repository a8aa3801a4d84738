"""How the stand-in comes to hold one more thing to wait for, for each question."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from self_hosted.rudder import api
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.meta.question_cases import Case
from tests.rudder.conftest import SHARE

HOUR_AGO = datetime.fromtimestamp(time.time() - 3600, UTC)


def change_request(served: Served, status: str | None = None) -> str:
    """A new change request, open unless it is given a status."""
    served.seed({"validation": True})
    answer = requests.post(
        f"{served.base_url}/api/latest/rules/{SHARE}",
        json={"displayName": uuid4().hex},
        headers={"X-API-Token": TOKENS["automation"]},
        timeout=10,
    )
    number = str(answer.json()["data"]["rules"][0]["changeRequestId"])
    served.seed({"decisions": {number: status}} if status else {})
    return number


def rule(served: Served, directive: str = "ntp", **fields: Any) -> str:
    """A new rule with one directive; the one called "off" is disabled."""
    rule_id = str(uuid4())
    given = {"id": rule_id, "displayName": "New", "enabled": True, "system": False, "targets": [], "tags": []}
    served.seed({"rules": [{**given, "directives": [directive], **fields}], "disabled_directives": ["off"]})
    return rule_id


def reported(served: Served, share: float, takes: float = 0) -> str:
    """A new rule, so many percent compliant, which take so many seconds to be reported."""
    rule_id = rule(served)
    served.seed({"reports": {rule_id: {"share": share, "takes": takes}}})
    return rule_id


def node(served: Served, **fields: Any) -> str:
    """A new node."""
    node_id = str(uuid4())
    served.seed({"nodes": [{"id": node_id, **fields}]})
    return node_id


CASES = {
    "CHANGE_REQUEST": Case(
        finished=lambda served: change_request(served, "Deployed"),
        running=change_request,
        unknown="99999",
    ),
    "RULE_STATUS": Case(
        finished=lambda served: api.status_key(rule(served), "In application"),
        running=lambda served: api.status_key(rule(served, "off"), "In application"),
        unknown=api.status_key(str(uuid4()), "In application"),
    ),
    "COMPLIANCE": Case(
        finished=lambda served: api.compliance_key("rule", reported(served, share=90), 90),
        running=lambda served: api.compliance_key("rule", reported(served, share=90, takes=3600), 90),
        unknown=api.compliance_key("rule", str(uuid4()), 90),
    ),
    "NODE_RUN": Case(
        finished=lambda served: api.run_key(node(served, first_run=-60), HOUR_AGO),
        running=lambda served: api.run_key(node(served, first_run=-7200), HOUR_AGO),
        unknown=api.run_key(str(uuid4()), HOUR_AGO),
    ),
}
