"""Synchronize AtroCore's products with a catalogue, after a dry run that reports what would change.

Runs every day. The first task writes a small sample catalogue; replace it by your own export: a .jsonl or .csv file, on
disk or in a bucket (`s3://...`), or the list of dictionaries that a task returns. As in real catalogues, one number
occurs twice and some values are missing. A repeated number is reported as ambiguous, and nothing is sent for it. A
field without a value is unchanged. Columns that `fields` does not name are not sent.

Requires the connection `atrocore_default`. Set the parameters when you trigger the DAG manually. Before core 2.0.28,
products are identified by `sku` instead of `number`.
"""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator


def catalogue_path() -> Path:
    """Return the path of this run's catalogue."""
    run_id = get_current_context()["run_id"]
    return Path(tempfile.gettempdir(), "example_atrocore", f"{run_id.replace(':', '_')}.jsonl")


with DAG(
    "example_atrocore",
    description="Synchronize AtroCore's products with a catalogue",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "key_field": Param("number", type="string", description="Field that identifies a product"),
        "max_failed_share": Param(0.1, type="number", minimum=0, maximum=1, description="Share of rows that may fail"),
    },
    tags=["example", "atrocore"],
):

    @task
    def export() -> str:
        """Write the catalogue and return its path."""
        rows: list[dict[str, Any]] = [
            {
                "Artikel": f"EX-{number:03}",
                "name": f"Spinning top, {number} cm",
                "price": number * 1.5,
                "status": "draft",
            }
            for number in range(1, 31)
        ]
        del rows[4]["price"]
        rows[5]["longDescription"] = None
        rows.append({**rows[0], "name": "Spinning top with a repeated number"})
        path = catalogue_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return str(path)

    catalogue = export()
    arguments: dict[str, Any] = {
        "source": catalogue,
        "key_field": "{{ params.key_field }}",
        "fields": {"Artikel": "{{ params.key_field }}", "name": "name", "price": "price", "longDescription": None},
        "on_duplicate_key": "skip",
    }
    dry_run = AtrocoreSyncProductsOperator(task_id="dry_run", dry_run=True, **arguments)
    sync = AtrocoreSyncProductsOperator(task_id="sync", fail_on="{{ params.max_failed_share }}", **arguments)

    @task
    def report(planned: Any, done: Any) -> list[str]:
        """Return planned and actual counts, and delete the catalogue."""
        catalogue_path().unlink(missing_ok=True)
        counts = {"create": "created", "update": "updated", "unchanged": "unchanged", "ambiguous": "ambiguous"}
        lines = [f"{result}: {planned[count]} planned, {done[result]} done" for count, result in counts.items()]
        return [*lines, *(f"{row['key']}: {row['result']}: {row['message']}" for row in done["problems"])]

    dry_run >> sync
    report(dry_run.output, sync.output)
