"""A DAG that runs on events of Assemblyline, for the tests of event triggers; each run returns its items."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, get_current_context, task

from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core.events.consume import new_items

WATCHED: dict[str, Any] = {"query": 'metadata.watched:"yes"', "poll_interval": 1}
ALERTS = Asset("assemblyline_alerts", watchers=[AssetWatcher(name="all", trigger=AssemblylineAlertTrigger(**WATCHED))])
SUBMISSIONS = Asset(
    "assemblyline_submissions", watchers=[AssetWatcher(name="all", trigger=AssemblylineSubmissionTrigger(**WATCHED))]
)

with DAG("on_events", schedule=(ALERTS | SUBMISSIONS)):

    @task(inlets=[ALERTS, SUBMISSIONS])
    def list_items() -> list[list[str]]:
        """Return asset and submission of each new item."""
        context = get_current_context()
        return [[asset.name, item["sid"]] for asset in (ALERTS, SUBMISSIONS) for item in new_items(context, asset)]

    list_items()
