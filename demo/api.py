"""Airflow's REST API for the demo and the tests, on top of ``apache-airflow-client``.

The constraints pin the client to the version of Airflow, because it validates each response against the models of its
own version. See https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import requests
from airflow_client import client
from airflow_client.client.exceptions import ConflictException, NotFoundException, OpenApiException
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from demo.loopback import get_json

Task = client.TaskInstanceResponse
REQUEST_ERRORS: tuple[type[Exception], ...] = (OpenApiException, HTTPError, requests.RequestException)
FINAL_STATES = {"success", "failed"}
REQUEST_TIMEOUT_SECONDS = 30
POLL_INTERVAL_SECONDS = 0.5
MAX_PAGE_SIZE = 100  # Airflow's own limit


class AirflowApi:
    """The REST API of a running Airflow that requires no password.

    :param url: base URL of the API server
    """

    def __init__(self, url: str) -> None:
        token = get_json(f"{url}/auth/token")["access_token"]
        # Airflow responds with 500 if another of its processes holds SQLite's lock for too long
        retries = Retry(5, status_forcelist=[500], allowed_methods=None, backoff_factor=0.3, raise_on_status=False)
        configuration = client.Configuration(host=url, access_token=token, retries=retries)
        configuration.proxy = None  # loopback is reached directly
        self.client = _Client(configuration)

    def create_connection(self, conn_id: str, connection: Mapping[str, Any]) -> None:
        """Create a connection.

        :param conn_id: its id
        :param connection: its fields, as in the JSON of ``AIRFLOW_CONN_...``
        """
        with suppress(ConflictException):  # an attempt with the response 500 may have created it
            client.ConnectionApi(self.client).post_connection(_build_connection(conn_id, connection))

    def update_connection(self, conn_id: str, connection: Mapping[str, Any]) -> None:
        """Replace fields of a connection.

        :param conn_id: its id
        :param connection: see `create_connection`; the other fields keep their values
        """
        client.ConnectionApi(self.client).patch_connection(conn_id, _build_connection(conn_id, connection))

    def list_dags(self) -> list[str]:
        """Return the ids of the DAGs that Airflow has parsed so far."""
        return [dag.dag_id for dag in client.DAGApi(self.client).get_dags().dags]

    def unpause_dag(self, dag_id: str) -> None:
        """Let the runs of a DAG start, including those of its schedule.

        :param dag_id: the DAG
        """
        # as raw JSON: nothing of the response is needed
        body = client.DAGPatchBody(is_paused=False)
        _read_json(client.DAGApi(self.client).patch_dag_without_preload_content(dag_id, body))

    def list_import_errors(self) -> list[client.ImportErrorResponse]:
        """Return the errors of DAG files that Airflow cannot import."""
        return client.ImportErrorApi(self.client).get_import_errors().import_errors

    def trigger_run(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a DAG run and return its id.

        :param dag_id: the DAG
        :param conf: values of its params
        :param run_id: the id of the run; a random one by default
        """
        run_id = run_id or f"run-{uuid4()}"
        body = client.TriggerDAGRunPostBody(conf=dict(conf or {}), dag_run_id=run_id)
        with suppress(ConflictException):  # an attempt with the response 500 may have started it
            client.DagRunApi(self.client).trigger_dag_run(dag_id, body)
        return run_id

    def list_runs(self, dag_id: str) -> list[client.DAGRunResponse]:
        """Return the runs of a DAG, at most 100."""
        return client.DagRunApi(self.client).get_dag_runs(dag_id, limit=MAX_PAGE_SIZE).dag_runs

    def get_run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a DAG run."""
        return client.DagRunApi(self.client).get_dag_run(dag_id, run_id).state.value

    def list_tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """Return all task instances of a DAG run, page by page."""
        api, tasks = client.TaskInstanceApi(self.client), list[Task]()
        while True:
            page = api.get_task_instances(dag_id, run_id, limit=MAX_PAGE_SIZE, offset=len(tasks)).task_instances
            tasks += page
            if len(page) < MAX_PAGE_SIZE:
                return tasks

    def count_tasks(self, dag_id: str, run_id: str, *states: str) -> int:
        """Return the number of task instances of a DAG run.

        :param states: the states to count; all by default
        """
        page = client.TaskInstanceApi(self.client).get_task_instances(dag_id, run_id, limit=1, state=[*states])
        return page.total_entries or 0

    def get_result(self, task: Task) -> Any:
        """Return the result of a task instance, or None if it has none."""
        try:
            entry = client.XComApi(self.client).get_xcom_entry(
                **_identify(task), xcom_key="return_value", deserialize=True
            )
        except NotFoundException:
            return None
        return entry.actual_instance.value if entry.actual_instance else None

    def list_links(self, task: Task) -> list[str]:
        """Return the URLs of a task instance's links."""
        # as raw JSON: the client's model rejects the null of a link without URL
        response = client.ExtraLinksApi(self.client).get_extra_links_without_preload_content(**_identify(task))
        return [url for url in _read_json(response)["extra_links"].values() if url]

    def set_state(self, task: Task, state: str) -> None:
        """Set the state of a task instance, as the UI does.

        :param task: the task instance
        :param state: "failed", "success" or "skipped"
        """
        body = client.PatchTaskInstanceBody.model_validate({"new_state": state})
        client.TaskInstanceApi(self.client).patch_task_instance(**_identify(task), patch_task_instance_body=body)

    def clear(self, task: Task) -> None:
        """Clear a task instance, as the UI does."""
        task_ids = [client.ClearTaskInstancesBodyTaskIdsInner(task.task_id)]
        body = client.ClearTaskInstancesBody(
            dry_run=False, only_failed=False, dag_run_id=task.dag_run_id, task_ids=task_ids
        )
        client.TaskInstanceApi(self.client).post_clear_task_instances(task.dag_id, body)

    def get_question(self, task: Task) -> tuple[str, str]:
        """Return subject and body of what a task asks people."""
        detail = client.TaskInstanceApi(self.client).get_hitl_detail_without_preload_content(**_identify(task))
        question = _read_json(detail)
        return question["subject"], question["body"]

    def answer(self, task: Task, option: str) -> None:
        """Answer a task that asks people.

        :param option: such as "Approve"
        """
        body = client.UpdateHITLDetailPayload(chosen_options=[option], params_input={})
        client.TaskInstanceApi(self.client).update_hitl_detail(**_identify(task), update_hitl_detail_payload=body)

    def get_log(self, task: Task) -> str:
        """Return the log of a task instance's last try, as text."""
        return "\n".join(str(message.get("event", "")) for message in self._list_messages(task))

    def get_error(self, task: Task) -> str:
        """Return the message of the exception that ended a task instance's last try, or an empty text."""
        details = [message.get("error_detail") or [] for message in self._list_messages(task)]
        raised = [exception["exc_value"] for detail in details for exception in detail]
        return str(raised[-1]) if raised else ""

    def watch_run(self, dag_id: str, run_id: str, timeout_seconds: float) -> Iterator[list[Task]]:
        """Yield the task instances of a DAG run at intervals, and a last time after its end.

        :raises TimeoutError: if the run does not end in time
        """
        deadline = time.monotonic() + timeout_seconds
        while (state := self.get_run_state(dag_id, run_id)) not in FINAL_STATES:
            yield self.list_tasks(dag_id, run_id)
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run_id} of DAG {dag_id} is still {state} after {timeout_seconds:.0f} s")
            time.sleep(POLL_INTERVAL_SECONDS)
        yield self.list_tasks(dag_id, run_id)

    def _list_messages(self, task: Task) -> list[dict[str, Any]]:
        # as raw JSON: the client's model drops all fields except the text, such as the details of an exception
        response = client.TaskInstanceApi(self.client).get_log_without_preload_content(
            **_identify(task), try_number=max(task.try_number, 1), full_content=True
        )
        return _read_json(response)["content"]  # type: ignore[no-any-return]


class _Client(client.ApiClient):
    """The client with a time limit for each request: without one, an Airflow that hangs would block the tests."""

    def call_api(self, *request: Any, **fields: Any) -> Any:
        """Send a request."""
        return super().call_api(*request, **{**fields, "_request_timeout": REQUEST_TIMEOUT_SECONDS})


def _read_json(response: BaseHTTPResponse) -> Any:
    if response.status >= 400:
        raise client.ApiException(response.status, response.reason, body=response.data.decode())
    return response.json()


def _build_connection(conn_id: str, connection: Mapping[str, Any]) -> client.ConnectionBody:
    # not "{}": Airflow would log in each task that this is too short for a secret to be masked
    extra = json.dumps(connection["extra"]) if connection.get("extra") else None
    return client.ConnectionBody.model_validate({**connection, "connection_id": conn_id, "extra": extra})


def _identify(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("dag_id", "dag_run_id", "task_id", "map_index")}
