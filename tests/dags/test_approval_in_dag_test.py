"""The example DAG with an approval through ``dag.test()``, without a scheduler, an API server and a triggerer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from self_hosted.sandbox.atrocore import Atrocore
from self_hosted.sandbox.server import Sandbox
from tests.conftest import Served
from tests.dags.deferred_run import run_script
from tests.dags.environment import copy_examples

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Sandbox(servers=[Atrocore()]) as sandbox:
        yield Served(sandbox.servers[0], sandbox.url)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Airflow that only runs ``dag.test()``."""
    return tmp_path_factory.mktemp("approval")


@pytest.fixture
def answer(served: Served, home: Path, tmp_path: Path) -> Any:
    """Return a function that runs the DAG with an answer, and returns what the run printed."""
    served.reset()
    dags = tmp_path / "dags"
    dags.mkdir()
    copy_examples(dags, tmp_path / "srv")
    file, connections = dags / "atrocore_supplier_approval.py", {"atrocore_default": served.connection()}

    def run(answer: str) -> tuple[dict[str, Any], str]:
        found: tuple[dict[str, Any], str] = run_script(
            home, dags, connections, "tests.dags.approval_in_dag_test", str(file), answer, "{}"
        )
        return found

    return run


def test_an_approved_plan_is_applied(served, answer, tmp_path):
    found, log = answer("Approve")
    assert set(found["states"].values()) == {"success"}, log
    assert found["subject"].startswith("30 changes of products by ")
    assert "| create | 30 |" in found["body"]
    products = served.tables()["products"]
    assert {product["number"] for product in products} == {f"SUP-{number:03}" for number in range(1, 31)}
    assert "Anna approved the plan" in log
    [report] = (tmp_path / "srv" / "supplier" / "reports").iterdir()
    results = [json.loads(line)["result"] for line in report.read_text(encoding="utf-8").splitlines()]
    assert results == ["created"] * 30


def test_a_rejected_plan_is_not_applied(served, answer):
    found, log = answer("Reject")
    states = found["states"]
    assert (states["plan"], states["approve"], states["apply"]) == ("success", "success", "skipped"), log
    assert served.tables()["products"] == []
