"""A DAG scheduled on what happens in Assemblyline, for the tests of that; each run tells what it runs for."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, get_current_context, task

from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger
from self_hosted.core.news import news_of

WATCHED: dict[str, Any] = {"query": 'metadata.watched:"yes"', "poll_interval": 1}
ALERTS = Asset("assemblyline_alerts", watchers=[AssetWatcher(name="all", trigger=AssemblylineAlertTrigger(**WATCHED))])
SUBMISSIONS = Asset(
    "assemblyline_submissions", watchers=[AssetWatcher(name="all", trigger=AssemblylineSubmissionTrigger(**WATCHED))]
)

with DAG("on_events", schedule=(ALERTS | SUBMISSIONS)):

    @task(inlets=[ALERTS, SUBMISSIONS])
    def told() -> list[list[str]]:
        """The name of the asset, and the submission."""
        context = get_current_context()
        return [[asset.name, one["sid"]] for asset in (ALERTS, SUBMISSIONS) for one in news_of(context, asset)]

    told()
