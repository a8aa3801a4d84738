"""Reads a folder of DAGs as Airflow's DAG processor does, where nothing may go over the network; prints what it found.

A program of its own, since what it forbids cannot be allowed again: ``python -m tests.dags.reading FOLDER``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.serialization import serialized_objects

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow 3.1
    from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

FORBIDDEN = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system"}


def forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FORBIDDEN:
        raise RuntimeError(f"{event}{arguments} while DAGs are read")


def shape(dag: Any) -> dict[str, list[str]]:
    return {task_id: sorted(task.downstream_task_ids) for task_id, task in sorted(dag.task_dict.items())}


def facts(dag: Any, read: Any) -> dict[str, Any]:
    return {
        "schedule": read.timetable.summary,
        "catchup": dag.catchup,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "tasks": shape(dag),
        "tasks_after_storing": shape(read),
    }


def main(folder: str) -> None:
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    sys.addaudithook(forbid)
    bag = DagBag(dag_folder=folder)
    found = {}
    for dag_id, dag in bag.dags.items():
        stored = json.dumps(serializer.to_dict(dag))
        found[dag_id] = facts(dag, serializer.from_dict(json.loads(stored)))
    print(json.dumps({"dags": found, "errors": bag.import_errors, "warnings": bag.captured_warnings}))


if __name__ == "__main__":
    main(sys.argv[1])
