"""What Rudder is asked while tasks wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow
from self_hosted.core.question import GONE, Question, Seen
from self_hosted.rudder import api

HOOK = "self_hosted.rudder.hook.RudderHook"
HANDFUL = 5  # so many are looked at one by one, before all that ever were are listed
LAZY = {"ignored", "empty-policies"}  # states of nodes that get no policies

Found = Mapping[str, Any]


def decisions(change_request_ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """What is to be seen of change requests.

    :param change_request_ids: their numbers
    """
    found = yield from _found(
        change_request_ids, api.change_request, api.change_requests, partial(api.change_requests, "closed")
    )
    return {number: _decision(request) for number, request in found.items()}


def rule_statuses(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Whether rules have the status that is wanted of each.

    :param keys: see `api.status_key`
    """
    wanted = {key: api.status_of(key) for key in keys}
    found = yield from _found((rule_id for rule_id, _ in wanted.values()), api.rule, api.rules)
    return {key: _rule_status(found[rule_id], status) for key, (rule_id, status) in wanted.items()}


def compliances(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Whether the compliance of rules and nodes is as much as wanted of each.

    :param keys: see `api.compliance_key`
    """
    wanted = {key: api.compliance_of(key) for key in keys}
    found = {}
    for kind in sorted({kind for kind, _, _ in wanted.values()}):
        ids = (thing_id for its_kind, thing_id, _ in wanted.values() if its_kind == kind)
        found[kind] = yield from _found(ids, partial(api.compliance, kind), partial(api.compliances, kind))
    return {key: _compliance(found[kind][thing_id], limit) for key, (kind, thing_id, limit) in wanted.items()}


def node_runs(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Whether the agents of nodes have run since the moment that is given for each.

    :param keys: see `api.run_key`
    """
    found = yield from _nodes_of(keys)
    return {key: _run(node, api.run_of(key)[1]) for key, node in found.items()}


def idle_nodes(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Which of the nodes will not run, and why.

    :param keys: see `api.run_key`
    """
    try:
        found = yield from _nodes_of(keys)
    except (Forbidden, NotFound):
        return {}
    reasons = {key: _why_idle(node) for key, node in found.items()}
    return {key: reason for key, reason in reasons.items() if reason}


def _found(
    ids: Iterable[str], one: Callable[[str], Flow[Found]], *lists: Callable[[], Flow[Sequence[Found]]]
) -> Flow[Mapping[str, Found | None]]:
    """Things by their ids, None for those that are not there: many by lists, and those in none of them alone.

    :param ids: their ids
    :param one: a flow that gets one
    :param lists: flows that list them: the first is asked for more than one, each further for what is still missing
    """
    found: dict[str, Found | None] = {}
    wanted, few = set(ids), 1
    for listed in lists:
        if len(wanted - set(found)) > few:
            found.update({str(thing["id"]): thing for thing in (yield from listed())})
        few = HANDFUL
    for thing_id in sorted(wanted - set(found)):
        try:
            found[thing_id] = yield from one(thing_id)
        except api.NotOffered:
            raise
        except NotFound:
            found[thing_id] = None
    return {thing_id: found[thing_id] for thing_id in wanted}


def _nodes_of(keys: Sequence[str]) -> Flow[Mapping[str, Found | None]]:
    """The nodes whose runs are waited for, by the keys of the waits."""
    ids = {key: api.run_of(key)[0] for key in keys}
    wanted = set(ids.values())
    found = yield from _found(wanted, api.node, partial(api.nodes, wanted), partial(api.pending_nodes, wanted))
    return {key: found[node_id] for key, node_id in ids.items()}


def _decision(request: Found | None) -> Seen:
    if request is None:
        return GONE
    return Seen(request["status"], done=request["status"] in {api.DEPLOYED, api.CANCELLED})


def _rule_status(rule: Found | None, wanted: str) -> Seen:
    if rule is None:
        return GONE
    told = rule.get("status", {})
    status = told.get("value", "not told")
    # who disabled it did so on purpose, and it is not for this wait to see whether they change their minds
    return Seen(status, done=status in {wanted, api.DISABLED}, facts={"details": told.get("details", "")})


def _compliance(found: Found | None, threshold: float) -> Seen:
    if found is None:
        return GONE
    if found["mode"] == api.REPORTS_DISABLED:
        return Seen(api.REPORTS_DISABLED, done=True)
    applying, facts = api.applying(found), {"compliance": found["compliance"], "details": found["complianceDetails"]}
    return Seen(
        f"{found['compliance']:g} % compliant" + (f", {applying:g} % applying" if applying else ""),
        done=api.reached(found, threshold),
        facts=facts,
        progress=100 - applying if applying else None,
    )


def _run(node: Found | None, since: datetime) -> Seen:
    if node is None:
        return GONE
    last = api.last_run(node)
    state = f"last run at {last.isoformat()}" if last else "never ran"
    done = last is not None and last > since
    return Seen(state, done, facts={"last_run": last.isoformat() if last else None})


def _why_idle(node: Found | None) -> str | None:
    if node is None:
        return None
    if node["status"] != "accepted":
        return f"the node is {node['status']!r}, not accepted"
    return f"the node's state is {node['state']!r}, so it gets no policies" if node.get("state") in LAZY else None


CHANGE_REQUEST = Question(
    hook=HOOK,
    thing="change request",
    ask=decisions,
    cancel=None,  # people decide about it, not the task that asked for it
    chunk=1000,  # the ids are not sent
)

RULE_STATUS = Question(hook=HOOK, thing="status of rule", ask=rule_statuses, chunk=1000)

COMPLIANCE = Question(hook=HOOK, thing="compliance of", ask=compliances, chunk=1000)

NODE_RUN = Question(
    hook=HOOK,
    thing="run of node",
    ask=node_runs,
    stalled=idle_nodes,
    patience=1800,  # agents run every five minutes, unless told otherwise
)
