"""Respond to each alert as soon as Assemblyline raises it, before an analyst has seen it.

The DAG runs when there are new alerts; watching them takes no worker, since the triggerer asks for all of them at once.
For each alert of a run:

1. It is labelled, and assessed from then on, so that analysts see that somebody is at it.
2. A report is written into `reports`: all that Assemblyline found, for the ticket or the mail.
3. If its submission is malicious, the alert becomes critical, and the file goes on the badlist. Other alerts are left
   to an analyst.

By hand, the DAG takes the alert that `alert_id` names. Needs the connection `assemblyline_default`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import Asset, AssetWatcher, Param, dag, get_current_context, task, task_group

from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineReportOperator,
    AssemblylineUpdateAlertOperator,
)
from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger

LABEL = "AIRFLOW"  # Assemblyline has labels in capitals
NEW_ALERTS = AssemblylineAlertTrigger(query="*", poll_interval=30)
ALERTS = Asset("assemblyline_alerts", watchers=[AssetWatcher(name="new alerts", trigger=NEW_ALERTS)])


@dag(
    schedule=[ALERTS],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "alert_id": Param("", type="string", description="the alert to respond to, when started by hand"),
        "reports": Param("/srv/reports", type="string", description="folder or prefix: a path or a URI"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_alert_response() -> None:
    """Respond to each of the alerts that a run is for."""

    @task(inlets=[ALERTS])
    def alerts(alert_id: str) -> list[dict[str, str]]:
        """The alerts that the run is for, or the one that was named."""
        from self_hosted.assemblyline.hook import AssemblylineHook
        from self_hosted.core.news import news_of

        told = news_of(get_current_context(), ALERTS)
        if alert_id:
            alert = AssemblylineHook().alert(alert_id)
            told.append({**alert, "sha256": alert["file"]["sha256"]})
        if not told:
            raise AirflowSkipException("nothing to respond to")
        return [{name: alert[name] for name in ("alert_id", "sid", "sha256")} for alert in told]

    @task
    def is_malicious(report: Any) -> None:
        """Skip the rest for all others."""
        if report["verdict"] != "malicious":
            raise AirflowSkipException(f"left to an analyst, for it is {report['verdict']}: {report['url']}")

    @task_group
    def respond(alert_id: str, sid: str, sha256: str) -> None:
        """Respond to one alert."""
        assess = AssemblylineUpdateAlertOperator(
            task_id="assess", alert_id=alert_id, add_labels=[LABEL], status="ASSESS"
        )
        report = AssemblylineReportOperator(
            task_id="report", sid=sid, output_file="{{ params.reports }}/{{ task.sid }}.json"
        )
        escalate = AssemblylineUpdateAlertOperator(
            task_id="escalate", alert_id=alert_id, priority="CRITICAL", status="MALICIOUS"
        )
        block = AssemblylineAddToListOperator(
            task_id="block",
            list_name="badlist",
            hashes=[sha256],
            reason="Raised an alert and was found malicious",
        )
        assess >> report
        is_malicious(report.output) >> [escalate, block]

    respond.expand_kwargs(alerts("{{ params.alert_id }}"))


assemblyline_alert_response()
