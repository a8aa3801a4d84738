"""Runs of the DAGs in ``waits``, which wait for a submission."""

from __future__ import annotations

from demo.api import Task
from demo.environment import Environment
from tests.dags.environment import wait_until


class WaitRun:
    """A run of a DAG whose only task waits for its submission.

    :param environment: Airflow and the sandbox
    :param place: "worker" or "triggerer"
    :param seconds: duration of the analysis
    """

    def __init__(self, environment: Environment, place: str, seconds: int = 3600) -> None:
        self.environment, self.api = environment, environment.airflow.api
        self.place, self.dag_id = place, f"wait_in_{place}"
        environment.airflow.wait_for_dag(self.dag_id)
        self.run_id = self.api.trigger_run(self.dag_id, {"seconds": seconds})

    @property
    def task(self) -> Task:
        """The task instance."""
        [task] = self.api.list_tasks(self.dag_id, self.run_id)
        return task

    @property
    def pid(self) -> int:
        """The process that runs the task."""
        pid = self.task.pid
        assert pid is not None
        return pid

    @property
    def assemblyline_url(self) -> str:
        """Address of the sandbox's Assemblyline."""
        return str(self.environment.get_connections()["assemblyline_default"]["host"])

    def list_submissions(self) -> list[str]:
        """Return the ids of its submissions that exist."""
        submissions = self.environment.get_state()["assemblyline"]["submissions"]
        return [row["sid"] for row in submissions if row["name"] == self.run_id]

    def wait_for_submission(self) -> str:
        """Wait until the task waits, and return the id of its submission."""
        state = "deferred" if self.place == "triggerer" else "running"
        wait_until(lambda: self.task.state == state)
        [sid] = wait_until(self.list_submissions)
        message = f"for submission {sid}" if self.place == "worker" else f"trigger {self.dag_id}/{self.run_id}"
        wait_until(lambda: message in self.api.get_log(self.task))
        return str(sid)

    def wait_for_end(self) -> str:
        """Wait until the task ends, and return its state."""
        wait_until(lambda: self.task.state in {"success", "failed"})
        return self.task.state.value if self.task.state else ""
