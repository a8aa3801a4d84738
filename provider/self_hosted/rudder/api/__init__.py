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
)
from self_hosted.rudder.api.rules import rule, rule_page, rules, update_rule
from self_hosted.rudder.api.targets import normalised

__all__ = [
    "CANCELLED",
    "DEPLOYED",
    "NotOffered",
    "accept_change_request",
    "change_request",
    "change_request_page",
    "change_requests",
    "current_account",
    "decline_change_request",
    "error_of",
    "normalised",
    "proven_token",
    "rule",
    "rule_page",
    "rules",
    "unwrapped",
    "update_rule",
]
