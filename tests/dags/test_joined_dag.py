"""The joined DAG over all products, on a flagged, a clean and a repeated delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.delivery import write_delivery
from demo.environment import Environment
from demo.intake import DAG_ID, IntakeRun, run_intake
from demo.report import check_runs

pytestmark = [pytest.mark.airflow, pytest.mark.joined]


@pytest.fixture(scope="module")
def flagged(environment: Environment, delivery_folder: Path) -> IntakeRun:
    environment.airflow.wait_for_dag(DAG_ID)
    return run_intake(environment, write_delivery(delivery_folder, flagged=True), "flagged")


@pytest.fixture(scope="module")
def cleaned(environment: Environment, flagged: IntakeRun, delivery_folder: Path) -> IntakeRun:
    return run_intake(environment, write_delivery(delivery_folder), "cleaned")


@pytest.fixture(scope="module")
def repeated(environment: Environment, cleaned: IntakeRun, delivery_folder: Path) -> IntakeRun:
    return run_intake(environment, delivery_folder, "repeated")


def test_a_flagged_and_a_clean_delivery_have_the_expected_effects(flagged: IntakeRun, cleaned: IntakeRun):
    assert [sentence for sentence, is_true in check_runs(flagged, cleaned).items() if not is_true] == []


def test_a_flagged_delivery_ends_with_verdict_and_link(environment: Environment, flagged: IntakeRun):
    (failed,) = [task for task in flagged.tasks if task.state == "failed"]
    assert failed.task_id == "scan"
    (link,) = environment.airflow.api.list_links(failed)
    error = environment.airflow.api.get_error(failed)
    assert "malicious" in error
    assert link in error


def test_scans_wait_in_the_triggerer(environment: Environment, cleaned: IntakeRun):
    logs = environment.airflow.home.glob(f"logs/dag_id={DAG_ID}/run_id={cleaned.run_id}/task_id=scan/*/*.trigger.*.log")
    assert len(list(logs)) == len(cleaned.scores)


def test_a_receipt_is_written_into_the_delivery(environment: Environment, cleaned: IntakeRun, delivery_folder: Path):
    (last,) = [task for task in cleaned.tasks if task.task_id == "leave_receipt"]
    assert (delivery_folder / "receipt.json").read_text(encoding="utf-8")
    assert environment.airflow.api.get_result(last)["rule"] == "applied"


def test_a_delivery_is_processed_once(repeated: IntakeRun, cleaned: IntakeRun):
    assert repeated.state == "success"
    assert {task.state for task in repeated.tasks} == {"skipped"}
    assert repeated.scores == {}
    assert repeated.synced_products == cleaned.synced_products
