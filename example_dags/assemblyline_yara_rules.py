"""Bring the YARA rules of a checkout into Assemblyline every night, and deploy those that have been staged.

Each run

1. deploys the rules that an earlier run has staged, so that analysts had a day to look at new ones;
2. adds new rules as STAGING, and updates the text of existing ones, which keep their status;
3. lets Assemblyline fetch its own sources of YARA rules, and waits for it, deferred.

A job outside of Airflow keeps the checkout up to date. Rules that cannot be read fail the run before anything is sent.
Needs the connection `assemblyline_rules` with an API key that has the right E, and the package's extra `yara`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag

from self_hosted.assemblyline.operators import (
    AssemblylineFetchSignaturesOperator,
    AssemblylineSetSignatureStatusOperator,
    AssemblylineUpdateSignaturesOperator,
)

CONNECTION = "assemblyline_rules"


@dag(
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "checkout": Param("/srv/checkouts/yara-rules", type="string", description="folder with the rules"),
        "source": Param("soc", type="string", pattern="^[A-Za-z0-9_.-]+$", description="source of the signatures"),
        "max_rules": Param(50, type="integer", minimum=1, description="more staged rules fail the run"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_yara_rules() -> None:
    """Deploy, update, fetch."""
    deploy = AssemblylineSetSignatureStatusOperator(
        task_id="deploy",
        assemblyline_conn_id=CONNECTION,
        query='source:"{{ params.source }}" AND status:STAGING',
        status="DEPLOYED",
        max_items="{{ params.max_rules }}",
    )
    update = AssemblylineUpdateSignaturesOperator(
        task_id="update",
        assemblyline_conn_id=CONNECTION,
        source="{{ params.source }}",
        folder="{{ params.checkout }}",
        status="STAGING",
        fail_on_empty=True,
    )
    fetch = AssemblylineFetchSignaturesOperator(
        task_id="fetch", assemblyline_conn_id=CONNECTION, service="YARA", deferrable=True
    )
    deploy >> update >> fetch


assemblyline_yara_rules()
