"""Tests of rudder/triggers.py: what is asked while tasks wait, and how little of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from self_hosted.core.errors import Final, Forbidden, NotFound
from self_hosted.core.flow import Flow, Request
from self_hosted.core.question import GONE, Question, Seen, imported
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.wait import Waiter, poll
from self_hosted.rudder import api, triggers
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.triggers import CHANGE_REQUEST, COMPLIANCE, HANDFUL, NODE_RUN, RULE_STATUS
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, success
from tests.rudder.questions import CASES, HOUR_AGO, change_request, node, reported, rule

every_question = pytest.mark.parametrize("name", CASES)


@pytest.fixture(autouse=True)
def _offered(served: Served) -> None:
    served.seed({"validation": True})


def question(name: str) -> Question:
    return imported(f"self_hosted.rudder.triggers.{name}")  # type: ignore[no-any-return]


def paths(flow: Flow[Any], answers: list[Any]) -> list[str]:
    """The addresses that a flow asks, without their queries, given the answers."""
    step, asked = next(flow), []
    for answer in answers:
        assert isinstance(step, Request)
        asked.append(step.path)
        try:
            step = flow.send(success(step, answer))
        except StopIteration:
            return asked
    raise AssertionError(f"it asks on: {step}")


def asked_by(served: Served) -> int:
    return requests.get(f"{served.url}/_control/counts", timeout=10).json()["requests"].get("rudder", 0)  # type: ignore[no-any-return]


# All questions


@every_question
def test_for_nothing_nothing_is_asked(served: Served, hook: RudderHook, name: str) -> None:
    before = asked_by(served)
    assert hook.run(question(name).ask([])) == {}
    assert asked_by(served) == before


@every_question
def test_many_that_are_done_are_told_by_one_or_two_requests(served: Served, hook: RudderHook, name: str) -> None:
    keys = [CASES[name].finished(served) for _ in range(HANDFUL + 2)]
    before = asked_by(served)
    seen = hook.run(question(name).ask(keys))
    assert set(seen) == set(keys)
    assert all(one.done and one != GONE for one in seen.values())
    assert asked_by(served) - before <= 2


@every_question
def test_many_that_are_not_done_are_told_by_one_request(served: Served, hook: RudderHook, name: str) -> None:
    keys = [CASES[name].running(served) for _ in range(HANDFUL + 2)]
    before = asked_by(served)
    seen = hook.run(question(name).ask(keys))
    assert [seen[key].done for key in keys] == [False] * len(keys)
    assert asked_by(served) - before == 1


@every_question
@pytest.mark.parametrize("others", [0, 1, HANDFUL])
def test_what_is_not_there_is_gone_and_disturbs_no_other(
    served: Served, hook: RudderHook, name: str, others: int
) -> None:
    keys = [CASES[name].finished(served) for _ in range(others)]
    seen = hook.run(question(name).ask([*keys, CASES[name].unknown]))
    assert seen[CASES[name].unknown] == GONE
    assert [seen[key].done and seen[key] != GONE for key in keys] == [True] * others


@every_question
def test_what_goes_while_it_is_waited_for_is_not_found(served: Served, hook: RudderHook, name: str) -> None:
    key = CASES[name].running(served)
    waiter = Waiter(key, time.time() + 30, poll_interval=0.02)
    waiter.note(hook.run(question(name).ask([key])).get(key))
    state = served.product.state  # type: ignore[attr-defined]
    for things in (state.requests, state.rules, state.nodes):
        things.clear()
    hook.run(poll(question(name), {waiter}))
    with pytest.raises(NotFound, match="is not there, or not any more"):
        waiter.outcome(question(name))


@every_question
def test_the_answer_is_one_whichever_way_it_is_asked(served: Served, hook: RudderHook, name: str) -> None:
    keys = [CASES[name].finished(served), CASES[name].running(served), CASES[name].unknown]
    together = hook.run(question(name).ask(keys))
    for key in keys:
        alone = hook.run(question(name).ask([key]))[key]
        assert (alone.done, alone == GONE) == (together[key].done, together[key] == GONE)


@pytest.mark.parametrize("name", ["RULE_STATUS", "COMPLIANCE", "NODE_RUN"])
def test_a_missing_right_ends_the_wait(served: Served, hook_as: Callable[..., RudderHook], name: str) -> None:
    with pytest.raises(Forbidden):
        hook_as(password=TOKENS["access-list"]).run(question(name).ask([CASES[name].running(served)]))


# Change requests


def test_one_change_request_costs_one_request() -> None:
    assert paths(CHANGE_REQUEST.ask(["7"]), [{"changeRequests": [{"status": "Deployed"}]}]) == ["/changeRequests/7"]


def test_a_few_that_left_the_list_are_looked_at_alone() -> None:
    answers = [[{"id": 1, "status": "Pending validation"}], {"changeRequests": [{"status": "Cancelled"}]}]
    assert paths(CHANGE_REQUEST.ask(["1", "2"]), answers) == ["/changeRequests", "/changeRequests/2"]


def test_many_that_left_the_list_are_found_in_that_of_the_closed() -> None:
    numbers = [str(number) for number in range(HANDFUL + 1)]
    closed = [{"id": int(number), "status": "Deployed"} for number in numbers]
    flow = CHANGE_REQUEST.ask(numbers)
    first: Any = next(flow)
    second: Any = flow.send(success(first, []))
    assert (first.query["status"], second.query["status"]) == ("open", "closed")
    with pytest.raises(StopIteration) as end:
        flow.send(success(second, closed))
    assert all(seen.done for seen in end.value.value.values())


def test_the_statuses_of_change_requests_are_told_apart(served: Served, hook: RudderHook) -> None:
    statuses = (None, "Pending deployment", "Deployed", "Cancelled")
    ids = [change_request(served, status) for status in statuses]
    seen = hook.run(CHANGE_REQUEST.ask(ids))
    assert [seen[number] for number in ids] == [
        Seen("Pending validation", done=False),
        Seen("Pending deployment", done=False),
        Seen("Deployed", done=True),
        Seen("Cancelled", done=True),
    ]


def test_what_is_no_number_disturbs_no_other(served: Served, hook: RudderHook) -> None:
    waiters = [Waiter(key, time.time() + 30, 0.02) for key in ("aaa", CASES["CHANGE_REQUEST"].finished(served))]
    hook.run(poll(CHANGE_REQUEST, set(waiters)))
    with pytest.raises(Final, match="need to be an integer"):
        waiters[0].outcome(CHANGE_REQUEST)
    assert waiters[1].outcome(CHANGE_REQUEST).state == "Deployed"


@pytest.mark.parametrize("seed", [{"plugin": False}, {"validation": False}])
@pytest.mark.parametrize("ids", [["1"], ["1", "2"]])
def test_nothing_is_called_gone_where_nothing_can_be_seen(
    served: Served, hook: RudderHook, seed: dict[str, Any], ids: list[str]
) -> None:
    served.seed(seed)
    with pytest.raises(api.NotOffered):
        hook.run(CHANGE_REQUEST.ask(ids))


def test_tasks_that_wait_together_are_answered_each(served: Served, hook: RudderHook) -> None:
    ids = [change_request(served, status) for status in ("Deployed", "Cancelled", "Deployed")]

    async def event(number: str) -> Any:
        now = time.time()
        path = "self_hosted.rudder.triggers.CHANGE_REQUEST"
        trigger = WaitTrigger(
            question=path, conn_id=hook.conn_id, keys=[number], since=now, deadline=now + 30, poll_interval=0.02
        )
        return (await anext(trigger.run())).payload["outcomes"][number]["seen"]["state"]

    async def events() -> list[Any]:
        return await asyncio.gather(*map(event, ids))

    assert asyncio.run(events()) == ["Deployed", "Cancelled", "Deployed"]


def test_nobody_but_people_cancels_a_change_request() -> None:
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
def test_the_status_of_a_rule_is_told_with_rudders_words(
    served: Served, hook: RudderHook, fields: dict[str, Any], status: str, details: str
) -> None:
    keys = [api.status_key(rule(served, **fields), wanted) for wanted in api.STATUSES]
    seen = hook.run(RULE_STATUS.ask(keys))
    assert {one.state for one in seen.values()} == {status}
    assert {one.facts["details"] for one in seen.values()} == {details}
    wanted_or_disabled = [wanted == status or status == "Disabled" for wanted in api.STATUSES]
    assert [seen[key].done for key in keys] == wanted_or_disabled


def test_a_rule_of_the_system_is_seen_though_it_is_in_no_list(served: Served, hook: RudderHook) -> None:
    key = api.status_key(rule(served, system=True), "In application")
    assert hook.run(RULE_STATUS.ask([key, CASES["RULE_STATUS"].finished(served)]))[key].done


def test_a_rule_whose_status_is_not_told_is_waited_for() -> None:
    flow = RULE_STATUS.ask(["r1/In application"])
    with pytest.raises(StopIteration) as end:
        flow.send(success(next(flow), {"rules": [{"id": "r1"}]}))  # type: ignore[arg-type]
    assert end.value.value == {"r1/In application": Seen("not told", done=False, facts={"details": ""})}


# Compliance


def compliance_seen(answer: dict[str, Any], threshold: float = 100) -> Seen:
    key = api.compliance_key("node", "n1", threshold)
    flow = COMPLIANCE.ask([key])
    with pytest.raises(StopIteration) as end:
        flow.send(success(next(flow), {"nodes": [{"mode": "full-compliance", **answer}]}))  # type: ignore[arg-type]
    return end.value.value[key]  # type: ignore[no-any-return]


def test_low_compliance_is_waited_with() -> None:
    seen = compliance_seen({"compliance": 82.5, "complianceDetails": {"successAlreadyOK": 82.5, "noReport": 17.5}})
    assert (seen.state, seen.done, seen.progress) == ("82.5 % compliant", False, None)
    assert seen.facts == {"compliance": 82.5, "details": {"successAlreadyOK": 82.5, "noReport": 17.5}}


def test_what_is_applying_is_not_compliant_yet_and_tells_the_progress() -> None:
    seen = compliance_seen({"compliance": 100.0, "complianceDetails": {"applying": 97.0, "successAlreadyOK": 3.0}})
    assert (seen.state, seen.done, seen.progress) == ("100 % compliant, 97 % applying", False, 3)


@pytest.mark.parametrize(("threshold", "done"), [(90, True), (90.5, False)])
def test_enough_is_enough_whatever_comes_of_the_rest(threshold: float, done: bool) -> None:
    answer = {"compliance": 100.0, "complianceDetails": {"applying": 10.0, "successAlreadyOK": 90.0}}
    assert compliance_seen(answer, threshold).done is done


def test_shares_that_do_not_quite_add_up_in_binary_do_so_in_percent() -> None:
    answer = {"compliance": 66.66 + 33.33, "complianceDetails": {"successAlreadyOK": 66.66, "successRepaired": 33.33}}
    assert compliance_seen(answer, 99.99).done


def test_rules_and_nodes_are_asked_for_together(served: Served, hook: RudderHook) -> None:
    keys = [
        api.compliance_key("rule", reported(served, share=100), 100),
        api.compliance_key("rule", ANTIVIRUS, 50),
        api.compliance_key("node", FILE_SERVER, 100),
        api.compliance_key("node", "root", 100),
    ]
    before = asked_by(served)
    seen = hook.run(COMPLIANCE.ask(keys))
    assert [seen[key].done for key in keys] == [True] * 4
    assert asked_by(served) - before == 2


def test_one_thing_may_be_waited_for_with_several_thresholds(served: Served, hook: RudderHook) -> None:
    rule_id = reported(served, share=80)
    low, high = (api.compliance_key("rule", rule_id, threshold) for threshold in (80, 80.5))
    seen = hook.run(COMPLIANCE.ask([low, high]))
    assert (seen[low].done, seen[high].done) == (True, False)


def test_without_reports_there_is_nothing_to_wait_for(served: Served, hook: RudderHook) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    key = api.compliance_key("rule", ANTIVIRUS, 100)
    assert hook.run(COMPLIANCE.ask([key])) == {key: Seen("reports-disabled", done=True)}


# Runs of nodes


def test_a_run_counts_that_began_later(served: Served, hook: RudderHook) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    served.seed({"nodes": [{"id": "n1", "first_run": began.timestamp() - time.time()}]})
    before, after = (api.run_key("n1", began + timedelta(seconds=shift)) for shift in (-2, 2))
    seen = hook.run(NODE_RUN.ask([before, after]))
    assert (seen[before].done, seen[after].done) == (True, False)


def test_agents_run_again_and_again(served: Served, hook: RudderHook) -> None:
    ids = [node(served, first_run=-3000, run_interval=interval) for interval in (0, 300)]
    keys = [api.run_key(node_id, datetime.now(UTC) - timedelta(seconds=600)) for node_id in ids]
    seen = hook.run(NODE_RUN.ask(keys))
    assert [seen[key].done for key in keys] == [False, True]


def test_policy_servers_are_nodes_too(served: Served, hook: RudderHook) -> None:
    keys = [api.run_key(node_id, HOUR_AGO) for node_id in ("root", FILE_SERVER)]
    seen = hook.run(NODE_RUN.ask(keys))
    assert [seen[key].done for key in keys] == [True, True]


def test_a_node_that_is_not_accepted_is_waited_for(served: Served, hook: RudderHook) -> None:
    key = api.run_key(PENDING_NODE, HOUR_AGO)
    assert hook.run(NODE_RUN.ask([key]))[key] == Seen("never ran", done=False, facts={"last_run": None})


def test_nodes_that_will_not_run_are_told_with_the_reason(served: Served, hook: RudderHook) -> None:
    ids = [node(served, state=state) for state in ("enabled", "ignored", "empty-policies")]
    keys = [api.run_key(node_id, HOUR_AGO) for node_id in (*ids, PENDING_NODE, "unknown")]
    assert hook.run(triggers.idle_nodes(keys)) == {
        keys[1]: "the node's state is 'ignored', so it gets no policies",
        keys[2]: "the node's state is 'empty-policies', so it gets no policies",
        keys[3]: "the node is 'pending', not accepted",
    }


@pytest.mark.parametrize("error", [Forbidden("not allowed"), api.NotOffered("no such address")])
def test_who_may_not_look_for_reasons_waits_on(error: Exception) -> None:
    flow = triggers.idle_nodes([api.run_key("n1", HOUR_AGO)])
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.throw(error)
    assert end.value.value == {}


def test_the_wait_for_a_node_that_will_not_run_ends_before_its_time(served: Served, hook: RudderHook) -> None:
    key = api.run_key(node(served, state="ignored"), HOUR_AGO)
    waiter = Waiter(key, time.time() + 30, poll_interval=0.02)
    impatient = NODE_RUN._replace(patience=0.05)
    hook.run(poll(impatient, {waiter}))
    with pytest.raises(Exception, match="state is 'ignored', so it gets no policies: gave up waiting for run of node"):
        waiter.outcome(impatient)
