"""Bring AtroCore's products in line with a catalogue, after a rehearsal that only says what would change.

Runs every day. The catalogue is a small one that the first task writes; put your own export in its place: a .jsonl or
.csv file on disk or in a bucket (`s3://...`), or the list of dicts that a task returns. As with real catalogues, one
number is used twice, and cells are missing: a number used twice is reported and not guessed, and a field that a product
does not have is left alone.

Needs the connection `atrocore_default`. The parameters can be changed when the DAG is triggered by hand; before core
2.0.28 products are known by `sku` instead of `number`.
"""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator


def catalogue_of_today() -> Path:
    """The file of this run."""
    run_id = get_current_context()["run_id"]
    return Path(tempfile.gettempdir(), "example_atrocore", f"{run_id.replace(':', '_')}.jsonl")


with DAG(
    "example_atrocore",
    description="Sync a product catalogue with AtroCore",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "key_field": Param("number", type="string", description="The field products are known by"),
        "share": Param(0.1, type="number", minimum=0, maximum=1, description="How many rows may fail"),
    },
    tags=["example", "atrocore"],
):

    @task
    def export() -> str:
        """Write the catalogue, and return its path."""
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
        rows[5]["description"] = None
        rows.append({**rows[0], "name": "Spinning top, the other one"})
        path = catalogue_of_today()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return str(path)

    catalogue = export()
    how: dict[str, Any] = {
        "rows": catalogue,
        "key_field": "{{ params.key_field }}",
        "field_mapping": {"Artikel": "{{ params.key_field }}"},
    }
    rehearse = AtrocoreSyncProductsOperator(task_id="rehearse", dry_run=True, **how)
    sync = AtrocoreSyncProductsOperator(task_id="sync", fail_on="{{ params.share }}", **how)

    @task
    def report(planned: Any, done: Any) -> list[str]:
        """Say what was planned and what became of it, and tidy up."""
        catalogue_of_today().unlink(missing_ok=True)
        counts = ("created", "updated", "unchanged", "ambiguous", "failed")
        lines = [f"{count}: {planned[count]} planned, {done[count]} done" for count in counts]
        return [*lines, f"not guessed: {', '.join(done['ambiguous_keys'])}"]

    rehearse >> sync
    report(rehearse.output, sync.output)
