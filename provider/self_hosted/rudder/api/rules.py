"""Rules: which directives apply to which nodes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.rudder.api import change_requests, rule_values
from self_hosted.rudder.api.types import RuleUpdate, UpdateOutcome
from self_hosted.rudder.errors import unwrap, unwrap_first

DISABLED = "Disabled"
STATUSES = ("In application", "Partially applied", "Not applied", DISABLED)


class _Change(NamedTuple):
    """One update.

    :param rule_id: id of the rule
    :param values: the desired values
    :param fields: the fields that differ from them
    :param idempotency_key: identifies the update; the same on every retry
    """

    rule_id: str
    values: Mapping[str, Any]
    fields: list[str]
    idempotency_key: str


def get(rule_id: str) -> Flow[dict[str, Any]]:
    """Return one rule (``GET /rules/{id}``).

    :param rule_id: its id, not always a UUID
    :return: Rudder's JSON: ``id``, ``displayName``, ``directives``, ``targets``, ``enabled``, ... ``status`` has a
        ``value`` (see `STATUSES`) that follows from the configuration, not from the reports of nodes
    :raises NotFoundError: if there is no such rule, or the account may not see it
    """
    return unwrap_first((yield Request("GET", url_path("rules", rule_id))), "rules")


def list_all() -> Flow[list[dict[str, Any]]]:
    """Return all rules except system rules (``GET /rules``); Rudder has no pagination.

    :return: each as `get` returns it
    """
    rules: list[dict[str, Any]] = unwrap((yield Request("GET", "/rules")), "rules")
    return rules


def update(
    rule_id: str,
    values: Mapping[str, Any],
    *,
    reason: str | None = None,
    change_request_name: str | None = None,
    change_request_description: str | None = None,
    idempotency_key: str | None = None,
    previous_attempt_unknown: bool = False,
) -> Flow[RuleUpdate]:
    """Set values of a rule, exactly once (``POST /rules/{id}``).

    Only fields that differ are sent; if none differs, nothing is sent. After a lost response, the effect is looked up.

    :param rule_id: its id
    :param values: desired values in Rudder's form, any of ``displayName``, ``categoryId``, ``shortDescription``,
        ``longDescription``, ``directives``, ``targets``, ``enabled`` and ``tags``
    :param reason: kept in Rudder's event log
    :param change_request_name: name of the change request, where changes need validation
    :param change_request_description: its description
    :param idempotency_key: identifies this update, the same on every retry, so that a change request of an earlier
        attempt is recognized; default: a random key
    :param previous_attempt_unknown: whether an earlier attempt with this key may still be in progress, because its
        client is gone: its effect is then looked for as after a lost response
    :raises NotFoundError: if there is no such rule
    :raises ConflictError: if the change request was declined
    :raises ServerError: if Rudder reports success but returns other values
    """
    values = rule_values.normalize(values)
    fields = rule_values.find_differences((yield from get(rule_id)), values)
    if not fields:
        return _build_result(rule_id, "unchanged", [])
    change = _Change(rule_id, values, fields, idempotency_key or uuid4().hex)
    earlier = yield from (
        poll_for_effect(partial(_find_effect, change)) if previous_attempt_unknown else _find_change_request(change)
    )
    if earlier:
        return earlier
    query = {  # Rudder reads these three from the query only
        "reason": reason,
        "changeRequestName": change_request_name,
        "changeRequestDescription": change_requests.sign_description(
            change_request_description, change.idempotency_key
        ),
    }
    return (yield from _write_once(change, query, may_be_second=previous_attempt_unknown))


def page_url(base_url: str, rule_id: str) -> str:
    """Return the page of a rule in Rudder's web interface.

    :param base_url: the connection's base URL
    :param rule_id: its id
    """
    return base_url + url_path("secure", "configurationManager", "ruleManagement", "rule", rule_id)


def _write_once(change: _Change, query: Mapping[str, Any], *, may_be_second: bool) -> Flow[RuleUpdate]:
    """Send the change; after a lost response, look for its effect before it is sent again."""
    body = {name: change.values[name] for name in change.fields}
    request = Request("POST", url_path("rules", change.rule_id), query=query, json=body)
    try:
        result = _read_result(change, (yield request))
    except OutcomeUnknownError:
        effect = yield from poll_for_effect(partial(_find_effect, change))
        if effect:
            return effect
        result, may_be_second = _read_result(change, (yield request)), True
    if result["outcome"] == "applied" or not may_be_second:
        return result
    # the first request may still open a change request; then the newer one of the two is the duplicate
    return {"duplicates": [], **((yield from _find_change_request(change)) or result)}


def _read_result(change: _Change, reply: Reply) -> RuleUpdate:
    """Return the effect of a write; under validation, the reply shows the desired values, but they are not applied."""
    rule = unwrap_first(reply, "rules")
    if "changeRequestId" in rule:
        return _build_result(change.rule_id, "pending", change.fields, rule["changeRequestId"])
    ignored = rule_values.find_differences(rule, change.values)
    if ignored:
        raise reply.error(ServerError, f"reported success, but did not set {', '.join(ignored)}")
    return _build_result(change.rule_id, "applied", change.fields)


def _find_effect(change: _Change) -> Flow[RuleUpdate | None]:
    """Return the effect of a write whose response was lost; None if there is none."""
    if not rule_values.find_differences((yield from get(change.rule_id)), change.values):
        return _build_result(change.rule_id, "applied", change.fields)
    return (yield from _find_change_request(change))


def _find_change_request(change: _Change) -> Flow[RuleUpdate | None]:
    """Return the state of the change request that an earlier attempt opened; None if there is none."""
    own = yield from change_requests.list_own(change.idempotency_key, change.rule_id)
    if not own:
        return None
    effective = own[0]
    if effective["status"] == change_requests.CANCELLED:
        raise ConflictError(f"change request {effective['id']} for rule {change.rule_id} was declined")
    outcome: UpdateOutcome = "applied" if effective["status"] == change_requests.DEPLOYED else "pending"
    result = _build_result(change.rule_id, outcome, change.fields, effective["id"])
    still_open = yield from change_requests.decline_duplicates(own)
    if len(own) > 1:
        result["duplicates"] = still_open
    return result


def _build_result(
    rule_id: str, outcome: UpdateOutcome, changed: list[str], change_request_id: Any = None
) -> RuleUpdate:
    # the reply to a write has the number as text, the change request itself as an integer
    number = None if change_request_id is None else int(change_request_id)
    return {"rule_id": rule_id, "outcome": outcome, "changed": changed, "change_request_id": number}
