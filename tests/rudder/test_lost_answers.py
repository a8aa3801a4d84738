"""A write is done once, and succeeds, when its answer is lost after the work was done or while it is being done."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from self_hosted.core import lost_answers
from self_hosted.core.question import Seen
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import SHARE
from tests.rudder.questions import change_request

READS = {
    "change_request",
    "change_requests",
    "compliance",
    "compliances",
    "current_account",
    "node",
    "nodes",
    "pending_nodes",
    "rule",
    "rules",
}


class Write(NamedTuple):
    """One write.

    :param prepare: what the stand-in holds before it
    :param do: does it, and returns what tells that it was done
    :param done: what that must be
    :param effects: what must be there afterwards, once: events in the log, statuses of change requests
    """

    prepare: Callable[[Served], Any]
    do: Callable[[RudderHook], Any]
    done: Any
    effects: tuple[list[str], list[str]]


def update(hook: RudderHook) -> Any:
    return hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")["outcome"]


def update_by_task(hook: RudderHook) -> Any:
    task = RudderUpdateRuleOperator(
        task_id="update", rule_id=SHARE, enabled=True, reason="asked by a test", rudder_conn_id=hook.conn_id
    )
    return task.execute(context(task))["outcome"]


def nothing(served: Served) -> None:
    pass


def validation(served: Served) -> None:
    served.seed({"validation": True})


WRITES = {
    "update_rule": Write(nothing, update, "applied", (["Rule modified"], [])),
    "update_rule, plugin absent": Write(
        lambda served: served.seed({"plugin": False}), update, "applied", (["Rule modified"], [])
    ),
    "update_rule, validated": Write(validation, update, "pending", ([], ["Pending validation"])),
    "update_rule, by a task": Write(nothing, update_by_task, "applied", (["Rule modified"], [])),
    "update_rule, by a task, validated": Write(validation, update_by_task, "pending", ([], ["Pending validation"])),
    "accept_change_request": Write(
        change_request,
        lambda hook: hook.accept_change_request(1, reason="fine by me")["status"],
        "Deployed",
        (["Rule modified"], ["Deployed"]),
    ),
    "accept_change_request, half-way": Write(
        change_request,
        lambda hook: hook.accept_change_request(1, "Pending deployment", reason="fine by me")["status"],
        "Pending deployment",
        ([], ["Pending deployment"]),
    ),
    "decline_change_request": Write(
        change_request,
        lambda hook: hook.decline_change_request(1, reason="not by me")["status"],
        "Cancelled",
        ([], ["Cancelled"]),
    ),
}
FAULTS: dict[str, dict[str, Any]] = {
    "drop": {},
    "slow_after": {"seconds": 1.2},  # the work is done, the answer comes too late
    "slow": {"seconds": 1.4},  # the work is done after the answer was given up
}


def effects(served: Served) -> tuple[list[str], list[str]]:
    tables = served.tables()
    return [row["event"] for row in tables["event log"]], [row["status"] for row in tables["change requests"]]


@pytest.fixture
def validator(served: Served, hook_as: Callable[..., RudderHook]) -> RudderHook:
    """Somebody who may do all of it, and who waits a second for an answer."""
    return hook_as(password=TOKENS["validator"], extra={"read_timeout": 1})


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_is_lost_is_done_once_and_succeeds(
    served: Served, validator: RudderHook, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.setattr(lost_answers, "LOOK_AGAIN", (0.2, 0.4, 0.8))
    write = WRITES[name]
    write.prepare(served)
    served.fail(fault, method="POST|DELETE", **FAULTS[fault])
    assert write.do(validator) == write.done
    assert effects(served) == write.effects


def test_every_write_that_is_published_has_a_case() -> None:
    published = {
        name for name, member in vars(RudderHook).items() if inspect.isgeneratorfunction(inspect.unwrap(member))
    }
    flows = {name for name in published if hasattr(vars(RudderHook)[name], "__wrapped__")}
    assert flows - READS == {name.partition(",")[0] for name in WRITES}


def test_what_is_called_a_read_sends_nothing_but_gets() -> None:
    needed = {
        "change_request": (1,),
        "compliance": ("rule", "r"),
        "compliances": ("rule",),
        "node": ("n",),
        "rule": ("r",),
    }
    for name in READS:
        flow = inspect.unwrap(vars(RudderHook)[name])(*needed.get(name, ()))
        assert next(flow).method == "GET"


# What nobody can know in time: the server works on for longer than it is looked at


def asked_twice(served: Served, task: RudderUpdateRuleOperator) -> dict[str, Any]:
    """What a task started whose first request is carried out only after its second."""
    served.seed({"validation": True})
    served.fail("slow", method="POST", path=".*/rules/.*", seconds=1.6)
    started = task.start(context(task))
    assert (started["outcome"], started["change_request_id"], started["duplicates"]) == ("pending", 1, [])
    deadline = time.monotonic() + 10
    while len(served.tables()["change requests"]) < 2:
        assert time.monotonic() < deadline
    return started


def updating(conn_id: str, **arguments: Any) -> RudderUpdateRuleOperator:
    given = {"rule_id": SHARE, "enabled": True, "reason": "asked by a test", **arguments}
    return RudderUpdateRuleOperator(task_id="update", rudder_conn_id=conn_id, **given)


def statuses(served: Served) -> dict[int, str]:
    return {row["id"]: row["status"] for row in served.tables()["change requests"]}


def test_a_write_that_is_under_way_while_its_client_is_gone_is_found(
    served: Served, validator: RudderHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.seed({"validation": True})
    served.fail("slow", method="POST", path=".*/rules/.*", seconds=0.5)
    monkeypatch.setattr(lost_answers, "LOOK_AGAIN", (0.2, 0.4, 0.8))
    update = partial(validator.update_rule, SHARE, {"enabled": True}, reason="asked by a test", mark="task")
    of_an_earlier_try = threading.Thread(target=update)
    of_an_earlier_try.start()
    time.sleep(0.2)
    result = update(interrupted=True)
    of_an_earlier_try.join(10)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 1)
    assert statuses(served) == {1: "Pending validation"}


def test_a_task_that_was_tried_again_declines_the_second_change_request(served: Served, validator: RudderHook) -> None:
    served.seed({"self_validation": True})
    task = updating(validator.conn_id)
    asked_twice(served, task)
    again = task.execute(context(task))
    assert (again["change_request_id"], again["duplicates"]) == (1, [])
    assert statuses(served) == {1: "Pending validation", 2: "Cancelled"}


def test_a_task_that_waits_declines_the_second_change_request_once_the_first_is_deployed(
    served: Served, validator: RudderHook
) -> None:
    served.seed({"self_validation": True})
    task = updating(validator.conn_id, wait_for_change_request=True)
    started = asked_twice(served, task)
    served.seed({"decisions": {"1": "Deployed"}})
    result = task.finish(context(task), started, Seen("Deployed", done=True))
    assert (result["outcome"], result["duplicates"]) == ("applied", [])
    assert statuses(served) == {1: "Deployed", 2: "Cancelled"}


def test_a_second_change_request_that_the_account_may_not_decline_is_named_in_result_and_log(
    served: Served,
    hook_as: Callable[..., RudderHook],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = updating(hook_as(extra={"read_timeout": 1}).conn_id)
    asked_twice(served, task)
    again = task.execute(context(task))
    assert (again["change_request_id"], again["duplicates"]) == (1, [2])
    assert statuses(served) == {1: "Pending validation", 2: "Pending validation"}
    logged = caplog.text + capsys.readouterr().out  # whichever way this Airflow logs
    assert "Change request 2 asks for the same as 1" in logged
