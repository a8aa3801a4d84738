"""DAGs with every sensor and every operator that waits, deferred; what the sensors return is read by a last task.

The params of a run hold the arguments of the sensors: the objects that they wait for exist in the sandbox.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from airflow.sdk import DAG, Param, task

from self_hosted.assemblyline.operators import (
    AssemblylineFetchSignaturesOperator,
    AssemblylineIngestFilesOperator,
    AssemblylineLookUpHashesOperator,
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from self_hosted.assemblyline.sensors import (
    AssemblylineAlertSensor,
    AssemblylineIdleSensor,
    AssemblylineIngestSensor,
    AssemblylineRetrohuntSensor,
    AssemblylineSubmissionSensor,
)
from self_hosted.atrocore.sensors import AtrocoreExportJobSensor, AtrocoreImportJobSensor, AtrocoreJobSensor
from self_hosted.ayon.sensors import (
    AyonBackgroundOperationSensor,
    AyonEntityStatusSensor,
    AyonEventSensor,
    AyonReviewableSensor,
)
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.rudder.sensors import (
    RudderChangeRequestSensor,
    RudderComplianceSensor,
    RudderNodeRunSensor,
    RudderRuleStatusSensor,
)


class Row(NamedTuple):
    """A sensor in the DAG.

    :param sensor: its class
    :param arguments: the names of its arguments, in the order of the values in its `WaitKey`; None for a value that is
        no argument
    :param result_key: a key of its result; None if the result is a text
    """

    sensor: Any
    arguments: tuple[str | None, ...]
    result_key: str | None


SENSORS = (
    Row(AssemblylineAlertSensor, ("query",), "alert_id"),
    Row(AssemblylineIdleSensor, ("query", "idle_seconds"), "idle_seconds"),
    Row(AssemblylineIngestSensor, ("ingest_id",), "verdict"),
    Row(AssemblylineRetrohuntSensor, ("key",), "total_hits"),
    Row(AssemblylineSubmissionSensor, ("sid",), "verdict"),
    Row(AtrocoreExportJobSensor, ("job_id",), "records"),
    Row(AtrocoreImportJobSensor, ("job_id",), "created"),
    Row(AtrocoreJobSensor, ("job_id",), "state"),
    Row(AyonBackgroundOperationSensor, ("operation_id", "project"), "operations"),
    Row(AyonEntityStatusSensor, ("entity_id", "project", "entity_type", "statuses"), "status"),
    Row(AyonEventSensor, ("event_id",), "status"),
    Row(AyonReviewableSensor, ("version_id", "project"), "version_id"),
    Row(RudderChangeRequestSensor, ("change_request_id",), None),
    Row(RudderComplianceSensor, ("rule_id", None, "threshold"), "compliance"),
    Row(RudderNodeRunSensor, ("node", "after"), "last_run"),
    Row(RudderRuleStatusSensor, ("rule_id", "status"), "status"),
)
FOLDER, SHA256 = "{{ params.folder }}", "{{ params.sha256 }}"
RULE = {"rule_id": "{{ params.rule_id }}", "reason": "a test"}
DEFERRED: dict[str, Any] = {"deferrable": True, "poll_interval": 1, "wait_timeout": 300}


def conn_id(task_class: type) -> dict[str, str]:
    """Return the argument that names the connection, to the sandbox of these DAGs."""
    product = task_class.__module__.split(".")[1]
    return {f"{product}_conn_id": f"{product}_deferred"}


def create_sensor(row: Row) -> Any:
    """Return a deferred sensor whose arguments are templates."""
    name = row.sensor.__name__
    arguments = {argument: f"{{{{ params['{name}']['{argument}'] }}}}" for argument in row.arguments if argument}
    return row.sensor(task_id=name, deferrable=True, poke_interval=1, timeout=120, **arguments, **conn_id(row.sensor))


def build_template(row: Row) -> str:
    """Return a template that reads one value of a sensor's result, as the docs show it."""
    key = f"['{row.result_key}']" if row.result_key else ""
    return f"{{{{ ti.xcom_pull('{row.sensor.__name__}'){key} }}}}"


@task
def read(results: dict[str, Any], rendered: dict[str, str], output: str) -> None:
    """Write what the sensors returned, and what the templates made of it, into a file."""
    Path(output).write_text(json.dumps({"results": results, "rendered": rendered}), encoding="utf-8")


with DAG("every_sensor", schedule=None, params={"output": Param("", type="string")}) as sensors:
    tasks = {row.sensor.__name__: create_sensor(row) for row in SENSORS}
    outputs = {name: sensor.output for name, sensor in tasks.items()}
    read(outputs, {row.sensor.__name__: build_template(row) for row in SENSORS}, "{{ params.output }}")

with DAG("every_deferred_operator", schedule=None) as operators:
    for operator, arguments in (
        (AssemblylineFetchSignaturesOperator, {"service": "{{ params.service }}"}),
        (AssemblylineIngestFilesOperator, {"folder": FOLDER, "report_uri": f"{FOLDER}/../ingested.jsonl"}),
        (AssemblylineLookUpHashesOperator, {"hashes": "f" * 64, "submit_if_unknown": True}),
        (AssemblylineResubmitOperator, {"sid": "{{ params.sid }}"}),
        (AssemblylineRetrohuntOperator, {"file": f"{FOLDER}/rule.yar", "description": "{{ run_id }}"}),
        (AssemblylineSubmitFileOperator, {"content": "some file", "name": "a.txt"}),
        (AssemblylineSubmitFilesOperator, {"folder": FOLDER, "report_uri": f"{FOLDER}/../submitted.jsonl"}),
        (AssemblylineSubmitHashOperator, {"hash": SHA256}),
        (AssemblylineSubmitUrlOperator, {"url": "https://good.example/"}),
        (RudderUpdateRuleOperator, {**RULE, "display_name": "{{ run_id }}", "wait_for_completion": True}),
    ):
        operator(task_id=operator.__name__, **arguments, **DEFERRED, **conn_id(operator))
