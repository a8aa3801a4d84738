"""Keep some rules of Rudder switched on (or off): one task per rule, a reason that names the run, a report at the end.

Runs every day. A rule that is as wanted already is left alone: nothing is sent, its outcome is `unchanged`. Where
Rudder wants changes validated, the task waits in the triggerer, for up to three days, until people deployed the change
request; when they decline it, the task fails. A retry finds the change request of the try before, and opens no second.

Needs the connection `rudder_default`. The parameters can be changed when the DAG is triggered by hand.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from self_hosted.rudder.operators import RudderUpdateRuleOperator

RULES = ["0e6d2f1a-3c44-4b8e-a1b7-6f1c9d2e5a02", "4a7b9c3d-58e1-4f62-b0d9-2e8a6c1f7b03", "time-synchronisation"]

with DAG(
    "example_rudder",
    description="Keep rules of Rudder switched on",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "rules": Param(RULES, type="array", description="Ids of the rules"),
        "enabled": Param(True, type="boolean", description="Whether they are to be applied"),
    },
    tags=["example", "rudder"],
):

    @task
    def chosen() -> list[str]:
        """The rules, of which each gets a task of its own."""
        rules: list[str] = get_current_context()["params"]["rules"]
        return rules

    updates = RudderUpdateRuleOperator.partial(
        task_id="switch",
        enabled="{{ params.enabled }}",
        reason="Wanted {{ 'on' if params.enabled else 'off' }} by Airflow run {{ run_id }}",
        change_request_name="Airflow: {{ dag.dag_id }}",
        wait_for_change_request=True,
        deferrable=True,
        poll_interval=60,
        wait_timeout=timedelta(days=3).total_seconds(),
    ).expand(rule_id=chosen())

    @task
    def report(results: Any) -> list[str]:
        """Say what became of each rule."""
        return [f"{result['rule_id']}: {result['outcome']}" for result in results]

    report(updates.output)
