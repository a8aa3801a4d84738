"""Airflow's REST API, as far as the demonstration and the tests need it: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

ENDED = {"success", "failed"}


class Api:
    """The API of an Airflow that asks for no password.

    :param url: where it is served
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy stands between us and loopback
        # Airflow answers 500 when another of its processes holds SQLite's lock for too long
        locked = Retry(5, status_forcelist=[500], allowed_methods=None, backoff_factor=0.3, raise_on_status=False)
        self.session.mount(url, HTTPAdapter(max_retries=locked))

    def health(self) -> dict[str, Any]:
        """The state of each component."""
        return self._ask("GET", "/api/v2/monitor/health")  # type: ignore[no-any-return]

    def connect(self, conn_id: str, connection: Mapping[str, Any]) -> None:
        """Store a connection.

        :param conn_id: its name
        :param connection: as in the JSON of ``AIRFLOW_CONN_...``
        """
        extra = json.dumps(connection.get("extra", {}))
        self._create("/api/v2/connections", {**connection, "connection_id": conn_id, "extra": extra})

    def dags(self) -> list[str]:
        """The ids of the DAGs that Airflow has read so far."""
        return [dag["dag_id"] for dag in self._ask("GET", "/api/v2/dags")["dags"]]

    def import_errors(self) -> list[dict[str, Any]]:
        """The DAG files that could not be read, and why."""
        return self._ask("GET", "/api/v2/importErrors")["import_errors"]  # type: ignore[no-any-return]

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a run and return its id.

        :param dag_id: the DAG
        :param conf: values of its params
        :param run_id: an id of one's own choice
        """
        run_id = run_id or f"run-{uuid4()}"
        body = {"logical_date": None, "conf": conf or {}, "dag_run_id": run_id}
        self._create(f"/api/v2/dags/{dag_id}/dagRuns", body)
        return run_id

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a run."""
        return str(self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        return self._ask("GET", path)["task_instances"]  # type: ignore[no-any-return]

    def result(self, task: Mapping[str, Any]) -> Any:
        """What a task instance returned, or None."""
        path = f"{self._path(task)}/xcomEntries/return_value?map_index={task['map_index']}&deserialize=true"
        try:
            value = self._ask("GET", path)["value"]
        except requests.HTTPError:
            return None
        return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value

    def links(self, task: Mapping[str, Any]) -> list[str]:
        """The links of a task instance that lead somewhere."""
        path = f"{self._path(task)}/links?map_index={task['map_index']}"
        return [url for url in self._ask("GET", path)["extra_links"].values() if url]

    def mark(self, task: Mapping[str, Any], state: str) -> None:
        """Give a task instance another state, as a person does in the UI.

        :param task: the task instance
        :param state: "failed", "success" or "skipped"
        """
        path = self._path(task) + ("" if task["map_index"] < 0 else f"/{task['map_index']}")
        self._ask("PATCH", path, {"new_state": state})

    def clear(self, task: Mapping[str, Any]) -> None:
        """Clear a task instance, as a person does in the UI.

        :param task: the task instance
        """
        body = {"dry_run": False, "only_failed": False, "dag_run_id": task["dag_run_id"], "task_ids": [task["task_id"]]}
        self._ask("POST", f"/api/v2/dags/{task['dag_id']}/clearTaskInstances", body)

    def log(self, task: Mapping[str, Any]) -> str:
        """The log of the last try of a task instance, as text."""
        return "\n".join(str(entry.get("event", "")) for entry in self._log(task))

    def error(self, task: Mapping[str, Any]) -> str:
        """The words of the exception that ended a task instance's last try, or nothing."""
        raised = [detail for entry in self._log(task) for detail in entry.get("error_detail") or []]
        return str(raised[-1]["exc_value"]) if raised else ""

    def watch(self, dag_id: str, run_id: str, seconds: float) -> Iterator[list[dict[str, Any]]]:
        """The run's task instances, again and again until it has ended.

        :raises TimeoutError: when it has not ended after so many seconds
        """
        deadline = time.monotonic() + seconds
        while (state := self.state(dag_id, run_id)) not in ENDED:
            yield self.tasks(dag_id, run_id)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{dag_id}, run {run_id} is still {state} after {seconds:.0f} s")
            time.sleep(0.5)
        yield self.tasks(dag_id, run_id)

    def _log(self, task: Mapping[str, Any]) -> list[dict[str, Any]]:
        path = f"{self._path(task)}/logs/{max(task['try_number'], 1)}?map_index={task['map_index']}&full_content=true"
        return self._ask("GET", path)["content"]  # type: ignore[no-any-return]

    @staticmethod
    def _path(task: Mapping[str, Any]) -> str:
        return f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"

    def _create(self, path: str, body: Any) -> None:
        """Create something once: a conflict means that an attempt whose answer was 500 did it."""
        self._ask("POST", path, body, fine={409})

    def _ask(self, method: str, path: str, body: Any = None, fine: Collection[int] = ()) -> Any:
        if not path.endswith("/health") and "Authorization" not in self.session.headers:
            token = self.session.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
            self.session.headers["Authorization"] = f"Bearer {token}"
        answer = self.session.request(method, self.url + path, json=body, timeout=30)
        if not answer.ok and answer.status_code not in fine:
            raise requests.HTTPError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json()
