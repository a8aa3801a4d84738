"""Tests of rudder/waits.py: observations, and the few requests that they need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from self_hosted.core.http.errors import NotFoundError, PermanentError, PermissionDeniedError, WaitTimeoutError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.wait.loop import poll
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.trigger import WaitTrigger
from self_hosted.rudder import waits
from self_hosted.rudder.api import rules
from self_hosted.rudder.api.lookup import MAX_SINGLE_READS
from self_hosted.rudder.errors import NotOfferedError
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.waits import CHANGE_REQUEST, NODE_RUN, RULE_STATUS
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import FILE_SERVER, PENDING_NODE, success
from tests.rudder.flows import finish, finish_with_error, first_request, next_request
from tests.rudder.wait_cases import (
    CASES,
    add_change_request,
    add_node,
    add_rule,
    run_key,
    status_key,
)

every_spec = pytest.mark.parametrize("name", CASES)


@pytest.fixture(autouse=True)
def _validation(served: Served) -> None:
    served.seed({"validation": True})


def wait_spec(name: str) -> WaitSpec:
    return getattr(waits, name)  # type: ignore[no-any-return]


def count_requests(served: Served) -> int:
    return requests.get(f"{served.url}/_control/counts", timeout=60).json()["requests"].get("rudder", 0)  # type: ignore[no-any-return]


def request_paths(flow: Flow[Any], responses: list[Any]) -> list[str]:
    """Return the paths of a flow's requests, given its responses."""
    step, paths = next(flow), []
    for response in responses:
        assert isinstance(step, Request)
        paths.append(step.path)
        try:
            step = flow.send(success(step, response))
        except StopIteration:
            return paths
    raise AssertionError(f"the flow continues with {step}")


# All wait specs


@every_spec
def test_without_keys_nothing_is_requested(served: Served, hook: RudderHook, name: str) -> None:
    before = count_requests(served)
    assert hook.run(wait_spec(name).refresh([])) == {}
    assert count_requests(served) == before


@every_spec
def test_many_finished_objects_need_at_most_two_requests(served: Served, hook: RudderHook, name: str) -> None:
    keys = [CASES[name].finished(served) for _ in range(MAX_SINGLE_READS + 2)]
    before = count_requests(served)
    observations = hook.run(wait_spec(name).refresh(keys))
    assert set(observations) == set(keys)
    assert all(found.done and found != MISSING for found in observations.values())
    assert count_requests(served) - before <= 2


@every_spec
def test_many_unfinished_objects_need_one_request_for_each_list(served: Served, hook: RudderHook, name: str) -> None:
    lists = 2 if name == "COMPLIANCE" else 1  # the other one shows which rules are disabled
    keys = [CASES[name].running(served) for _ in range(MAX_SINGLE_READS + 2)]
    before = count_requests(served)
    observations = hook.run(wait_spec(name).refresh(keys))
    assert [observations[key].done for key in keys] == [False] * len(keys)
    assert count_requests(served) - before == lists


@every_spec
@pytest.mark.parametrize("others", [0, 1, MAX_SINGLE_READS])
def test_a_missing_object_does_not_affect_others(served: Served, hook: RudderHook, name: str, others: int) -> None:
    keys = [CASES[name].finished(served) for _ in range(others)]
    observations = hook.run(wait_spec(name).refresh([*keys, CASES[name].unknown]))
    assert observations[CASES[name].unknown] == MISSING
    assert [observations[key].done and observations[key] != MISSING for key in keys] == [True] * others


@every_spec
def test_an_object_that_is_deleted_during_the_wait_is_not_found(served: Served, hook: RudderHook, name: str) -> None:
    key = CASES[name].running(served)
    pending = PendingWait(key, time.time() + 30, poll_interval=0.02)
    pending.update(hook.run(wait_spec(name).refresh([key])).get(key))
    state = served.product.state  # type: ignore[attr-defined]
    for objects in (state.requests, state.rules, state.nodes):
        objects.clear()
    hook.run(poll(wait_spec(name), {pending}))
    with pytest.raises(NotFoundError, match="does not exist"):
        pending.outcome(wait_spec(name))


@every_spec
def test_an_object_is_observed_alike_alone_and_among_others(served: Served, hook: RudderHook, name: str) -> None:
    keys = [CASES[name].finished(served), CASES[name].running(served), CASES[name].unknown]
    together = hook.run(wait_spec(name).refresh(keys))
    for key in keys:
        alone = hook.run(wait_spec(name).refresh([key]))[key]
        assert (alone.done, alone == MISSING) == (together[key].done, together[key] == MISSING)


@pytest.mark.parametrize("name", ["RULE_STATUS", "COMPLIANCE", "NODE_RUN"])
def test_a_missing_permission_ends_the_wait(served: Served, hook_as: Callable[..., RudderHook], name: str) -> None:
    with pytest.raises(PermissionDeniedError):
        hook_as(password=TOKENS["access-list"]).run(wait_spec(name).refresh([CASES[name].running(served)]))


# Change requests


def test_one_change_request_needs_one_request() -> None:
    responses = [{"changeRequests": [{"id": 7, "status": "Deployed"}]}]
    assert request_paths(CHANGE_REQUEST.refresh(["7"]), responses) == ["/changeRequests/7"]


def test_a_few_change_requests_that_left_the_list_are_read_one_by_one() -> None:
    responses = [[{"id": 1, "status": "Pending validation"}], {"changeRequests": [{"id": 2, "status": "Cancelled"}]}]
    expected = ["/changeRequests", "/changeRequests/2"]
    assert request_paths(CHANGE_REQUEST.refresh(["1", "2"]), responses) == expected


def test_many_change_requests_that_left_the_list_are_read_from_the_list_of_closed_ones() -> None:
    numbers = [str(number) for number in range(MAX_SINGLE_READS + 1)]
    flow = CHANGE_REQUEST.refresh(numbers)
    first = first_request(flow)
    second = next_request(flow, first, [])
    assert (first.query["status"], second.query["status"]) == ("open", "closed")
    observations = finish(flow, second, [{"id": int(number), "status": "Deployed"} for number in numbers])
    assert all(found.done for found in observations.values())


def test_deployed_and_cancelled_change_requests_are_done(served: Served, hook: RudderHook) -> None:
    statuses = (None, "Pending deployment", "Deployed", "Cancelled")
    ids = [add_change_request(served, status) for status in statuses]
    observations = hook.run(CHANGE_REQUEST.refresh(ids))
    assert [observations[number] for number in ids] == [
        Observation("Pending validation", done=False),
        Observation("Pending deployment", done=False),
        Observation("Deployed", done=True),
        Observation("Cancelled", done=True),
    ]


def test_an_invalid_number_does_not_affect_others(served: Served, hook: RudderHook) -> None:
    keys = ("aaa", CASES["CHANGE_REQUEST"].finished(served))
    invalid, valid = [PendingWait(key, time.time() + 30, 0.02) for key in keys]
    hook.run(poll(CHANGE_REQUEST, {invalid, valid}))
    with pytest.raises(PermanentError, match="must be the number of a change request"):
        invalid.outcome(CHANGE_REQUEST)
    assert valid.outcome(CHANGE_REQUEST).state == "Deployed"


@pytest.mark.parametrize("seed", [{"plugin": False}, {"validation": False}])
@pytest.mark.parametrize("ids", [["1"], ["1", "2"]])
def test_no_change_request_is_missing_on_a_server_without_change_requests(
    served: Served, hook: RudderHook, seed: dict[str, Any], ids: list[str]
) -> None:
    served.seed(seed)
    with pytest.raises(NotOfferedError):
        hook.run(CHANGE_REQUEST.refresh(ids))


def test_each_of_several_waiting_tasks_gets_its_own_outcome(served: Served, hook: RudderHook) -> None:
    ids = [add_change_request(served, status) for status in ("Deployed", "Cancelled", "Deployed")]

    async def state_of(number: str) -> Any:
        now = time.time()
        path = "self_hosted.rudder.waits.CHANGE_REQUEST"
        trigger = WaitTrigger(
            wait_spec=path, conn_id=hook.conn_id, keys=[number], since=now, deadline=now + 30, poll_interval=0.02
        )
        return (await anext(trigger.run())).payload["outcomes"][number]["observation"]["state"]

    async def all_states() -> list[Any]:
        return await asyncio.gather(*map(state_of, ids))

    assert asyncio.run(all_states()) == ["Deployed", "Cancelled", "Deployed"]


def test_a_wait_does_not_cancel_a_change_request() -> None:
    assert CHANGE_REQUEST.cancel is None


# Rules


@pytest.mark.parametrize(
    ("fields", "status", "details"),
    [
        ({}, "In application", ""),
        ({"directives": ["off"]}, "Not applied", "Directive 'off' disabled"),
        ({"directives": ["ntp", "off"]}, "Partially applied", "Directive 'off' disabled"),
        ({"enabled": False}, "Disabled", "This rule is disabled. "),
    ],
)
def test_the_status_of_a_rule_is_observed_with_rudders_details(
    served: Served, hook: RudderHook, fields: dict[str, Any], status: str, details: str
) -> None:
    keys = [status_key(add_rule(served, **fields), desired) for desired in rules.STATUSES]
    observations = hook.run(RULE_STATUS.refresh(keys))
    assert {found.state for found in observations.values()} == {status}
    assert {found.details["details"] for found in observations.values()} == {details}
    desired_or_disabled = [desired == status or status == "Disabled" for desired in rules.STATUSES]
    assert [observations[key].done for key in keys] == desired_or_disabled


def test_a_system_rule_is_observed_although_no_list_contains_it(served: Served, hook: RudderHook) -> None:
    key = status_key(add_rule(served, system=True))
    assert hook.run(RULE_STATUS.refresh([key, CASES["RULE_STATUS"].finished(served)]))[key].done


def test_a_rule_without_a_status_is_waited_for() -> None:
    flow = RULE_STATUS.refresh([status_key("r1")])
    observations = finish(flow, first_request(flow), {"rules": [{"id": "r1"}]})
    assert observations == {status_key("r1"): Observation("unknown", done=False, details={"details": ""})}


# Runs of nodes


def test_only_a_later_run_ends_the_wait(served: Served, hook: RudderHook) -> None:
    node_id = add_node(served, first_run=-60)
    began = datetime.now(UTC) - timedelta(seconds=60)
    earlier, later = (run_key(node_id, began + timedelta(seconds=shift)) for shift in (-30, 30))
    observations = hook.run(NODE_RUN.refresh([earlier, later]))
    assert (observations[earlier].done, observations[later].done) == (True, False)


def test_the_last_of_several_runs_counts(served: Served, hook: RudderHook) -> None:
    ids = [add_node(served, first_run=-3000, run_interval=interval) for interval in (0, 300)]
    keys = [run_key(node_id, datetime.now(UTC) - timedelta(seconds=600)) for node_id in ids]
    observations = hook.run(NODE_RUN.refresh(keys))
    assert [observations[key].done for key in keys] == [False, True]


def test_policy_servers_are_observed(served: Served, hook: RudderHook) -> None:
    keys = [run_key(node_id) for node_id in ("root", FILE_SERVER)]
    observations = hook.run(NODE_RUN.refresh(keys))
    assert [observations[key].done for key in keys] == [True, True]


def test_a_pending_node_is_waited_for(served: Served, hook: RudderHook) -> None:
    key = run_key(PENDING_NODE)
    observation = Observation("never ran", done=False, details={"last_run": None})
    assert hook.run(NODE_RUN.refresh([key]))[key] == observation


def test_nodes_that_will_not_run_are_found_with_the_reason(served: Served, hook: RudderHook) -> None:
    ids = [add_node(served, state=state) for state in ("enabled", "ignored", "empty-policies")]
    keys = [run_key(node_id) for node_id in (*ids, PENDING_NODE, "unknown")]
    assert hook.run(waits.find_idle_nodes(keys)) == {
        keys[1]: "the node's state is 'ignored', so it gets no policies",
        keys[2]: "the node's state is 'empty-policies', so it gets no policies",
        keys[3]: "the node is 'pending', not accepted",
    }


@pytest.mark.parametrize("error", [PermissionDeniedError("not allowed"), NotOfferedError("no such address")])
def test_a_wait_continues_without_the_permission_to_look_for_reasons(error: Exception) -> None:
    flow = waits.find_idle_nodes([run_key("n1")])
    next(flow)
    assert finish_with_error(flow, error) == {}


def test_the_wait_for_a_node_that_will_not_run_ends_early(served: Served, hook: RudderHook) -> None:
    node_id = add_node(served, state="ignored")
    pending = PendingWait(run_key(node_id), time.time() + 30, poll_interval=0.02)
    impatient = NODE_RUN._replace(stall_after=0)
    hook.run(poll(impatient, {pending}))
    message = f"so it gets no policies: gave up .* waiting for run of node {node_id}: its last state is 'never ran'"
    with pytest.raises(WaitTimeoutError, match=message):
        pending.outcome(impatient)
