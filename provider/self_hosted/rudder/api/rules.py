"""Rules: which directives apply to which nodes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from self_hosted.core.arguments import check_id
from self_hosted.core.http.errors import InvalidRequestError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import describe_changes, get_logger
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.rudder.api import change_requests, rule_values
from self_hosted.rudder.api.ids import check_object_id, check_optional_text
from self_hosted.rudder.api.rule_changes import Change, build_result, describe_outcome, find_change_request, find_effect
from self_hosted.rudder.api.shapes import Rule
from self_hosted.rudder.api.types import RuleUpdate
from self_hosted.rudder.errors import clean_texts, is_empty_success, unwrap_first, unwrap_list

log = get_logger(__name__)

DISABLED = "Disabled"
STATUSES = ("In application", "Partially applied", "Not applied", DISABLED)


def get(rule_id: str) -> Flow[Rule]:
    """Return one rule (``GET /rules/{id}``).

    :param rule_id: its id, not always a UUID
    :return: Rudder's JSON: ``id``, ``displayName``, ``directives``, ``targets``, ``enabled``, ... ``status`` has a
        ``value`` (see `STATUSES`) that follows from the configuration, not from the reports of nodes
    :raises NotFoundError: if there is no such rule, or the account may not see it
    """
    path = url_path("rules", check_object_id("rule_id", rule_id))
    reply = yield Request("GET", path)
    return _clean_status(reply, unwrap_first(reply, "rules", Rule))


def list_all() -> Flow[list[Rule]]:
    """Return all rules except system rules (``GET /rules``); Rudder has no pagination.

    :return: each as `get` returns it
    """
    reply = yield Request("GET", "/rules")
    return [_clean_status(reply, rule) for rule in unwrap_list(reply, "rules", Rule)]


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
    :raises ValueError: for invalid ids, targets and texts
    :raises NotFoundError: if there is no such rule
    :raises InvalidRequestError: if it is a system rule, which only Rudder itself may change
    :raises ConflictError: if the change request was declined
    :raises ServerError: if Rudder reports success but returns other values
    """
    check_optional_text("reason", reason)
    check_optional_text("change_request_name", change_request_name)
    check_optional_text("change_request_description", change_request_description)
    if idempotency_key is not None:
        check_id("idempotency_key", idempotency_key)
    values = rule_values.normalize(values)
    rule = yield from get(rule_id)
    fields = rule_values.find_differences(rule, values)
    if not fields:
        log.info("Rule %s: nothing differs", rule_id)
        return build_result(rule_id, "unchanged", [])
    if rule.get("system"):  # under validation, Rudder would open a change request that nobody can deploy
        raise InvalidRequestError(f"rule {rule_id} is a system rule: only Rudder itself may change it")
    change = Change(rule_id, values, fields, idempotency_key or uuid4().hex)
    earlier = yield from (
        poll_for_effect(partial(find_effect, change, get))
        if previous_attempt_unknown
        else find_change_request(change, get)
    )
    if earlier:
        log.info("Rule %s: found the effect of an earlier try, %s", rule_id, describe_outcome(earlier))
        return earlier
    query = {  # Rudder reads these three from the query only
        "reason": reason,
        "changeRequestName": change_request_name,
        "changeRequestDescription": change_requests.sign_description(
            change_request_description, change.idempotency_key, change.fingerprint
        ),
    }
    result = yield from _write_once(change, query, may_be_second=previous_attempt_unknown)
    changes = describe_changes(rule, {name: values[name] for name in fields})
    log.info("Rule %s: %s; %s", rule_id, changes, describe_outcome(result))
    if change.outdated:
        superseded = yield from change_requests.decline_all(change.outdated, result["change_request_id"])
        result["duplicates"] = [*result.get("duplicates", []), *superseded]
    return result


def find_differences(rule_id: str, values: Mapping[str, Any]) -> Flow[list[str]]:
    """Return the fields of a rule whose values differ from the desired ones (``GET /rules/{id}``).

    :param rule_id: its id
    :param values: see `update`
    """
    return rule_values.find_differences((yield from get(rule_id)), rule_values.normalize(values))


def page_url(base_url: str, rule_id: str) -> str:
    """Return the page of a rule in Rudder's web interface.

    :param base_url: the connection's base URL
    :param rule_id: its id
    """
    return base_url + url_path("secure", "configurationManager", "ruleManagement", "rule", rule_id)


def _clean_status(reply: Reply, rule: Rule) -> Rule:
    status = rule.get("status")
    return {**rule, "status": clean_texts(reply, status, ("value", "details"))} if status else rule


def _write_once(change: Change, query: Mapping[str, Any], *, may_be_second: bool) -> Flow[RuleUpdate]:
    """Send the change; after a lost response, look for its effect before it is sent again."""
    body = {name: change.values[name] for name in change.fields}
    request = Request("POST", url_path("rules", change.rule_id), query=query, json=body)
    try:
        result = yield from _read_result(change, (yield request))
    except OutcomeUnknownError as lost:
        effect = yield from poll_for_effect(partial(find_effect, change, get), lost=lost)
        if effect:
            return effect
        result, may_be_second = (yield from _read_result(change, (yield request))), True
    if result["outcome"] == "applied" or not may_be_second:
        return result
    # the first request may still open a change request; then the newer one of the two is the duplicate
    return {"duplicates": [], **((yield from find_change_request(change, get)) or result)}


def _read_result(change: Change, reply: Reply) -> Flow[RuleUpdate]:
    """Return the effect of a write; under validation, the reply shows the desired values, but they are not applied."""
    if is_empty_success(reply):
        effect = yield from find_effect(change, get)
        if effect is None:
            raise reply.error(ServerError, "reported success, but changed nothing")
        return effect
    rule = unwrap_first(reply, "rules", Rule)
    if "changeRequestId" in rule:
        return build_result(change.rule_id, "pending", change.fields, _read_number(reply, rule))
    ignored = rule_values.find_differences(rule, change.values)
    if ignored:
        raise reply.error(ServerError, f"reported success, but did not set {', '.join(ignored)}")
    return build_result(change.rule_id, "applied", change.fields)


def _read_number(reply: Reply, rule: Rule) -> int:
    """Return the number of the change request that a write opened: text in this reply, elsewhere an integer."""
    try:
        return int(rule["changeRequestId"])
    except ValueError:
        number = rule["changeRequestId"]
        raise reply.malformed(f"unexpected response: changeRequestId: not a number: {number!r}") from None
