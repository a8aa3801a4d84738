"""Respond to each alert as soon as Assemblyline raises it, before an analyst has seen it.

The DAG runs when there are new alerts. Watching them takes no worker: the triggerer polls for all of them. For each
alert of a run:

1. Label the alert and set its status to ASSESS, so that analysts see that it is being handled.
2. Write a report to `reports`: all findings of Assemblyline, for a ticket or a mail.
3. If the submission is malicious, make the alert critical, and add the file to the badlist. Leave other alerts to an
   analyst.

Triggered manually, the DAG responds to the alert `alert_id`. Needs the connection `assemblyline_default`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import Asset, AssetWatcher, Param, dag, get_current_context, task, task_group

from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineGetReportOperator,
    AssemblylineUpdateAlertOperator,
)
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger

LABEL = "AIRFLOW"  # Assemblyline stores labels in upper case
NEW_ALERTS = AssemblylineAlertTrigger(query="*", poll_interval=30)
ALERTS = Asset("assemblyline_alerts", watchers=[AssetWatcher(name="new alerts", trigger=NEW_ALERTS)])


@dag(
    schedule=[ALERTS],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "alert_id": Param("", type="string", description="the alert to respond to, if triggered manually"),
        "reports": Param("/srv/reports", type="string", description="folder or prefix: a path or a URI"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_alert_response() -> None:
    """Respond to each new alert."""

    @task(inlets=[ALERTS])
    def alerts(alert_id: str) -> list[dict[str, str]]:
        """Return the new alerts, or the one of the param."""
        from self_hosted.assemblyline.hook import AssemblylineHook
        from self_hosted.core.events.consume import new_items

        found = new_items(get_current_context(), ALERTS)
        if alert_id:
            alert = AssemblylineHook().get_alert(alert_id)
            found.append({**alert, "sha256": alert["file"]["sha256"]})
        if not found:
            raise AirflowSkipException("nothing to respond to")
        return [{name: alert[name] for name in ("alert_id", "sid", "sha256")} for alert in found]

    @task
    def is_malicious(report: Any) -> None:
        """Skip the escalation of all other alerts."""
        if report["verdict"] != "malicious":
            raise AirflowSkipException(f"left to an analyst: the verdict is {report['verdict']}: {report['url']}")

    @task_group
    def respond(alert_id: str, sid: str, sha256: str) -> None:
        """Respond to one alert."""
        assess = AssemblylineUpdateAlertOperator(
            task_id="assess", alert_id=alert_id, add_labels=[LABEL], status="ASSESS"
        )
        report = AssemblylineGetReportOperator(
            task_id="report", sid=sid, output_uri="{{ params.reports }}/{{ task.sid }}.json"
        )
        escalate = AssemblylineUpdateAlertOperator(
            task_id="escalate", alert_id=alert_id, priority="CRITICAL", status="MALICIOUS"
        )
        block = AssemblylineAddToListOperator(
            task_id="block",
            list_name="badlist",
            hashes=[sha256],
            reason="Raised an alert with a malicious verdict",
        )
        assess >> report
        is_malicious(report.output) >> [escalate, block]

    respond.expand_kwargs(alerts("{{ params.alert_id }}"))


assemblyline_alert_response()
