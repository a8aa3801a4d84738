"""Tests of rudder/operators.py: a rule is updated once, whatever happens, and people's decisions are waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.core.errors import Broken, Overdue
from self_hosted.core.trigger import WaitTrigger
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import SHARE

REASON = "The show starts"
Update = Callable[..., RudderUpdateRuleOperator]


@pytest.fixture
def update(hook: RudderHook) -> Update:
    """An operator on the sample rule; enables it, unless told otherwise."""

    def make(**arguments: Any) -> RudderUpdateRuleOperator:
        given = {"rule_id": SHARE, "reason": REASON, "retries": 2, **arguments}
        if not set(given) & {"display_name", "directives", "targets", "tags", "enabled", "long_description"}:
            given["enabled"] = True
        return RudderUpdateRuleOperator(task_id="update", poll_interval=0.02, **given)

    return make


def run(operator: RudderUpdateRuleOperator, **of_ti: Any) -> Any:
    return operator.execute(context(operator, **of_ti))


def deferred(operator: RudderUpdateRuleOperator) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferral:
        run(operator)
    return deferral.value


def drained(deferral: TaskDeferred) -> dict[str, Any]:
    """The event of a trigger that was stored and read again, as the triggerer does."""
    path, arguments = deferral.trigger.serialize()
    stored = json.loads(json.dumps(arguments))
    assert path == "self_hosted.core.trigger.WaitTrigger"

    async def event() -> Any:
        return await anext(WaitTrigger(**stored).run())

    return asyncio.run(event()).payload  # type: ignore[no-any-return]


def completed(operator: RudderUpdateRuleOperator, deferral: TaskDeferred) -> Any:
    return operator.execute_complete(context(operator), drained(deferral), **deferral.kwargs or {})


def rule_of(served: Served) -> dict[str, Any]:
    return next(rule for rule in served.tables()["rules"] if rule["id"] == SHARE)


def test_a_rule_is_updated_with_a_reason(served: Served, update: Update) -> None:
    assert run(update()) == {
        "rule_id": SHARE,
        "outcome": "applied",
        "changed": ["enabled"],
        "change_request_id": None,
        "url": f"{served.base_url}/secure/configurationManager/ruleManagement/rule/{SHARE}",
    }
    rule = rule_of(served)
    assert (rule["enabled"], rule["last reason"]) == (True, REASON)


def test_all_fields_can_be_changed_and_others_stay(served: Served, update: Update, hook: RudderHook) -> None:
    before = hook.rule(SHARE)
    result = run(
        update(
            display_name="Mount",
            category_id="shares",
            short_description="short",
            long_description="long",
            directives=["b", "a"],
            targets=["special:all"],
            tags=[{"team": "pipeline"}],
        )
    )
    assert result["changed"] == [
        "displayName",
        "categoryId",
        "shortDescription",
        "longDescription",
        "directives",
        "targets",
        "tags",
    ]
    after = hook.rule(SHARE)
    assert after["displayName"] == "Mount"
    assert after["directives"] == ["a", "b"]
    assert after["targets"] == [{"include": {"or": ["special:all"]}, "exclude": {"or": []}}]
    assert after["enabled"] == before["enabled"]


def test_an_update_that_changes_nothing_sends_nothing(served: Served, update: Update) -> None:
    run(update())
    again = run(update(), run_id="tomorrow")
    assert (again["outcome"], again["changed"]) == ("unchanged", [])
    assert len(served.tables()["event log"]) == 1


def test_false_and_the_empty_are_values_too(update: Update, hook: RudderHook) -> None:
    run(update(enabled=True, long_description="long"))
    result = run(update(enabled=False, long_description="", directives=[]), run_id="tomorrow")
    assert result["changed"] == ["longDescription", "directives", "enabled"]
    assert hook.rule(SHARE)["enabled"] is False


def test_a_truth_value_may_come_from_a_template(update: Update) -> None:
    assert run(update(enabled="True"))["outcome"] == "applied"


def test_the_link_leads_to_the_rule(served: Served, update: Update) -> None:
    operator = update()
    given = context(operator)
    result = operator.execute(given)
    assert given["ti"].xcoms == {"product_url": result["url"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"reason": None}, "reason must say"),
        ({"reason": "  why  "}, "at least 5 characters"),
        ({"rule_id": " "}, "rule_id is empty"),
        ({"enabled": None, "display_name": None}, "nothing to update"),
        ({"enabled": "perhaps"}, "enabled must be true or false"),
        ({"directives": "d1"}, "directives must be a list"),
        ({"directives": [1]}, "directives must be a list"),
        ({"tags": {"team": "pipeline"}}, "tags must be a list"),
        ({"tags": ["team"]}, "tags must be a list"),
        ({"targets": [{"and": ["special:all"]}]}, 'stores it as "or"'),
        ({"targets": ["everything"]}, "is no target"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    served: Served, update: Update, arguments: dict[str, Any], words: str
) -> None:
    served.fail("status", status=418)
    with pytest.raises(AirflowFailException, match=words):
        run(update(**arguments))


def test_the_connection_may_do_without_a_reason(served: Served, connect: Any, update: Update) -> None:
    connect("rudder_lenient", served.connection(extra={"require_reason": False}))
    assert run(update(reason=None, rudder_conn_id="rudder_lenient"))["outcome"] == "applied"


def test_the_connection_may_want_a_longer_reason(served: Served, connect: Any, update: Update) -> None:
    connect("rudder_strict", served.connection(extra={"shortest_reason": 40}))
    with pytest.raises(AirflowFailException, match="at least 40 characters"):
        run(update(rudder_conn_id="rudder_strict"))


def test_a_missing_rule_fails_at_once(update: Update) -> None:
    with pytest.raises(AirflowFailException, match="was not found"):
        run(update(rule_id="nothing"))


def test_a_success_that_did_not_do_what_was_asked_is_an_error(served: Served, update: Update) -> None:
    answer = '{"action":"updateRule","result":"success","data":{"rules":[{"id":"x","enabled":false}]}}'
    served.fail("status", method="POST", status=200, body=answer)
    with pytest.raises(Broken, match="did not set enabled"):
        run(update())


def test_a_lost_answer_costs_nothing_without_validation(served: Served, update: Update) -> None:
    served.fail("drop", method="POST", path="/api/latest/rules/.*")
    assert run(update())["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_request_that_was_lost_on_the_way_is_sent_again(served: Served, update: Update) -> None:
    served.fail("refuse", method="POST", path="/api/latest/rules/.*")
    assert run(update())["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_lost_answer_opens_one_change_request_under_validation(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    served.fail("drop", method="POST", path="/api/latest/rules/.*")
    result = run(update())
    assert (result["outcome"], result["change_request_id"]) == ("pending", 1)
    assert len(served.tables()["change requests"]) == 1


def test_under_validation_the_result_is_pending_and_the_rule_unchanged(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    result = run(update(change_request_name="Share", change_request_description="For the show"))
    assert result["outcome"] == "pending"
    assert result["url"].endswith("/secure/configurationManager/changes/changeRequest/1")
    (request,) = served.tables()["change requests"]
    assert (request["name"], request["reason"]) == ("Share", REASON)
    assert request["description"].startswith("For the show\n\nairflow: ")
    assert rule_of(served)["enabled"] is False


def test_a_retry_after_a_killed_worker_finds_its_change_request(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    first, second = run(update(), try_number=1), run(update(), try_number=2)
    assert second == first
    assert len(served.tables()["change requests"]) == 1


def test_a_retry_finds_nothing_to_do_once_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    run(update(), try_number=1)
    served.seed({"decisions": {"1": "Deployed"}})
    assert run(update(), try_number=2)["outcome"] == "unchanged"


def test_a_retry_accepts_that_its_change_request_was_declined_and_a_clear_asks_anew(
    served: Served, update: Update
) -> None:
    served.seed({"validation": True})
    run(update(), try_number=1)
    served.seed({"decisions": {"1": "Cancelled"}})
    with pytest.raises(AirflowFailException, match=r"change request 1 .* was declined"):
        run(update(), try_number=2)
    cleared = run(update(), try_number=3, max_tries=4)
    assert (cleared["outcome"], cleared["change_request_id"]) == ("pending", 2)


def test_other_tasks_have_change_requests_of_their_own(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    assert run(update(), map_index=0)["change_request_id"] == 1
    assert run(update(), map_index=1)["change_request_id"] == 2


@pytest.mark.parametrize("seed", [{"plugin": False}, {"validation": False}])
def test_nothing_of_this_hinders_a_server_without_validation(
    served: Served, update: Update, seed: dict[str, Any]
) -> None:
    served.seed(seed)
    assert run(update())["outcome"] == "applied"


def waiting(update: Update, **arguments: Any) -> RudderUpdateRuleOperator:
    return update(wait_for_change_request=True, **arguments)


def test_a_deferred_task_is_done_when_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=True)
    deferral = deferred(operator)
    served.seed({"decisions": {"1": "Deployed"}})
    result = completed(operator, deferral)
    assert (result["outcome"], result["changed"], result["change_request_id"]) == ("applied", ["enabled"], 1)
    assert result["url"].endswith(f"/rule/{SHARE}")
    assert rule_of(served)["enabled"] is True


def test_a_deferred_task_fails_when_its_change_request_is_declined(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=True)
    deferral = deferred(operator)
    served.seed({"decisions": {"1": "Cancelled"}})
    with pytest.raises(AirflowFailException, match=r"change request 1 .*'Cancelled': http.*/changeRequest/1"):
        completed(operator, deferral)


def test_the_trigger_holds_no_credential(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    assert TOKENS["automation"] not in repr(deferred(waiting(update, deferrable=True)).trigger.serialize())


def test_a_blocking_task_is_done_when_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    with ThreadPoolExecutor() as worker:
        task = worker.submit(run, waiting(update, deferrable=False))
        while not served.tables()["change requests"]:
            assert not task.done()
        served.seed({"decisions": {"1": "Deployed"}})
        assert task.result(timeout=30)["outcome"] == "applied"


@pytest.mark.parametrize("seed", [{}, {"plugin": False}])
def test_nothing_is_waited_for_when_the_update_is_applied_at_once(
    served: Served, update: Update, seed: dict[str, Any]
) -> None:
    served.seed(seed)
    assert run(waiting(update, deferrable=True))["outcome"] == "applied"


def test_the_change_request_stays_open_when_time_is_up(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=False, wait_timeout=0.05)
    with pytest.raises(Overdue, match=r"change request 1, for .* hours: its last seen state is 'Pending validation'"):
        run(operator)
    operator.on_kill()
    (request,) = served.tables()["change requests"]
    assert request["status"] == "Pending validation"


def test_all_that_a_dag_says_can_be_templated() -> None:
    assert {"rule_id", "enabled", "targets", "reason", "rudder_conn_id"} <= set(
        RudderUpdateRuleOperator.template_fields
    )
