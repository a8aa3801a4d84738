"""Every example DAG runs as it is: through the API, the scheduler, the workers and the triggerer of a real Airflow."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from demo.delivery import DAG, Delivered, await_dag, take_in
from demo.pack import deliver
from demo.report import checks
from demo.world import World
from tests.dags.conftest import EXAMPLES

pytestmark = pytest.mark.airflow
OTHERS = sorted(path.stem for path in EXAMPLES.glob("example_*.py"))
TIMEOUT = 200.0


@pytest.fixture(scope="module")
def others(running: World) -> dict[str, str]:
    """The runs of all other DAGs, started before the joint one so that they go on beside it."""
    for dag_id in OTHERS:
        await_dag(running, dag_id)
    return {dag_id: running.airflow.api.trigger(dag_id) for dag_id in OTHERS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deliveries") / "delivery"


@pytest.fixture(scope="module")
def flagged(running: World, others: dict[str, str], folder: Path) -> Delivered:
    await_dag(running)
    return take_in(running, deliver(folder, flagged=True), "flagged")


@pytest.fixture(scope="module")
def cleaned(running: World, flagged: Delivered, folder: Path) -> Delivered:
    return take_in(running, deliver(folder), "cleaned")


@pytest.fixture(scope="module")
def repeated(running: World, cleaned: Delivered, folder: Path) -> Delivered:
    return take_in(running, folder, "repeated")


@pytest.mark.parametrize("dag_id", OTHERS)
def test_example_succeeds_at_the_first_try(running, others, dag_id):
    *_, tasks = running.airflow.api.watch(dag_id, others[dag_id], TIMEOUT)
    bad = [task for task in tasks if task["state"] not in {"success", "skipped"}]
    assert {task["task_id"]: running.airflow.api.error(task) for task in bad} == {}
    assert {task["try_number"] for task in tasks if task["state"] == "success"} == {1}


def test_joint_dag_does_what_it_should_with_a_flagged_and_a_clean_delivery(flagged, cleaned):
    assert [sentence for sentence, passed in checks(flagged, cleaned).items() if not passed] == []


def test_flagged_delivery_ends_with_verdict_and_link(running, flagged):
    (failed,) = [task for task in flagged.tasks if task["state"] == "failed"]
    assert failed["task_id"] == "scan"
    (link,) = running.airflow.api.links(failed)
    words = running.airflow.api.error(failed)
    assert "malicious" in words
    assert link in words


def test_scans_wait_in_the_triggerer(running, cleaned):
    logs = running.airflow.home.glob(f"logs/dag_id={DAG}/run_id={cleaned.run_id}/task_id=scan/*/*.trigger.*.log")
    assert len(list(logs)) == len(cleaned.scans)


def test_receipt_is_left_where_the_delivery_lies(running, cleaned, folder):
    (last,) = [task for task in cleaned.tasks if task["task_id"] == "leave_receipt"]
    assert (folder / "receipt.json").read_text(encoding="utf-8")
    assert running.airflow.api.result(last)["rule"] == "applied"


def test_airflow_listens_on_loopback_only(running):
    processes = [psutil.Process(pid) for program in running.airflow.programs for pid in program.members]
    open_ = [connection for process in processes for connection in process.net_connections("inet")]
    assert {found.laddr.ip for found in open_ if found.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_delivery_is_taken_in_once(repeated, cleaned):
    assert repeated.state == "success"
    assert {task["state"] for task in repeated.tasks} == {"skipped"}
    assert repeated.scans == {}
    assert repeated.synced == cleaned.synced
