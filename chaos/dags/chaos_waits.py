"""Many tasks that wait deferred, each for a submission of its own; the submissions end in random order."""

from __future__ import annotations

import os
from random import Random

from airflow.sdk import DAG, task

from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor

TASKS = int(os.environ.get("CHAOS_TASKS", "1"))
SHORTEST, LONGEST_EACH = 30.0, 0.5  # seconds; and seconds for each task, in which Airflow gets all of them to wait

with DAG(dag_id="chaos_waits", schedule=None) as dag:

    @task
    def submit() -> list[str]:
        """Submit as many files, and return the ids of the submissions."""
        import io

        from self_hosted.assemblyline.hook import AssemblylineHook
        from self_hosted.core.flow import Upload

        hook = AssemblylineHook()

        def submitted(number: int) -> str:
            seconds = SHORTEST + Random(number).uniform(0, LONGEST_EACH * TASKS)
            content = f"file {number}\nRIG-SLEEP:{seconds:.1f}\n".encode()
            upload = Upload(f"{number}.txt", lambda: io.BytesIO(content), len(content))
            return str(hook.submit(upload, {})["sid"])

        return [submitted(number) for number in range(TASKS)]

    AssemblylineSubmissionSensor.partial(task_id="wait", deferrable=True, poke_interval=10).expand(sid=submit())
