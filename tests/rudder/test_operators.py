"""Tests of rudder/operators/rules.py: a rule is updated exactly once, and the decision about it is waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.core.http.errors import NotReadyError, ServerError, WaitTimeoutError
from self_hosted.core.wait.trigger import WaitTrigger
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import SHARE

REASON = "The show starts"
ORIGIN = "Airflow DAG dag, task task, run run: http://airflow/dags/dag/runs/run/tasks/task"
Update = Callable[..., RudderUpdateRuleOperator]


@pytest.fixture
def update(hook: RudderHook) -> Update:
    """An operator for the sample rule; by default, it enables the rule."""

    def make(**arguments: Any) -> RudderUpdateRuleOperator:
        given = {"rule_id": SHARE, "reason": REASON, "retries": 2, **arguments}
        if not set(given) & {"display_name", "directives", "targets", "tags", "enabled", "long_description"}:
            given["enabled"] = True
        return RudderUpdateRuleOperator(task_id="update", poll_interval=0.02, **given)

    return make


def run(operator: RudderUpdateRuleOperator, **ti: Any) -> Any:
    return operator.execute(context(operator, **ti))


def defer(operator: RudderUpdateRuleOperator) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferral:
        run(operator)
    return deferral.value


def run_trigger(deferral: TaskDeferred) -> dict[str, Any]:
    """Return the event of the trigger, which is stored and read first, as the triggerer does."""
    path, arguments = deferral.trigger.serialize()
    stored = json.loads(json.dumps(arguments))
    assert path == "self_hosted.core.wait.trigger.WaitTrigger"

    async def first_event() -> Any:
        return await anext(WaitTrigger(**stored).run())

    return asyncio.run(first_event()).payload  # type: ignore[no-any-return]


def complete(operator: RudderUpdateRuleOperator, deferral: TaskDeferred) -> Any:
    return operator.execute_complete(context(operator), run_trigger(deferral), **deferral.kwargs or {})


def read_rule(served: Served) -> dict[str, Any]:
    return next(rule for rule in served.tables()["rules"] if rule["id"] == SHARE)


def test_a_rule_is_updated_with_a_reason(served: Served, update: Update) -> None:
    before = datetime.now(UTC)
    result = run(update())
    assert before <= datetime.fromisoformat(result.pop("applied_at")) <= datetime.now(UTC)
    assert result == {
        "rule_id": SHARE,
        "outcome": "applied",
        "changed": ["enabled"],
        "change_request_id": None,
        "url": f"{served.base_url}/secure/configurationManager/ruleManagement/rule/{SHARE}",
    }
    rule = read_rule(served)
    assert (rule["enabled"], rule["last reason"]) == (True, f"{REASON} ({ORIGIN})")


def test_all_fields_can_be_changed_and_others_keep_their_values(
    served: Served, update: Update, hook: RudderHook
) -> None:
    before = hook.get_rule(SHARE)
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
    after = hook.get_rule(SHARE)
    assert after["displayName"] == "Mount"
    assert after["directives"] == ["a", "b"]
    assert after["targets"] == [{"include": {"or": ["special:all"]}, "exclude": {"or": []}}]
    assert after["enabled"] == before["enabled"]


def test_nothing_is_sent_if_no_value_differs(served: Served, update: Update) -> None:
    run(update())
    result = run(update(), run_id="tomorrow")
    assert (result["outcome"], result["changed"]) == ("unchanged", [])
    assert len(served.tables()["event log"]) == 1


def test_false_and_empty_values_are_sent(update: Update, hook: RudderHook) -> None:
    run(update(enabled=True, long_description="long"))
    result = run(update(enabled=False, long_description="", directives=[]), run_id="tomorrow")
    assert result["changed"] == ["longDescription", "directives", "enabled"]
    assert hook.get_rule(SHARE)["enabled"] is False


def test_templates_may_render_values_as_text(update: Update, hook: RudderHook) -> None:
    result = run(
        update(
            rule_id=f" {SHARE} ",
            enabled="yes",
            directives="['d1', 'd2']",
            targets='["special:all", {"or": ["group:a"]}]',
            tags='[{"team": "pipeline"}]',
        )
    )
    assert result["changed"] == ["directives", "targets", "enabled", "tags"]
    rule = hook.get_rule(SHARE)
    assert (rule["enabled"], rule["directives"], rule["tags"]) == (True, ["d1", "d2"], [{"team": "pipeline"}])
    assert rule["targets"] == [{"include": {"or": ["group:a", "special:all"]}, "exclude": {"or": []}}]


@pytest.mark.parametrize("missing", [None, "None"])
def test_a_field_whose_template_renders_nothing_keeps_its_value(update: Update, missing: Any) -> None:
    names = ("display_name", "short_description", "long_description", "directives", "targets", "tags")
    result = run(update(**dict.fromkeys(names, missing), category_id=None, enabled=True))
    assert result["changed"] == ["enabled"]


def test_an_empty_description_deletes_it(served: Served, update: Update, hook: RudderHook) -> None:
    served.seed({"rules": [{"id": SHARE, "displayName": "Share", "longDescription": "old"}]})
    assert run(update(long_description="", enabled=None))["changed"] == ["longDescription"]
    assert not hook.get_rule(SHARE)["longDescription"]


def test_targets_may_be_one_object_and_tags_may_be_numbers(update: Update, hook: RudderHook) -> None:
    run(update(targets="{'include': {'or': ['special:all']}}", tags={"season": 2026}))
    rule = hook.get_rule(SHARE)
    assert rule["targets"] == [{"include": {"or": ["special:all"]}, "exclude": {"or": []}}]
    assert rule["tags"] == [{"season": "2026"}]


def test_a_system_rule_is_rejected_before_a_change_request_is_opened(served: Served, update: Update) -> None:
    served.seed({"validation": True, "rules": [{"id": "inventory", "displayName": "Inventory", "system": True}]})
    with pytest.raises(AirflowFailException, match="rule inventory is a system rule"):
        run(update(rule_id="inventory", display_name="Other"))
    assert not served.tables()["change requests"]


def test_the_link_opens_the_rule(served: Served, update: Update) -> None:
    operator = update()
    task_context = context(operator)
    result = operator.execute(task_context)
    assert task_context["ti"].xcoms == {"product_url": result["url"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reason": None}, "reason must have at least 5 characters"),
        ({"reason": "  why  "}, "at least 5 characters"),
        ({"rule_id": " "}, "rule_id must be the id of a rule, not ' '"),
        ({"rule_id": "None"}, "rule_id must be the id of a rule"),
        ({"rule_id": "tree"}, "rule_id must be the id of a rule"),
        ({"rule_id": "a b"}, "rule_id must be the id of a rule"),
        ({"reason": 1.10}, "reason must be a text, not 1.1; if a template renders it, add quotes around it"),
        ({"change_request_name": ["a"]}, "change_request_name must be a text"),
        ({"change_request_description": {}}, "change_request_description must be a text"),
        ({"directives": ["a b"]}, "directives must be the id of a directive"),
        ({"enabled": None, "display_name": None}, "nothing to update"),
        ({"enabled": "perhaps"}, "enabled must be true or false"),
        ({"category_id": "None"}, "category_id must be the id of a category, not 'None'"),
        ({"wait_for_completion": "perhaps"}, "wait_for_completion must be true or false"),
        ({"directives": ""}, "directives must not be an empty text"),
        ({"directives": [1.5]}, "directives must be a text or a list of texts"),
        ({"directives": ["None"]}, "directives must be a text or a list of texts"),
        ({"tags": ["team"]}, "tags must be a list of objects"),
        ({"tags": " "}, "tags must not be an empty text"),
        ({"targets": ""}, "targets must not be an empty text"),
        ({"targets": [{"and": ["special:all"]}]}, 'stores an "and" as "or"'),
        ({"targets": ["everything"]}, "is not a target"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_request(
    served: Served, update: Update, arguments: dict[str, Any], message: str
) -> None:
    served.fail("status", status=418)
    with pytest.raises(AirflowFailException, match=message):
        run(update(**arguments))


def test_the_connection_may_make_the_reason_optional(served: Served, connect: Any, update: Update) -> None:
    connect("rudder_lenient", served.connection(extra={"require_reason": False}))
    assert run(update(reason=None, rudder_conn_id="rudder_lenient"))["outcome"] == "applied"


def test_the_connection_may_require_a_longer_reason(served: Served, connect: Any, update: Update) -> None:
    connect("rudder_strict", served.connection(extra={"min_reason_length": 40}))
    with pytest.raises(AirflowFailException, match="at least 40 characters"):
        run(update(rudder_conn_id="rudder_strict"))


def test_a_missing_rule_is_not_retried(update: Update) -> None:
    with pytest.raises(AirflowFailException, match="was not found"):
        run(update(rule_id="nothing"))


def test_a_success_with_other_values_is_an_error(served: Served, update: Update) -> None:
    body = '{"action":"updateRule","result":"success","data":{"rules":[{"id":"x","enabled":false}]}}'
    served.fail("status", method="POST", status=200, body=body)
    with pytest.raises(ServerError, match="did not set enabled"):
        run(update())


def test_a_lost_request_is_sent_again(served: Served, update: Update) -> None:
    served.fail("refuse", method="POST", path="/api/latest/rules/.*")
    assert run(update())["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_under_validation_the_result_is_pending_and_the_rule_is_unchanged(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    result = run(update(change_request_name="Share", change_request_description="For the show"))
    assert (result["outcome"], result["applied_at"]) == ("pending", None)
    assert result["url"].endswith("/secure/configurationManager/changes/changeRequest/1")
    (request,) = served.tables()["change requests"]
    assert (request["name"], request["reason"]) == ("Share", f"{REASON} ({ORIGIN})")
    assert request["description"].startswith(f"For the show ({ORIGIN})\n\nairflow: ")
    assert read_rule(served)["enabled"] is False


def test_without_back_link_reason_and_description_are_the_authors(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    run(update(back_link=False))
    (request,) = served.tables()["change requests"]
    assert (request["reason"], request["description"].split(":")[0]) == (REASON, "airflow")


def test_a_retry_after_the_death_of_a_worker_finds_its_change_request(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    first, second = run(update(), try_number=1), run(update(), try_number=2)
    assert second == first
    assert len(served.tables()["change requests"]) == 1


def test_a_retry_changes_nothing_after_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    run(update(), try_number=1)
    served.seed({"decisions": {"1": "Deployed"}})
    assert run(update(), try_number=2)["outcome"] == "unchanged"


def test_a_retry_fails_after_its_change_request_was_declined_and_a_cleared_task_opens_a_new_one(
    served: Served, update: Update
) -> None:
    served.seed({"validation": True})
    run(update(), try_number=1)
    served.seed({"decisions": {"1": "Cancelled"}})
    with pytest.raises(AirflowFailException, match=r"change request 1 .* was declined"):
        run(update(), try_number=2)
    cleared = run(update(), try_number=3, max_tries=4)
    assert (cleared["outcome"], cleared["change_request_id"]) == ("pending", 2)


def test_a_retry_with_other_values_replaces_the_change_request(served: Served, connect: Any, update: Update) -> None:
    connect("rudder_validator", served.connection(password=TOKENS["validator"]))
    served.seed({"validation": True, "self_validation": True})
    run(update(display_name="First", rudder_conn_id="rudder_validator"), try_number=1)
    second = run(update(display_name="Second", rudder_conn_id="rudder_validator"), try_number=2)
    assert (second["outcome"], second["change_request_id"], second["duplicates"]) == ("pending", 2, [])
    assert [row["status"] for row in served.tables()["change requests"]] == ["Pending validation", "Cancelled"]


def test_a_retry_with_other_values_after_the_deployment_of_the_first_ones_is_not_applied(
    served: Served, update: Update
) -> None:
    served.seed({"validation": True})
    run(update(display_name="First"), try_number=1)
    served.seed({"decisions": {"1": "Deployed"}})
    result = run(update(display_name="Second"), try_number=2)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 2)
    assert read_rule(served)["displayName"] == "First"


def test_each_task_has_a_change_request_of_its_own(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    assert run(update(), map_index=0)["change_request_id"] == 1
    assert run(update(), map_index=1)["change_request_id"] == 2


@pytest.mark.parametrize("seed", [{"plugin": False}, {"validation": False}])
def test_a_server_without_validation_applies_the_update(served: Served, update: Update, seed: dict[str, Any]) -> None:
    served.seed(seed)
    assert run(update())["outcome"] == "applied"


def waiting(update: Update, **arguments: Any) -> RudderUpdateRuleOperator:
    return update(wait_for_completion=True, **arguments)


def test_a_deferred_task_succeeds_when_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=True)
    deferral = defer(operator)
    served.seed({"decisions": {"1": "Deployed"}})
    result = complete(operator, deferral)
    assert (result["outcome"], result["changed"], result["change_request_id"]) == ("applied", ["enabled"], 1)
    assert datetime.fromisoformat(result["applied_at"]).tzinfo
    assert result["url"].endswith(f"/rule/{SHARE}")
    assert read_rule(served)["enabled"] is True


def test_a_deferred_task_fails_if_the_rule_has_other_values_after_the_deployment(
    served: Served, update: Update
) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=True)
    deferral = defer(operator)
    served.seed({"decisions": {"1": "Deployed"}})
    served.seed({"rules": [{"id": SHARE, "displayName": "Share", "enabled": False}]})
    with pytest.raises(NotReadyError, match=r"change request 1 is deployed, but rule .* other values of enabled"):
        complete(operator, deferral)


def test_a_deferred_task_fails_when_its_change_request_is_declined(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=True)
    deferral = defer(operator)
    served.seed({"decisions": {"1": "Cancelled"}})
    with pytest.raises(AirflowFailException, match=r"change request 1 .*'Cancelled': http.*/changeRequest/1"):
        complete(operator, deferral)


def test_the_trigger_contains_no_credential(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    assert TOKENS["automation"] not in repr(defer(waiting(update, deferrable=True)).trigger.serialize())


def test_a_blocking_task_succeeds_when_its_change_request_is_deployed(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    with ThreadPoolExecutor() as worker:
        task = worker.submit(run, waiting(update, deferrable=False))
        while not served.tables()["change requests"]:
            assert not task.done()
        served.seed({"decisions": {"1": "Deployed"}})
        assert task.result(timeout=60)["outcome"] == "applied"


def test_a_template_may_render_whether_to_wait(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    assert run(update(wait_for_completion="False", deferrable=True))["outcome"] == "pending"
    defer(update(wait_for_completion="True", deferrable=True))


@pytest.mark.parametrize("seed", [{}, {"plugin": False}])
def test_an_applied_update_needs_no_wait(served: Served, update: Update, seed: dict[str, Any]) -> None:
    served.seed(seed)
    assert run(waiting(update, deferrable=True))["outcome"] == "applied"


def test_the_change_request_stays_open_after_a_timeout(served: Served, update: Update) -> None:
    served.seed({"validation": True})
    operator = waiting(update, deferrable=False, wait_timeout=0.05)
    with pytest.raises(
        WaitTimeoutError, match=r"after \d+ s waiting for change request 1: its last state is 'Pending validation'"
    ):
        run(operator)
    operator.on_kill()
    (request,) = served.tables()["change requests"]
    assert request["status"] == "Pending validation"


def test_arguments_are_templated() -> None:
    templated = set(RudderUpdateRuleOperator.template_fields)
    assert {"rule_id", "enabled", "targets", "reason", "wait_for_completion", "rudder_conn_id"} <= templated
