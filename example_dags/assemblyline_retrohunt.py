"""Run a new YARA rule on all files that Assemblyline still has, and analyse the hits again.

Trigger this DAG manually with a new rule. The run

1. runs a retrohunt, which may take hours: the task waits deferred, and writes all hits to `hits`, one line per file;
2. resubmits the hits: a file that was harmless a month ago may be known today;
3. labels the alerts of these files, so that analysts see the hit.

More hits than `max_hits` mean that the rule is too broad: the run fails. Needs the connection `assemblyline_default`,
and a server with retrohunt.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import Param, dag, task

from self_hosted.assemblyline.operators import (
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineUpdateAlertsOperator,
)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "rule": Param("/srv/hunts/new.yar", type="string", description="file with the rule"),
        "label": Param("RETROHUNT", type="string", description="label of the alerts"),
        "hits": Param("/srv/hunts/hits.jsonl", type="string", description="file for all hits"),
        "max_hits": Param(100, type="integer", minimum=1, description="more hits fail the run"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_retrohunt() -> None:
    """Hunt, resubmit, label."""

    @task
    def hit_files(hunt: Any, max_hits: Any) -> list[str]:
        """Return the hashes of the hits."""
        if not hunt["total_hits"]:
            raise AirflowSkipException(f"the rule matches no file: {hunt['url']}")
        if hunt["total_hits"] > int(max_hits):
            raise AirflowFailException(
                f"the rule matches {hunt['total_hits']} files, more than {max_hits}: {hunt['url']}"
            )
        lines = Path(hunt["output_uri"]).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["sha256"] for line in lines]

    @task
    def build_query(files: Any) -> str:
        """Return a query for all alerts of these files."""
        from self_hosted.assemblyline.api.search import lucene

        return f"file.sha256:{lucene.quote_any(files)}"

    @task(trigger_rule="all_done")
    def report(analysed: Any) -> list[str]:
        """Return the new verdicts."""
        return [f"{found['verdict']}: {found['url']}" for found in analysed]

    hunt = AssemblylineRetrohuntOperator(
        task_id="hunt",
        file="{{ params.rule }}",
        description="{{ params.rule }}, run {{ run_id }}",
        output_uri="{{ params.hits }}",
        deferrable=True,
        wait_timeout=24 * 3600,
    )
    files = hit_files(hunt.output, "{{ params.max_hits }}")
    analysed = AssemblylineResubmitOperator.partial(
        task_id="resubmit",
        submission_params={"ignore_cache": True},  # otherwise the services return their earlier results
        metadata={"retrohunt": "{{ params.rule }}"},
        deferrable=True,
        max_active_tis_per_dagrun=5,  # the default quota of running submissions per user
    ).expand(sha256=files)
    alerts: Any = build_query(files)
    AssemblylineUpdateAlertsOperator(
        task_id="label_alerts",
        query=alerts,
        add_labels=["{{ params.label }}"],
        max_items=1000,
    )
    report(analysed.output)


assemblyline_retrohunt()
