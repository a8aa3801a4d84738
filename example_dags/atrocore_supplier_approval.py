"""A supplier's Excel file becomes products of AtroCore, after a person has approved the changes.

1. `plan` compares the file with AtroCore, and writes a plan. Nothing is sent.
2. `approve` shows what would change, and waits. Who may answer: see `assigned_users` of Airflow's `ApprovalOperator`.
3. `apply` sends exactly what was approved. A product that somebody changed meanwhile is a conflict, not overwritten.

After a rejection nothing is sent. A new comparison needs a new run: the approval of one run is for its plan only.

Requires the connection `atrocore_default` and the extra `sync` of this package, which reads Excel files. The first task
stands for the supplier: it writes a small file if there is none. Files of German Excel work as they are, as .xlsx and
as .csv: with semicolons, decimal commas and umlauts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, task

from self_hosted.atrocore.operators import AtrocoreSyncProductsApplyOperator, AtrocoreSyncProductsPlanOperator
from self_hosted.core.sync.fields import Number

FILE = "{{ params.file }}"

with DAG(
    "atrocore_supplier_approval",
    description="Plan, approve and apply the changes of a supplier's Excel file",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1),
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "file": Param("/srv/supplier/prices.xlsx", type="string", description="The supplier's file"),
        "key_field": Param("number", type="string", description="Field of the article number; sku before 2.0.28"),
    },
    tags=["example", "atrocore"],
):

    @task
    def provide_sample(file: str) -> None:
        """Write the supplier's file, if there is none."""
        if Path(file).exists():
            return
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(["Artikelnummer", "Bezeichnung", "Preis", "Bestand"])
        for number in range(1, 31):
            book.active.append([f"SUP-{number:03}", f"Schraube M{number}, größenverstellbar", f"{number},95", number])
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        book.save(file)

    plan = AtrocoreSyncProductsPlanOperator(
        task_id="plan",
        source=FILE,
        key_field="{{ params.key_field }}",
        fields={
            "Artikelnummer": "{{ params.key_field }}",
            "Bezeichnung": "name",
            "Preis": Number("price", decimal=","),
            "Bestand": "quantity",
        },
        max_emptied=0,
        plan_uri="/srv/supplier/plans/{{ run_id | replace(':', '_') }}.jsonl.gz",
    )

    approve = ApprovalOperator(
        task_id="approve",
        subject="{{ ti.xcom_pull(task_ids='plan')['changes'] }} changes of products by " + FILE,
        body="{{ ti.xcom_pull(task_ids='plan')['summary'] }}",
    )

    apply = AtrocoreSyncProductsApplyOperator(
        task_id="apply",
        plan_uri="{{ ti.xcom_pull(task_ids='plan')['plan_uri'] }}",
        sha256="{{ ti.xcom_pull(task_ids='plan')['sha256'] }}",
        approval=approve.output,
        report_uri="/srv/supplier/reports/{{ run_id | replace(':', '_') }}.jsonl",
    )

    provide_sample(FILE) >> plan >> approve >> apply
