"""Every night, make AtroCore's products equal to the articles of an ERP's database.

The query is streamed, compared with AtroCore, and only what differs is sent. The ERP owns price, stock and EAN. Editors
own the texts: the ERP sets them in new products only. Products that the ERP no longer has become inactive, at most 50
per night. Rows that could not be stored are in the rejects file, with the reason.

Requires the connections `atrocore_default` and `erp`, a database of any kind that Airflow has a provider for. The first
task stands for the ERP: it creates a small table of articles in the database `erp`, if there is none, so that the DAG
works as it is with a connection of the type SQLite. Remove it, and write your own query.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook
from airflow.sdk import DAG, Param, task

from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator
from self_hosted.core.sync.fields import Boolean, Number, Text

FOLDER = "/srv/erp/{{ run_id | replace(':', '_') }}"

with DAG(
    "atrocore_erp_sync",
    description="Synchronize AtroCore's products with the database of an ERP",
    doc_md=__doc__,
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={"key_field": Param("number", type="string", description="Field of the article number; sku before 2.0.28")},
    tags=["example", "atrocore"],
):

    @task
    def provide_sample() -> None:
        """Create the table of articles in the database, if it has none."""
        hook: Any = BaseHook.get_hook("erp")
        hook.run(
            "CREATE TABLE IF NOT EXISTS articles (article_no TEXT PRIMARY KEY, title TEXT, list_price NUMERIC,"
            " stock INTEGER, discontinued INTEGER)"
        )
        if not hook.get_first("SELECT count(*) FROM articles")[0]:
            rows = [(f"ERP-{n:04}", f"Bearing {n} mm", n * 1.25, n * 3, int(n % 10 == 0)) for n in range(1, 201)]
            hook.insert_rows("articles", rows)

    sync = AtrocoreSyncProductsOperator(
        task_id="sync",
        sql="SELECT article_no, title, list_price, stock, 1 - discontinued AS active FROM articles ORDER BY article_no",
        sql_conn_id="erp",
        key_field="{{ params.key_field }}",
        fields=[
            {"field": "{{ params.key_field }}", "column": "article_no"},
            Text("name", column="title", own="on_create"),
            Number("price", column="list_price"),
            Number("quantity", column="stock"),
            Boolean("isActive", column="active"),
        ],
        mode="mirror",
        on_missing="deactivate",
        scope=[{"type": "like", "attribute": "{{ params.key_field }}", "value": "ERP-%"}],
        max_missing=50,
        max_changed_ratio=0.5,
        fail_on=0.01,
        report_uri=f"{FOLDER}/report.jsonl",
        rejects_uri=f"{FOLDER}/rejects.csv",
    )

    provide_sample() >> sync
