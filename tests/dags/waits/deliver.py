"""A DAG that scans a delivered file; a param of the run is its path."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator

with DAG("deliver", schedule=None, params={"file": Param("", type="string")}):
    AssemblylineSubmitFileOperator(task_id="scan", file="{{ params.file }}", deferrable=False, poll_interval=1)
