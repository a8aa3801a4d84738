"""Parse a folder of DAGs as Airflow's DAG processor does, without network access, and print a description of them.

It is a program of its own, because an audit hook cannot be removed: ``python -m tests.dags.parse_dags FOLDER``.
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


def raise_if_forbidden(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise an error for an audit event that parsing must not cause."""
    if event in FORBIDDEN:
        raise RuntimeError(f"{event}{arguments} during parsing")


def list_downstream(dag: Any) -> dict[str, list[str]]:
    """Return the downstream tasks of each task."""
    return {task_id: sorted(task.downstream_task_ids) for task_id, task in sorted(dag.task_dict.items())}


def describe(dag: Any, stored: Any) -> dict[str, Any]:
    """Return the description of a DAG.

    :param dag: the DAG
    :param stored: the same DAG after Airflow has stored it
    """
    return {
        "schedule": stored.timetable.summary,
        "catchup": dag.catchup,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "tasks": list_downstream(dag),
        "stored_tasks": list_downstream(stored),
    }


def main(folder: str) -> None:
    """Print the descriptions of all DAGs of a folder, and the errors and warnings, as JSON."""
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    sys.addaudithook(raise_if_forbidden)
    bag = DagBag(dag_folder=folder)
    dags = {}
    for dag_id, dag in bag.dags.items():
        stored = json.loads(json.dumps(serializer.to_dict(dag)))
        dags[dag_id] = describe(dag, serializer.from_dict(stored))
    print(json.dumps({"dags": dags, "errors": bag.import_errors, "warnings": bag.captured_warnings}))


if __name__ == "__main__":
    main(sys.argv[1])
