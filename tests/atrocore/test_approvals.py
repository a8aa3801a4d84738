"""A plan that needs an approval is applied only if a person has approved it."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.atrocore.conftest import counts, products, rows

ANNA = {"id": "1", "name": "Anna"}
APPROVED = {
    "chosen_options": ["Approve"],
    "params_input": {},
    "responded_at": "2026-06-01T12:00:00Z",
    "responded_by_user": ANNA,
}
"""The result of Airflow's ApprovalOperator."""


@pytest.mark.parametrize("form", [dict, json.dumps, str])
def test_an_approved_plan_is_applied_and_the_log_names_the_person(plan, apply, logged, form):
    assert counts(apply(plan(rows(2)), approval=form(APPROVED))) == {"created": 2}
    assert "Anna approved the plan" in logged()


def test_a_person_without_a_name_is_named_by_id(plan, apply, logged):
    apply(plan(rows(2)), approval={**APPROVED, "responded_by_user": {"id": "7"}})
    assert "7 approved the plan" in logged()


@pytest.mark.parametrize(
    "approval",
    [
        {**APPROVED, "chosen_options": ["Reject"]},
        {**APPROVED, "chosen_options": []},
        {**APPROVED, "chosen_options": ["Approve", "Reject"]},
        {**APPROVED, "responded_by_user": None},  # the default answer after a timeout
        {},
        "None",
        "",
        "Approve",
        ["Approve"],
    ],
    ids=["declined", "unanswered", "both", "timed out", "empty", "no result", "empty text", "text", "list"],
)
def test_a_plan_that_nobody_approved_is_not_applied(served, plan, apply, approval):
    with pytest.raises(AirflowFailException, match="approval must be"):
        apply(plan(rows(2)), approval=approval)
    assert products(served) == {}


def test_a_missing_result_of_the_approval_is_no_approval(served, plan, apply):
    """What becomes of ``approve.output`` after a rejection: the argument is given, and its result is None."""
    from self_hosted.atrocore.operators import AtrocoreSyncProductsApplyOperator
    from tests.context import context

    operator = AtrocoreSyncProductsApplyOperator(
        task_id="apply", plan_uri=plan(rows(2))["plan_uri"], approval="{{ ti.xcom_pull('approve') }}"
    )
    operator.approval = None  # rendered
    with pytest.raises(AirflowFailException, match="approval must be"):
        operator.execute(context(operator))
    assert products(served) == {}


def test_without_the_argument_no_approval_is_needed(plan, apply):
    assert counts(apply(plan(rows(2)))) == {"created": 2}
