"""Every example DAG is parsed and stored without warnings and without network access."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.meta.source import assert_none

EXAMPLES = Path(__file__).parents[2] / "example_dags"
SCHEDULE = re.compile(r"\d+ (\d+|\*) \* \* \*|None|Asset")
"""At most hourly, on request, or on events."""


def parse(folder: Path) -> dict[str, Any]:
    """Return the DAGs of a folder, and the errors and warnings of their files."""
    command = [sys.executable, "-m", "tests.dags.parse_dags", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES.parent)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    return parse(EXAMPLES)


@pytest.fixture
def dags(parsed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(parsed["dags"])


# Airflow 3.1 warns about an import of the ApprovalOperator of the standard provider that is released with it
OF_AIRFLOW = "airflow.operators.branch.BranchMixIn"


def test_the_files_have_no_errors_and_warnings(parsed):
    assert parsed["errors"] == {}
    assert_none(text for texts in parsed["warnings"].values() for text in texts if OF_AIRFLOW not in text)


def test_each_file_defines_the_dag_of_its_name(dags):
    assert sorted(dags) == sorted(path.stem for path in EXAMPLES.glob("*.py"))


def test_each_dag_has_a_description_and_tags(dags):
    assert_none(dag_id for dag_id, dag in dags.items() if len(dag["doc"].split()) <= 10 or not dag["tags"])


def test_dags_run_at_most_hourly_and_never_for_the_past(dags):
    assert_none(
        f"{dag_id}: {dag['schedule']}" for dag_id, dag in dags.items() if not SCHEDULE.fullmatch(dag["schedule"])
    )
    assert_none(f"{dag_id}: catchup" for dag_id, dag in dags.items() if dag["catchup"])


def test_stored_dags_have_the_same_tasks(dags):
    assert all(dag["tasks"] for dag in dags.values())
    assert_none(dag_id for dag_id, dag in dags.items() if dag["stored_tasks"] != dag["tasks"])


def test_a_dag_that_uses_the_network_is_reported(tmp_path):
    source = 'from airflow.sdk import DAG\nimport socket\nsocket.create_connection(("127.0.0.1", 9))\n'
    (tmp_path / "connecting.py").write_text(source)
    assert "during parsing" in str(parse(tmp_path)["errors"])
