"""Take in an asset pack that a licensor delivered.

A licensor puts a pack of pictures, papers and a product catalogue into a folder. Once a day:

1. Assemblyline scans every file of the delivery. If one is flagged, the run stops here, with the verdict and a link.
2. AYON gets the project, or the existing one is brought up to date.
3. Rudder gets the rule enabled that lets the project's workstations mount the share, with a reason that names the run.
4. AtroCore gets the catalogue's products. A number that occurs twice is reported, not guessed.

Then a receipt is left in the folder, so that the delivery is taken in once. Without a new delivery all is skipped.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import ObjectStoragePath, Param, chain, dag, task

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator
from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.rudder.operators import RudderUpdateRuleOperator

DELIVERY = "{{ params.delivery }}"
RECEIPT = "receipt.json"


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
    },
    params={
        "delivery": Param("/srv/deliveries/maeuseburg", type="string", description="folder: a path or a URI"),
        "project": Param("Maeuseburg", type="string", description="name of the AYON project"),
        "code": Param("mb", type="string", description="its code"),
        "rule": Param(
            "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01",
            type="string",
            description="id of the Rudder rule that mounts the project's share",
        ),
    },
    doc_md=__doc__,
    tags=["self-hosted", "assemblyline", "ayon", "rudder", "atrocore"],
)
def asset_pack_intake() -> None:
    """Scan it, then create the project, open the share and sync the products."""

    @task
    def new_files(delivery: str) -> list[str]:
        """The files of the delivery; without a new one, this and all that follows is skipped."""
        folder = ObjectStoragePath(delivery)
        if not folder.is_dir() or (folder / RECEIPT).exists():
            raise AirflowSkipException(f"no new delivery in {folder}")
        return sorted(str(path) for path in folder.iterdir() if path.is_file())

    @task(multiple_outputs=False)
    def leave_receipt(delivery: str, scans: Any, project: Any, rule: Any, products: Any) -> dict[str, Any]:
        """Sum up what was done, and say so in the delivery's folder."""
        receipt = {
            "scanned": {scan["url"]: scan["verdict"] for scan in scans},
            "project": project["url"],
            "rule": rule["outcome"],
            "products": {what: products[what] for what in ("created", "updated", "unchanged", "ambiguous")},
        }
        (ObjectStoragePath(delivery) / RECEIPT).write_text(json.dumps(receipt, indent=2))
        return receipt

    scans = AssemblylineSubmitFileOperator.partial(
        task_id="scan",
        fail_on_verdict="suspicious",
        metadata={"project": "{{ params.project }}", "airflow_run": "{{ run_id }}"},
        deferrable=True,
        map_index_template="{{ task.file.rpartition('/')[2] }}",
    ).expand(file=new_files(DELIVERY))

    project = AyonCreateProjectOperator(
        task_id="create_project",
        name="{{ params.project }}",
        code="{{ params.code }}",
        if_exists="update",
    )

    rule = RudderUpdateRuleOperator(
        task_id="open_share",
        rule_id="{{ params.rule }}",
        enabled=True,
        reason="Asset pack for {{ params.project }} scanned and clean: Airflow run {{ run_id }}",
    )

    products = AtrocoreSyncProductsOperator(
        task_id="sync_products",
        rows=f"{DELIVERY}/catalogue.csv",
        key_field="number",
    )

    receipt = leave_receipt(DELIVERY, scans.output, project.output, rule.output, products.output)
    chain(scans, [project, products])
    chain(project, rule, receipt)


asset_pack_intake()
