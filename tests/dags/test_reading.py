"""Every example DAG can be read, and stored, without a warning and without going over the network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "example_dags"
IDS = sorted(path.stem for path in EXAMPLES.glob("*.py"))
REGULARLY_BY_HAND_OR_ON_EVENTS = re.compile(r"\d+ (\d+|\*) \* \* \*|None|Asset")


def read(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.dags.reading", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES.parent, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    return read(EXAMPLES)


def test_nothing_is_wrong_with_any_file(examples):
    assert examples["errors"] == {}
    assert examples["warnings"] == {}


def test_each_file_holds_the_dag_of_its_name(examples):
    assert sorted(examples["dags"]) == IDS


@pytest.mark.parametrize("dag_id", IDS)
class TestDag:
    def test_says_what_it_is_for(self, examples, dag_id):
        assert len(examples["dags"][dag_id]["doc"].split()) > 10
        assert examples["dags"][dag_id]["tags"]

    def test_starts_at_most_hourly_by_hand_or_on_events_and_never_for_the_past(self, examples, dag_id):
        assert REGULARLY_BY_HAND_OR_ON_EVENTS.fullmatch(examples["dags"][dag_id]["schedule"])
        assert not examples["dags"][dag_id]["catchup"]

    def test_is_the_same_after_it_was_stored(self, examples, dag_id):
        dag = examples["dags"][dag_id]
        assert dag["tasks"]
        assert dag["tasks_after_storing"] == dag["tasks"]


def test_a_dag_that_asks_somebody_while_it_is_read_is_found_out(tmp_path):
    asking = 'from airflow.sdk import DAG\nimport socket\nsocket.create_connection(("127.0.0.1", 9))\n'
    (tmp_path / "asking.py").write_text(asking)
    assert "while DAGs are read" in str(read(tmp_path)["errors"])
