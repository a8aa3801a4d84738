"""The waits of Rudder's operators and sensors: how the state of many objects is queried with few requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import cast

from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow
from self_hosted.core.timestamps import read_timestamp
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.rudder.api import change_requests, compliance, nodes, rules
from self_hosted.rudder.api.lookup import look_up
from self_hosted.rudder.api.shapes import ChangeRequest, Compliance, Node, Rule

HOOK = "self_hosted.rudder.hook.RudderHook"
MAX_SEARCHED_NODES = 50  # in one URL
MAX_LISTED_IDS = 5000  # the ids are not sent; each batch reads the list of all objects
STATES_WITHOUT_POLICIES = {"ignored", "empty-policies"}  # agents of nodes in these states do not run


def refresh_change_requests(change_request_ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe change requests.

    :param change_request_ids: their numbers
    """
    found = yield from look_up(
        change_request_ids, change_requests.get, change_requests.list_all, partial(change_requests.list_all, "closed")
    )
    return {number: _observe_change_request(request) for number, request in found.items()}


def refresh_rule_statuses(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the statuses of rules.

    :param keys: texts of `WaitKey`: the rule, and the desired status
    """
    wait_keys = {key: WaitKey.from_text(key) for key in keys}
    found = yield from look_up((key.id for key in wait_keys.values()), rules.get, rules.list_all)
    return {text: _observe_rule_status(found[key.id], *key.condition) for text, key in wait_keys.items()}


def refresh_compliance(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the compliance of rules and nodes.

    :param keys: texts of `WaitKey`: the rule or node, its kind, the threshold in percent, and optionally the time in
        ISO 8601 after which all nodes must have begun a run, so that the compliance is that of the current policies
    """
    wait_keys = {key: WaitKey.from_text(key) for key in keys}
    observed: dict[str, Observation] = {}
    for name in sorted({key.condition[0] for key in wait_keys.values()}):
        kind = cast("compliance.Kind", name)
        of_kind = {text: key for text, key in wait_keys.items() if key.condition[0] == kind}
        ids = {key.id for key in of_kind.values()}
        found = yield from look_up(ids, partial(compliance.get, kind), partial(compliance.list_all, kind))
        disabled = (yield from _find_disabled_rules(ids)) if kind == "rule" else set()
        observed |= {
            text: _observe_compliance(found[key.id], float(key.condition[1]), is_disabled=key.id in disabled)
            for text, key in of_kind.items()
        }
    return (yield from _require_runs(wait_keys, observed))


def refresh_node_runs(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the last runs of nodes' agents.

    :param keys: texts of `WaitKey`: the node, and the time in ISO 8601 after which the run must begin
    """
    found = yield from _fetch_nodes(keys)
    return {key: _observe_run(node, read_timestamp(WaitKey.from_text(key).condition[0])) for key, node in found.items()}


def find_idle_nodes(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why some of the nodes will not run.

    :param keys: as for `refresh_node_runs`
    """
    try:
        found = yield from _fetch_nodes(keys)
    except (PermissionDeniedError, NotFoundError):
        return {}
    reasons = {key: _why_idle(node) for key, node in found.items()}
    return {key: reason for key, reason in reasons.items() if reason}


def _find_disabled_rules(rule_ids: Iterable[str]) -> Flow[set[str]]:
    """Return the rules that are disabled, so that they get no reports; none without the permission to read rules."""
    try:
        found = yield from look_up(rule_ids, rules.get, rules.list_all)
    except PermissionDeniedError:
        return set()
    return {rule_id for rule_id, rule in found.items() if rule and rule.get("enabled") is False}


def _require_runs(
    wait_keys: Mapping[str, WaitKey], observed: Mapping[str, Observation]
) -> Flow[Mapping[str, Observation]]:
    """Return the observations; a compliance is not final before the last run of each node is late enough.

    After a change, Rudder shows the compliance of the old policies until it has generated the new ones.
    """
    unproven = {text: key for text, key in wait_keys.items() if len(key.condition) > 2 and observed[text].details}
    node_ids: dict[str, list[str]] = {}
    for text, key in unproven.items():
        if observed[text].done:
            is_node = key.condition[0] == "node"
            node_ids[text] = [key.id] if is_node else (yield from compliance.list_reporting_nodes(key.id))
    distinct = {node_id for ids in node_ids.values() for node_id in ids}
    found = yield from look_up(distinct, nodes.get, partial(nodes.list_accepted, _as_filter(distinct)))
    result = dict(observed)
    for text, ids in node_ids.items():
        since = read_timestamp(wait_keys[text].condition[2])
        late = [node_id for node_id in ids if not _ran_after(found[node_id], since)]
        if late:
            state = f"{observed[text].state}, but {len(late)} of {len(ids)} nodes did not run after {since.isoformat()}"
            result[text] = replace(observed[text], state=state, done=False)
    return result


def _ran_after(node: Node | None, since: datetime) -> bool:
    """Whether a node began a run after a time; a node that does not exist any more has no old reports."""
    last = nodes.get_last_run(node) if node else None
    return node is None or (last is not None and last > since)


def _as_filter(node_ids: set[str]) -> set[str] | None:
    """Return the ids for a search, or None if they would make its URL too long."""
    return node_ids if len(node_ids) <= MAX_SEARCHED_NODES else None


def _fetch_nodes(keys: Sequence[str]) -> Flow[Mapping[str, Node | None]]:
    """Return the nodes of waits, by the keys of the waits."""
    ids = {key: WaitKey.from_text(key).id for key in keys}
    distinct = set(ids.values())
    found = yield from look_up(
        distinct, nodes.get, partial(nodes.list_accepted, distinct), partial(nodes.list_pending, distinct)
    )
    return {key: found[node_id] for key, node_id in ids.items()}


def _observe_change_request(request: ChangeRequest | None) -> Observation:
    if request is None:
        return MISSING
    return Observation(request["status"], done=not change_requests.is_open(request))


def _observe_rule_status(rule: Rule | None, desired: str) -> Observation:
    if rule is None:
        return MISSING
    status = rule.get("status")
    value, explanation = (status["value"], status.get("details") or "") if status else ("unknown", "")
    # a rule is disabled on purpose, so a wait does not continue until it may be enabled again
    is_done = value in {desired, rules.DISABLED}
    return Observation(value, done=is_done, details={"details": explanation})


def _observe_compliance(found: Compliance | None, threshold: float, *, is_disabled: bool) -> Observation:
    if found is None:
        return MISSING
    if found.get("mode") == compliance.REPORTS_DISABLED:
        return Observation(compliance.REPORTS_DISABLED, done=True)
    if is_disabled:
        return Observation(rules.DISABLED, done=True)
    applying = compliance.get_applying(found)
    return Observation(
        f"{found['compliance']:g} % compliant" + (f", {applying:g} % applying" if applying else ""),
        done=compliance.is_reached(found, threshold),
        details={"compliance": found["compliance"], "details": found["complianceDetails"]},
        progress=100 - applying if applying else None,
    )


def _observe_run(node: Node | None, since: datetime) -> Observation:
    if node is None:
        return MISSING
    last = nodes.get_last_run(node)
    state = f"last run at {last.isoformat()}" if last else "never ran"
    is_done = last is not None and last > since
    return Observation(state, is_done, details={"last_run": last.isoformat() if last else None})


def _why_idle(node: Node | None) -> str | None:
    if node is None:
        return None
    if node["status"] != "accepted":
        return f"the node is {node['status']!r}, not accepted"
    is_idle = node.get("state") in STATES_WITHOUT_POLICIES
    return f"the node's state is {node['state']!r}, so it gets no policies" if is_idle else None


CHANGE_REQUEST = WaitSpec(
    hook_class=HOOK,
    label="change request",
    refresh=refresh_change_requests,
    cancel=None,  # the decision is left to people
    batch_size=MAX_LISTED_IDS,
)

RULE_STATUS = WaitSpec(
    hook_class=HOOK, label="status of rule", refresh=refresh_rule_statuses, batch_size=MAX_LISTED_IDS
)

COMPLIANCE = WaitSpec(hook_class=HOOK, label="compliance of", refresh=refresh_compliance, batch_size=MAX_LISTED_IDS)

NODE_RUN = WaitSpec(
    hook_class=HOOK,
    label="run of node",
    refresh=refresh_node_runs,
    stall_reasons=find_idle_nodes,
    stall_after=1800,  # by default, agents run every five minutes
)
