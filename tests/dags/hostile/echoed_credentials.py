"""A DAG with failing tasks of each product, whose server repeats the credential: in workers, deferred, and retried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.assemblyline.sensors import AssemblylineSubmissionSensor
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.atrocore.sensors import AtrocoreJobSensor
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.ayon.sensors import AyonEventSensor
from self_hosted.rudder.operators import RudderUpdateRuleOperator
from self_hosted.rudder.sensors import RudderChangeRequestSensor

OPERATORS: dict[str, Any] = {
    "assemblyline": (AssemblylineSubmitFileOperator, {"content": "hello", "name": "hello.txt"}),
    "atrocore": (AtrocoreSyncProductsOperator, {"source": [{"number": "1", "name": "One"}]}),
    "ayon": (AyonCreateProjectOperator, {"name": "echo", "code": "echo"}),
    "rudder": (RudderUpdateRuleOperator, {"rule_id": "r1", "enabled": True, "reason": "an echoed credential"}),
}
SENSORS: dict[str, Any] = {
    "assemblyline": (AssemblylineSubmissionSensor, {"sid": "s1"}),
    "atrocore": (AtrocoreJobSensor, {"job_id": "j1"}),
    "ayon": (AyonEventSensor, {"event_id": "e" * 32}),
    "rudder": (RudderChangeRequestSensor, {"change_request_id": 7}),
}

with DAG("echoed_credentials", schedule=None, default_args={"retries": 1, "retry_delay": timedelta(seconds=1)}):
    for product, (operator, arguments) in OPERATORS.items():
        for status in (403, 503):
            connection = {f"{product}_conn_id": f"{product}_echo_{status}"}
            operator(task_id=f"{product}_worker_{status}", **connection, **arguments)
    for product, (sensor, arguments) in SENSORS.items():
        connection = {f"{product}_conn_id": f"{product}_echo_403"}
        sensor(task_id=f"{product}_deferred", deferrable=True, poke_interval=1, **connection, **arguments)
