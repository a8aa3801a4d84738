"""Many deferred tasks, each waiting for a submission of its own; the submissions complete in random order."""

from __future__ import annotations

import os
from random import Random

from airflow.sdk import DAG, task

from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor

TASKS = int(os.environ.get("CHAOS_TASKS", "1"))
MIN_ANALYSIS_SECONDS = 30.0
ANALYSIS_SECONDS_PER_TASK = 0.5  # Airflow takes that long to defer a task

with DAG(dag_id="chaos_waits", schedule=None) as dag:

    @task
    def submit() -> list[str]:
        """Submit one file per task, and return the ids of the submissions."""
        import io

        from self_hosted.assemblyline.hook import AssemblylineHook
        from self_hosted.core.http.flow import Upload

        hook = AssemblylineHook()

        def submit_file(number: int) -> str:
            seconds = MIN_ANALYSIS_SECONDS + Random(number).uniform(0, ANALYSIS_SECONDS_PER_TASK * TASKS)
            content = f"file {number}\nRIG-SLEEP:{seconds:.1f}\n".encode()
            upload = Upload(f"{number}.txt", lambda: io.BytesIO(content), len(content))
            return str(hook.submit(upload, {})["sid"])

        return [submit_file(number) for number in range(TASKS)]

    AssemblylineSubmissionSensor.partial(task_id="wait", deferrable=True, poke_interval=10).expand(sid=submit())
