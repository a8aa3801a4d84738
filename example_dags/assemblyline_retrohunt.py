"""Try a new YARA rule on all files that Assemblyline still has, and look at what it finds with today's eyes.

Started by hand when an analyst has written a rule. The run

1. hunts, which may take hours: the task waits deferred, and leaves all hits in `hits`, a line a file;
2. analyses the files it hit anew, for a file that was harmless a month ago may be known today;
3. labels the alerts that these files raised, so that whoever looks at them sees the rule's name.

More hits than `at_most` are a rule to be mended rather than files to be looked at: the run fails then, and says so.
Needs the connection `assemblyline_default`, and a server with retrohunt.
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
        "hits": Param("/srv/hunts/hits.jsonl", type="string", description="file that gets all hits"),
        "at_most": Param(100, type="integer", minimum=1, description="more hits than these are too many"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_retrohunt() -> None:
    """Hunt, analyse anew, label."""

    @task
    def hit_files(hunt: Any, at_most: Any) -> list[str]:
        """The files to look at."""
        if not hunt["total_hits"]:
            raise AirflowSkipException(f"the rule finds nothing: {hunt['url']}")
        if hunt["total_hits"] > int(at_most):
            raise AirflowFailException(f"the rule finds {hunt['total_hits']} files, which is too many: {hunt['url']}")
        lines = Path(hunt["output_file"]).read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["sha256"] for line in lines]

    @task
    def alerts_of(files: Any) -> str:
        """A query for all alerts of these files."""
        from self_hosted.assemblyline.api import any_of

        return f"file.sha256:{any_of(files)}"

    @task(trigger_rule="all_done")
    def report(analysed: Any) -> list[str]:
        """Say what the files are today."""
        return [f"{found['verdict']}: {found['url']}" for found in analysed]

    hunt = AssemblylineRetrohuntOperator(
        task_id="hunt",
        file="{{ params.rule }}",
        description="{{ params.rule }}, hunted by {{ run_id }}",
        output_file="{{ params.hits }}",
        deferrable=True,
        wait_timeout=24 * 3600,
    )
    files = hit_files(hunt.output, "{{ params.at_most }}")
    analysed = AssemblylineResubmitOperator.partial(
        task_id="analyse_anew",
        submission_params={"ignore_cache": True},  # else the services repeat what they found then
        metadata={"retrohunt": "{{ params.rule }}"},
        deferrable=True,
        max_active_tis_per_dagrun=5,  # as many as Assemblyline analyses at once for one user, unless told otherwise
    ).expand(sha256=files)
    alerts: Any = alerts_of(files)
    AssemblylineUpdateAlertsOperator(
        task_id="label_alerts",
        query=alerts,
        add_labels=["{{ params.label }}"],
        at_most=1000,
    )
    report(analysed.output)


assemblyline_retrohunt()
