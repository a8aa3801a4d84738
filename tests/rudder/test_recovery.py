"""Each write has one effect and succeeds after a lost response, even if its work is still in progress."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import requests

from self_hosted.core.http import recovery
from self_hosted.core.tasks.operator import idempotency_key
from self_hosted.core.wait.observation import Observation
from self_hosted.rudder.api import change_requests, rule_values
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import SHARE
from tests.rudder.wait_cases import add_change_request

REASON = "requested by a test"
READ_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "get_change_request": (1,),
    "get_compliance": ("rule", "r"),
    "get_current_account": (),
    "get_node": ("n",),
    "get_rule": ("r",),
    "list_change_requests": (),
    "list_compliance": ("rule",),
    "list_nodes": (),
    "list_pending_nodes": (),
    "list_rules": (),
}
MAX_SECONDS = 60.0  # for the fake server on a busy machine


class Write(NamedTuple):
    """One write.

    :param prepare: prepares the fake server
    :param do: does the write, and returns a value that shows its success
    :param expected: the expected result of ``do``
    :param effects: the expected effects, exactly once: events in the log, statuses of change requests
    """

    prepare: Callable[[Served], Any]
    do: Callable[[RudderHook], Any]
    expected: Any
    effects: tuple[list[str], list[str]]


def update(hook: RudderHook) -> Any:
    return hook.update_rule(SHARE, {"enabled": True}, reason=REASON)["outcome"]


def update_by_task(hook: RudderHook) -> Any:
    task = create_task(hook.conn_id)
    return task.execute(context(task))["outcome"]


def create_task(conn_id: str, **arguments: Any) -> RudderUpdateRuleOperator:
    given = {"rule_id": SHARE, "enabled": True, "reason": REASON, **arguments}
    return RudderUpdateRuleOperator(task_id="update", rudder_conn_id=conn_id, **given)


def prepare_nothing(served: Served) -> None:
    pass


def enable_validation(served: Served) -> None:
    served.seed({"validation": True})


WRITES = {
    "update_rule": Write(prepare_nothing, update, "applied", (["Rule modified"], [])),
    "update_rule, plugin absent": Write(
        lambda served: served.seed({"plugin": False}), update, "applied", (["Rule modified"], [])
    ),
    "update_rule, validated": Write(enable_validation, update, "pending", ([], ["Pending validation"])),
    "update_rule, by a task": Write(prepare_nothing, update_by_task, "applied", (["Rule modified"], [])),
    "update_rule, by a task, validated": Write(
        enable_validation, update_by_task, "pending", ([], ["Pending validation"])
    ),
    "accept_change_request": Write(
        add_change_request,
        lambda hook: hook.accept_change_request(1, reason="fine by me")["status"],
        "Deployed",
        (["Rule modified"], ["Deployed"]),
    ),
    "accept_change_request, validation only": Write(
        add_change_request,
        lambda hook: hook.accept_change_request(1, "Pending deployment", reason="fine by me")["status"],
        "Pending deployment",
        ([], ["Pending deployment"]),
    ),
    "decline_change_request": Write(
        add_change_request,
        lambda hook: hook.decline_change_request(1, reason="not by me")["status"],
        "Cancelled",
        ([], ["Cancelled"]),
    ),
    "update_policies": Write(prepare_nothing, lambda hook: hook.update_policies()["status"], "Started", ([], [])),
}


def read_effects(served: Served) -> tuple[list[str], list[str]]:
    tables = served.tables()
    return [row["event"] for row in tables["event log"]], [row["status"] for row in tables["change requests"]]


def read_statuses(served: Served) -> dict[int, str]:
    return {row["id"]: row["status"] for row in served.tables()["change requests"]}


def wait_for_fault(served: Served) -> None:
    """Wait until the configured fault has hit a request."""
    deadline = time.monotonic() + MAX_SECONDS
    while not requests.get(f"{served.url}/_control/counts", timeout=60).json()["faults"]:
        assert time.monotonic() < deadline


@pytest.fixture
def validator(served: Served, hook_as: Callable[..., RudderHook]) -> RudderHook:
    """A hook with all permissions, which waits one second for a response."""
    return hook_as(password=TOKENS["validator"], extra={"read_timeout": 1})


@pytest.fixture
def _many_checks(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check long enough for work that is still in progress, also on a busy machine."""
    monkeypatch.setattr(recovery, "RECHECK_DELAYS_SECONDS", (0.1,) * int(MAX_SECONDS / 0.1))


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_response_is_lost_has_one_effect_and_succeeds(
    served: Served, validator: RudderHook, name: str
) -> None:
    write = WRITES[name]
    write.prepare(served)
    served.fail("drop", method="POST|DELETE")
    assert write.do(validator) == write.expected
    assert read_effects(served) == write.effects


@pytest.mark.usefixtures("_many_checks")
@pytest.mark.parametrize(("fault", "seconds"), [("slow_after", 1.2), ("slow", 1.4)], ids=["before", "after"])
def test_a_write_that_is_done_before_or_after_the_timeout_of_the_client_has_one_effect(
    served: Served, validator: RudderHook, fault: str, seconds: float
) -> None:
    served.seed({"validation": True})
    served.fail(fault, method="POST", seconds=seconds)
    assert update_by_task(validator) == "pending"
    assert read_effects(served) == ([], ["Pending validation"])


def test_there_is_a_case_for_every_write() -> None:
    methods = {name for name, member in vars(RudderHook).items() if hasattr(member, "__wrapped__")}
    flows = {name for name in methods if inspect.isgeneratorfunction(inspect.unwrap(vars(RudderHook)[name]))}
    assert flows - set(READ_ARGUMENTS) == {name.partition(",")[0] for name in WRITES}


@pytest.mark.parametrize("name", READ_ARGUMENTS)
def test_a_read_sends_a_get(name: str) -> None:
    flow = inspect.unwrap(vars(RudderHook)[name])(*READ_ARGUMENTS[name])
    assert next(flow).method == "GET"


@pytest.mark.usefixtures("_many_checks")
def test_a_write_in_progress_of_an_earlier_attempt_is_found(served: Served, validator: RudderHook) -> None:
    served.seed({"validation": True})
    served.fail("slow", method="POST", path=".*/rules/.*", seconds=0.5)
    write = partial(validator.update_rule, SHARE, {"enabled": True}, reason=REASON, idempotency_key="task")
    earlier_attempt = threading.Thread(target=write)
    earlier_attempt.start()
    wait_for_fault(served)
    result = write(previous_attempt_unknown=True)
    earlier_attempt.join(MAX_SECONDS)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 1)
    assert read_statuses(served) == {1: "Pending validation"}


# Duplicates: the server carries out the first request only after the second one


def submit_twice(served: Served, task: RudderUpdateRuleOperator) -> Any:
    """Return the submission of a task whose first request is carried out after the second one."""
    served.seed({"validation": True})
    served.fail("refuse", method="POST", path=".*/rules/.*")
    task_context = context(task)
    submitted = task.submit(task_context)
    assert (submitted["outcome"], submitted["change_request_id"], submitted["duplicates"]) == ("pending", 1, [])
    fingerprint = rule_values.compute_fingerprint({"enabled": True})
    description = change_requests.sign_description(None, idempotency_key(task_context), fingerprint)
    assert add_change_request(served, description=description) == "2"
    return submitted


def test_a_retry_declines_the_second_change_request(served: Served, validator: RudderHook) -> None:
    served.seed({"self_validation": True})
    task = create_task(validator.conn_id)
    submit_twice(served, task)
    result = task.execute(context(task))
    assert (result["change_request_id"], result["duplicates"]) == (1, [])
    assert read_statuses(served) == {1: "Pending validation", 2: "Cancelled"}


def test_a_waiting_task_declines_the_second_change_request_after_the_first_is_deployed(
    served: Served, validator: RudderHook
) -> None:
    served.seed({"self_validation": True})
    task = create_task(validator.conn_id, wait_for_completion=True)
    submitted = submit_twice(served, task)
    served.seed({"decisions": {"1": "Deployed"}})
    result = task.build_result(context(task), submitted, Observation("Deployed", done=True))
    assert (result["outcome"], result["duplicates"]) == ("applied", [])
    assert read_statuses(served) == {1: "Deployed", 2: "Cancelled"}


def test_result_and_log_name_a_second_change_request_that_the_account_may_not_decline(
    served: Served,
    hook: RudderHook,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = create_task(hook.conn_id)
    submit_twice(served, task)
    result = task.execute(context(task))
    assert (result["change_request_id"], result["duplicates"]) == (1, [2])
    assert read_statuses(served) == {1: "Pending validation", 2: "Pending validation"}
    log = caplog.text + capsys.readouterr().out  # depends on the version of Airflow
    assert "Change request 2 is a duplicate of 1" in log
