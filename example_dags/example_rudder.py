"""Keep some rules of Rudder enabled (or disabled): one task per rule, a reason that names the run, and a report.

Runs every day. If a rule already has the desired value, nothing is sent and its outcome is `unchanged`. Where Rudder
validates changes, the task waits in the triggerer for up to three days, until the change request is deployed; it fails
if the change request is declined. A retry finds the change request of the earlier try and opens no second one.

Needs the connection `rudder_default`. The parameters can be changed when the DAG is triggered manually.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from self_hosted.rudder.operators import RudderUpdateRuleOperator

RULES = ["0e6d2f1a-3c44-4b8e-a1b7-6f1c9d2e5a02", "4a7b9c3d-58e1-4f62-b0d9-2e8a6c1f7b03", "time-synchronisation"]

with DAG(
    "example_rudder",
    description="Keep rules of Rudder enabled",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "rules": Param(RULES, type="array", description="Ids of the rules"),
        "enabled": Param(True, type="boolean", description="Whether the rules are enabled"),
    },
    tags=["example", "rudder"],
):

    @task
    def select_rules() -> list[str]:
        """Return the ids of the rules; each gets a task of its own."""
        rules: list[str] = get_current_context()["params"]["rules"]
        return rules

    updates = RudderUpdateRuleOperator.partial(
        task_id="switch",
        enabled="{{ params.enabled }}",
        reason="Set to {{ 'enabled' if params.enabled else 'disabled' }} by Airflow run {{ run_id }}",
        change_request_name="Airflow: {{ dag.dag_id }}",
        wait_for_completion=True,
        deferrable=True,
        poll_interval=60,
        wait_timeout=timedelta(days=3).total_seconds(),
    ).expand(rule_id=select_rules())

    @task
    def report(results: Any) -> list[str]:
        """Return the outcome of each rule."""
        return [f"{result['rule_id']}: {result['outcome']}" for result in results]

    report(updates.output)
