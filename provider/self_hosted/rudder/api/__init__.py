"""What can be asked of Rudder, as flows, one file per subject. No I/O, no Airflow.

Paths are without the prefix and the version of the API (``/rules``); `TokenAuth` in `hook.py` adds both.
"""

from self_hosted.rudder.api.accounts import current_account, proven_token
from self_hosted.rudder.api.answers import NotOffered, error_of, unwrapped
from self_hosted.rudder.api.change_requests import (
    CANCELLED,
    DEPLOYED,
    accept_change_request,
    change_request,
    change_request_page,
    change_requests,
    decline_change_request,
    decline_duplicates,
    own_change_requests,
)
from self_hosted.rudder.api.compliance import (
    REPORTS_DISABLED,
    Kind,
    applying,
    compliance,
    compliance_key,
    compliance_of,
    compliances,
    reached,
)
from self_hosted.rudder.api.nodes import (
    last_run,
    moment_of,
    node,
    node_page,
    nodes,
    pending_nodes,
    run_key,
    run_of,
)
from self_hosted.rudder.api.rules import (
    DISABLED,
    STATUSES,
    rule,
    rule_page,
    rules,
    status_key,
    status_of,
    update_rule,
)
from self_hosted.rudder.api.targets import normalised

__all__ = [
    "CANCELLED",
    "DEPLOYED",
    "DISABLED",
    "REPORTS_DISABLED",
    "STATUSES",
    "Kind",
    "NotOffered",
    "accept_change_request",
    "applying",
    "change_request",
    "change_request_page",
    "change_requests",
    "compliance",
    "compliance_key",
    "compliance_of",
    "compliances",
    "current_account",
    "decline_change_request",
    "decline_duplicates",
    "error_of",
    "last_run",
    "moment_of",
    "node",
    "node_page",
    "nodes",
    "normalised",
    "own_change_requests",
    "pending_nodes",
    "proven_token",
    "reached",
    "rule",
    "rule_page",
    "rules",
    "run_key",
    "run_of",
    "status_key",
    "status_of",
    "unwrapped",
    "update_rule",
]
