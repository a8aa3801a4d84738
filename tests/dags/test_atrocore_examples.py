"""The example DAGs of AtroCore that sync from a database, and after an approval, in a real Airflow."""

from __future__ import annotations

import pytest

from demo.environment import Environment
from tests.dags.approval_run import ApprovalRun
from tests.dags.environment import TIMEOUT_SECONDS

pytestmark = pytest.mark.airflow


def test_an_approved_plan_is_applied_exactly(approval_runs: dict[str, ApprovalRun]):
    run = approval_runs["Approve"]
    question = run.wait_for_question()
    subject, body = run.api.get_question(question)
    assert subject.startswith("3 changes of products by ")
    assert "| create | 3 |" in body
    assert "`OK-1`" in body
    assert run.find_products() == []

    states = run.answer("Approve")
    assert run.list_errors() == {}
    assert set(states.values()) == {"success"}
    assert {product["number"]: product["price"] for product in run.find_products()} == {
        "OK-1": 1.5,
        "OK-2": 2.5,
        "OK-3": 3.5,
    }
    applied = run.find_task("apply")
    assert run.api.get_result(applied)["created"] == 3
    assert "approved the plan" in run.api.get_log(applied)


def test_after_a_rejection_nothing_is_sent(approval_runs: dict[str, ApprovalRun]):
    run = approval_runs["Reject"]
    states = run.answer("Reject")
    assert (states["plan"], states["approve"], states["apply"]) == ("success", "success", "skipped")
    assert run.find_products() == []


def test_products_are_synced_with_a_database(environment: Environment, erp_run: str):
    api = environment.airflow.api
    *_, tasks = api.watch_run("atrocore_erp_sync", erp_run, TIMEOUT_SECONDS)
    assert {task.task_id: task.state for task in tasks} == {"provide_sample": "success", "sync": "success"}
    result = api.get_result(next(task for task in tasks if task.task_id == "sync"))
    assert (result["created"], result["total"], result["problems"]) == (200, 200, [])
    products = {row["number"]: row for row in environment.get_state()["atrocore"]["products"]}
    assert products["ERP-0004"]["price"] == 5
    assert products["ERP-0010"]["isActive"] is False
