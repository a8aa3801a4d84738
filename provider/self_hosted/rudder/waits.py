"""The waits of Rudder's operators and sensors: how the state of many objects is queried with few requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

from self_hosted.core.arguments import read_timestamp
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.rudder.api import change_requests, compliance, nodes, rules
from self_hosted.rudder.errors import NotOfferedError

HOOK = "self_hosted.rudder.hook.RudderHook"
MAX_SINGLE_READS = 5  # objects that a list left out are read one by one, up to so many, before a longer list is read
STATES_WITHOUT_POLICIES = {"ignored", "empty-policies"}  # agents of nodes in these states do not run

Found = Mapping[str, Any]


def refresh_change_requests(change_request_ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe change requests.

    :param change_request_ids: their numbers
    """
    found = yield from _fetch(
        change_request_ids, change_requests.get, change_requests.list_all, partial(change_requests.list_all, "closed")
    )
    return {number: _observe_change_request(request) for number, request in found.items()}


def refresh_rule_statuses(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the statuses of rules.

    :param keys: texts of `WaitKey`: the rule, and the desired status
    """
    wait_keys = {key: WaitKey.from_text(key) for key in keys}
    found = yield from _fetch((key.id for key in wait_keys.values()), rules.get, rules.list_all)
    return {text: _observe_rule_status(found[key.id], *key.condition) for text, key in wait_keys.items()}


def refresh_compliance(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the compliance of rules and nodes.

    :param keys: texts of `WaitKey`: the rule or node, its kind, and the threshold in percent
    """
    wait_keys = {key: WaitKey.from_text(key) for key in keys}
    found = {}
    for name in sorted({key.condition[0] for key in wait_keys.values()}):
        kind = cast("compliance.Kind", name)
        ids = (key.id for key in wait_keys.values() if key.condition[0] == kind)
        found[name] = yield from _fetch(ids, partial(compliance.get, kind), partial(compliance.list_all, kind))
    return {
        text: _observe_compliance(found[key.condition[0]][key.id], float(key.condition[1]))
        for text, key in wait_keys.items()
    }


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


def _fetch(
    ids: Iterable[str], get: Callable[[str], Flow[Found]], *lists: Callable[[], Flow[Sequence[Found]]]
) -> Flow[Mapping[str, Found | None]]:
    """Return objects by id, None for missing ones: many from lists, and those that no list contains one by one.

    :param ids: their ids
    :param get: returns the flow that reads one
    :param lists: return the flows that list them: the first is read for more than one object, each further one for more
        than `MAX_SINGLE_READS` that are still missing
    """
    found: dict[str, Found | None] = {}
    required, max_single_reads = set(ids), 1
    for list_all in lists:
        if len(required - set(found)) > max_single_reads:
            found.update({str(item["id"]): item for item in (yield from list_all())})
        max_single_reads = MAX_SINGLE_READS
    for object_id in sorted(required - set(found)):
        try:
            found[object_id] = yield from get(object_id)
        except NotOfferedError:
            raise
        except NotFoundError:
            found[object_id] = None
    return {object_id: found[object_id] for object_id in required}


def _fetch_nodes(keys: Sequence[str]) -> Flow[Mapping[str, Found | None]]:
    """Return the nodes of waits, by the keys of the waits."""
    ids = {key: WaitKey.from_text(key).id for key in keys}
    distinct = set(ids.values())
    found = yield from _fetch(
        distinct, nodes.get, partial(nodes.list_accepted, distinct), partial(nodes.list_pending, distinct)
    )
    return {key: found[node_id] for key, node_id in ids.items()}


def _observe_change_request(request: Found | None) -> Observation:
    if request is None:
        return MISSING
    is_decided = request["status"] in {change_requests.DEPLOYED, change_requests.CANCELLED}
    return Observation(request["status"], done=is_decided)


def _observe_rule_status(rule: Found | None, desired: str) -> Observation:
    if rule is None:
        return MISSING
    status = rule.get("status", {})
    value = status.get("value", "unknown")
    # a rule is disabled on purpose, so a wait does not continue until it may be enabled again
    is_done = value in {desired, rules.DISABLED}
    return Observation(value, done=is_done, details={"details": status.get("details", "")})


def _observe_compliance(found: Found | None, threshold: float) -> Observation:
    if found is None:
        return MISSING
    if found["mode"] == compliance.REPORTS_DISABLED:
        return Observation(compliance.REPORTS_DISABLED, done=True)
    applying = compliance.get_applying(found)
    return Observation(
        f"{found['compliance']:g} % compliant" + (f", {applying:g} % applying" if applying else ""),
        done=compliance.is_reached(found, threshold),
        details={"compliance": found["compliance"], "details": found["complianceDetails"]},
        progress=100 - applying if applying else None,
    )


def _observe_run(node: Found | None, since: datetime) -> Observation:
    if node is None:
        return MISSING
    last = nodes.get_last_run(node)
    state = f"last run at {last.isoformat()}" if last else "never ran"
    is_done = last is not None and last > since
    return Observation(state, is_done, details={"last_run": last.isoformat() if last else None})


def _why_idle(node: Found | None) -> str | None:
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
    batch_size=1000,  # the ids are not sent
)

RULE_STATUS = WaitSpec(hook_class=HOOK, label="status of rule", refresh=refresh_rule_statuses, batch_size=1000)

COMPLIANCE = WaitSpec(hook_class=HOOK, label="compliance of", refresh=refresh_compliance, batch_size=1000)

NODE_RUN = WaitSpec(
    hook_class=HOOK,
    label="run of node",
    refresh=refresh_node_runs,
    stall_reasons=find_idle_nodes,
    stall_after=1800,  # by default, agents run every five minutes
)
