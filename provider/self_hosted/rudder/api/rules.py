"""Rules: which directives apply to which nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from self_hosted.core.errors import Broken, Conflict, Uncertain
from self_hosted.core.flow import Flow, Reply, Request, url_path
from self_hosted.core.lost_answers import looked_for
from self_hosted.rudder.api.answers import first, unwrapped
from self_hosted.rudder.api.change_requests import (
    CANCELLED,
    DEPLOYED,
    decline_duplicates,
    described,
    own_change_requests,
)
from self_hosted.rudder.api.targets import normalised

DISABLED = "Disabled"
STATUSES = ("In application", "Partially applied", "Not applied", DISABLED)


def rules() -> Flow[list[dict[str, Any]]]:
    """All rules but the system's (``GET /rules``); Rudder has no pages."""
    found: list[dict[str, Any]] = unwrapped((yield Request("GET", "/rules")), "rules")
    return found


def rule(rule_id: str) -> Flow[dict[str, Any]]:
    """One rule (``GET /rules/{id}``).

    :param rule_id: its id, not always a UUID
    :return: the rule as Rudder shows it: ``id``, ``displayName``, ``directives``, ``targets``, ``enabled``, ...;
        ``status`` has a ``value`` (see `STATUSES`) that follows from what is configured, not from what nodes report
    :raises NotFound: when there is no such rule, or the account may not see it
    """
    return first((yield Request("GET", url_path("rules", rule_id))), "rules")


def update_rule(
    rule_id: str,
    wanted: Mapping[str, Any],
    *,
    reason: str | None = None,
    change_request_name: str | None = None,
    change_request_description: str | None = None,
    mark: str | None = None,
    interrupted: bool = False,
) -> Flow[dict[str, Any]]:
    """Give a rule the wanted values, once, whatever happens on the way (``POST /rules/{id}``).

    Only what differs is sent, and nothing when nothing does. A lost answer is looked up in Rudder.

    :param rule_id: its id
    :param wanted: any of ``displayName``, ``categoryId``, ``shortDescription``, ``longDescription``, ``directives``,
        ``targets``, ``enabled`` and ``tags``, in Rudder's own form
    :param reason: kept in Rudder's event log
    :param change_request_name: what a change request is called, where changes need validation
    :param change_request_description: its description
    :param mark: words that stand for this piece of work, the same when it is tried again, to recognise a change request
        that was opened before
    :param interrupted: whether an earlier write with this mark may be under way still, its client being gone: its
        effect is then looked for as after a lost answer
    :return: ``{"rule_id": ..., "outcome": "applied" | "unchanged" | "pending", "changed": [field, ...],
        "change_request_id": int | None}``; and, only when a lost answer made it necessary to ask twice,
        ``"duplicates": [numbers of further change requests that stay open, since the account may not decline them]``
    :raises NotFound: when there is no such rule
    :raises Conflict: when the change request was declined
    :raises Broken: when Rudder answers success but shows other values
    """
    wanted = _in_rudders_form(wanted)
    mark = mark or uuid4().hex
    changed = _differing((yield from rule(rule_id)), wanted)
    if not changed:
        return _update(rule_id, "unchanged", [])
    look = partial(_effect, rule_id, wanted, changed, mark)
    earlier = yield from (looked_for(look) if interrupted else _requested_before(rule_id, changed, mark))
    if earlier:
        return earlier
    query = {  # from where alone Rudder reads these three
        "reason": reason,
        "changeRequestName": change_request_name,
        "changeRequestDescription": described(change_request_description, mark),
    }
    write = Request("POST", url_path("rules", rule_id), query=query, json={name: wanted[name] for name in changed})
    try:
        answered, sent_twice = _answered((yield write), rule_id, wanted, changed), interrupted
    except Uncertain:
        effect = yield from looked_for(look)
        if effect:
            return effect
        answered, sent_twice = _answered((yield write), rule_id, wanted, changed), True
    if answered["outcome"] == "applied" or not sent_twice:
        return answered
    # the first may open a change request yet, and the younger of two is the one too many
    return {"duplicates": [], **((yield from _requested_before(rule_id, changed, mark)) or answered)}


def status_key(rule_id: str, status: str) -> str:
    """What stands for a status of a rule that is waited for; `status_of` reads it.

    :param rule_id: the rule
    :param status: one of `STATUSES`
    """
    return f"{rule_id}/{status}"


def status_of(key: str) -> tuple[str, str]:
    """Rule and status, from what `status_key` made."""
    rule_id, _, status = key.rpartition("/")
    return rule_id, status


def rule_page(base_url: str, rule_id: str) -> str:
    """Where Rudder's web interface shows a rule.

    :param base_url: the connection's base URL
    :param rule_id: the rule's id
    """
    return base_url + url_path("secure", "configurationManager", "ruleManagement", "rule", rule_id)


def _answered(reply: Reply, rule_id: str, wanted: Mapping[str, Any], changed: list[str]) -> dict[str, Any]:
    """What a write did, by its answer: under validation it shows the wanted values, but has not applied them."""
    shown = first(reply, "rules")
    if "changeRequestId" in shown:
        return _update(rule_id, "pending", changed, shown["changeRequestId"])
    ignored = _differing(shown, wanted)
    if ignored:
        raise reply.error(Broken, f"answered success, but did not set {', '.join(ignored)} as asked")
    return _update(rule_id, "applied", changed)


def _effect(rule_id: str, wanted: Mapping[str, Any], changed: list[str], mark: str) -> Flow[dict[str, Any] | None]:
    """What a write did whose answer was lost; None when it did nothing."""
    if not _differing((yield from rule(rule_id)), wanted):
        return _update(rule_id, "applied", changed)
    return (yield from _requested_before(rule_id, changed, mark))


def _requested_before(rule_id: str, changed: list[str], mark: str) -> Flow[dict[str, Any] | None]:
    """What became of the change request that this piece of work opened before, if it did."""
    requests = yield from own_change_requests(mark, rule_id)
    if not requests:
        return None
    own = requests[0]
    if own["status"] == CANCELLED:
        raise Conflict(f"change request {own['id']} for rule {rule_id} was declined")
    outcome = "applied" if own["status"] == DEPLOYED else "pending"
    left = yield from decline_duplicates(requests)
    return {**_update(rule_id, outcome, changed, own["id"]), **({"duplicates": left} if len(requests) > 1 else {})}


def _update(rule_id: str, outcome: str, changed: list[str], change_request_id: Any = None) -> dict[str, Any]:
    # a write names the change request in a string, the change request itself in a number
    number = None if change_request_id is None else int(change_request_id)
    return {"rule_id": rule_id, "outcome": outcome, "changed": changed, "change_request_id": number}


def _in_rudders_form(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {**wanted, "targets": [normalised(wanted["targets"])]} if "targets" in wanted else dict(wanted)


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [name for name, value in wanted.items() if _comparable(name, found.get(name)) != _comparable(name, value)]


def _comparable(name: str, value: Any) -> Any:
    """A value in a form that is equal when it means the same to Rudder."""
    meaning = _MEANINGS.get(name)
    return meaning(value) if meaning and value is not None else value


def _targets(targets: list[Any]) -> Any:
    try:
        return normalised(targets)
    except ValueError:  # a form that only older servers wrote equals nothing that is wanted
        return targets


def _tags(tags: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(name, str(value)) for tag in tags for name, value in tag.items()}


_MEANINGS: dict[str, Callable[[Any], Any]] = {"directives": set, "targets": _targets, "tags": _tags}
