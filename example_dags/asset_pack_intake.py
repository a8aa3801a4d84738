"""Process an asset pack that a licensor delivered.

A licensor puts a pack of pictures, documents and a product catalogue into a folder. The DAG runs once a day:

1. Assemblyline scans every file of the delivery. A suspicious file ends the run, with its verdict and a link.
2. AYON creates the project, or updates the existing one.
3. Rudder enables the rule that lets the project's workstations mount the share. The reason of the change names the run.
4. AtroCore creates and updates the catalogue's products. A repeated number is reported as ambiguous.

Finally, a receipt is written to the folder, so that each delivery is processed once. Without a new delivery, all tasks
are skipped.
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
        "delivery": Param(
            "/srv/deliveries/maeuseburg", type="string", description="Folder of the delivery: a path or a URI"
        ),
        "project": Param("Maeuseburg", type="string", description="Name of the AYON project"),
        "code": Param("mb", type="string", description="Code of the AYON project"),
        "rule": Param(
            "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01",
            type="string",
            description="Id of the Rudder rule that mounts the project's share",
        ),
    },
    doc_md=__doc__,
    tags=["self-hosted", "assemblyline", "ayon", "rudder", "atrocore"],
)
def asset_pack_intake() -> None:
    """Scan the delivery, then create the project, open the share and synchronize the products."""

    @task
    def new_files(delivery: str) -> list[str]:
        """Return the files of the delivery; without a new delivery, skip this task and all that follow."""
        folder = ObjectStoragePath(delivery)
        if not folder.is_dir() or (folder / RECEIPT).exists():
            raise AirflowSkipException(f"no new delivery in {folder}")
        return sorted(str(path) for path in folder.iterdir() if path.is_file())

    @task(multiple_outputs=False)
    def leave_receipt(delivery: str, scans: Any, project: Any, rule: Any, products: Any) -> dict[str, Any]:
        """Write a summary of the run to the folder of the delivery."""
        receipt = {
            "scanned": {scan["url"]: scan["verdict"] for scan in scans},
            "project": project["url"],
            "rule": rule["outcome"],
            "products": {result: products[result] for result in ("created", "updated", "unchanged", "ambiguous")},
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
        source=f"{DELIVERY}/catalogue.csv",
        key_field="number",
        on_duplicate_key="skip",  # a number that occurs twice is reported, and nothing is sent for it
    )

    receipt = leave_receipt(DELIVERY, scans.output, project.output, rule.output, products.output)
    chain(scans, [project, products])
    chain(project, rule, receipt)


asset_pack_intake()
