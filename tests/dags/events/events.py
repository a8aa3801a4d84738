"""A DAG scheduled on what happens in Assemblyline, for the tests of that; each run tells what it runs for."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task

from self_hosted.assemblyline.triggers import AssemblylineAlertTrigger, AssemblylineSubmissionTrigger

WATCHED: dict[str, Any] = {"query": 'metadata.watched:"yes"', "poll_interval": 1}
ALERTS = Asset("assemblyline_alerts", watchers=[AssetWatcher(name="all", trigger=AssemblylineAlertTrigger(**WATCHED))])
SUBMISSIONS = Asset(
    "assemblyline_submissions", watchers=[AssetWatcher(name="all", trigger=AssemblylineSubmissionTrigger(**WATCHED))]
)

with DAG("on_events", schedule=(ALERTS | SUBMISSIONS)):

    @task
    def told(triggering_asset_events: Any = None) -> list[list[Any]]:
        """The name of the asset, the submission, and whether it may have been told before."""
        return [
            [asset.name, one["sid"], one["again"]]
            for asset, events in triggering_asset_events.items()
            for event in events
            for one in event.extra["payload"]["news"]
        ]

    told()
