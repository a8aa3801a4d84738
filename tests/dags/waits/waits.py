"""DAGs with one task that waits, mapped in a worker; a param of the run is the duration of the analysis."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor

CONTENT = "{{ run_id }} RIG-SLEEP:{{ params.seconds }}"

for place, deferrable in (("worker", False), ("triggerer", True)):
    with DAG(f"wait_in_{place}", schedule=None, params={"seconds": Param(3600, type="integer")}):
        arguments: dict[str, Any] = {
            "task_id": "wait",
            "content": CONTENT,
            "name": "{{ run_id }}",
            "deferrable": deferrable,
            "poll_interval": 1,
            "wait_timeout": 3600,
            "retries": 2,
            "retry_delay": timedelta(seconds=1),
        }
        if deferrable:
            AssemblylineSubmitFileOperator(**arguments)
        else:
            AssemblylineSubmitFileOperator.partial(**arguments).expand(metadata=[{"case": "7"}])

with DAG("wait_from_trigger", schedule=None, params={"sid": Param("", type="string")}):
    AssemblylineSubmissionSensor(task_id="wait", sid="{{ params.sid }}", start_from_trigger=True, poke_interval=1)
    AssemblylineSubmissionSensor(
        task_id="end", sid="{{ params.sid }}", start_from_trigger=True, poke_interval=1, do_xcom_push=False
    )

with DAG("wait_rescheduled", schedule=None, params={"sid": Param("", type="string")}):
    # Airflow fails a task that is queued again before the scheduler has noticed the end of its poke (seen in 3.3.2)
    AssemblylineSubmissionSensor(task_id="wait", sid="{{ params.sid }}", mode="reschedule", poke_interval=10)
