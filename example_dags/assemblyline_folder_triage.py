"""Let nobody open what lands in a drop folder before Assemblyline has looked at it.

Every day:

1. What lies in `incoming` is moved into a folder of this run's own below `quarantine`. What arrives later, or is still
   being written, waits for the next run.
2. One task submits all of it and waits for the verdicts, deferred. Its report is left beside the folder, a line a file.
3. What is less bad than `keep_from` is moved on to `released`. All else stays in quarantine: what was flagged, what
   could not be analysed, such as an empty file, and what a service failed on.

So a file is either untouched, in quarantine, or released, whenever a task is killed and tried again. With no file to
take in, all is skipped. Needs the connection `assemblyline_default`, and the folders where the workers run.
"""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import Param, dag, task

from self_hosted.assemblyline.operators import AssemblylineSubmitFilesOperator

VERDICTS = ["safe", "info", "suspicious", "highly_suspicious", "malicious"]


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "incoming": Param("/srv/drop/incoming", type="string", description="where others put files"),
        "quarantine": Param("/srv/drop/quarantine", type="string", description="where only this DAG looks"),
        "released": Param("/srv/drop/released", type="string", description="where clean files go"),
        "keep_from": Param(
            "suspicious", type="string", enum=VERDICTS[1:], description="keep what is this bad or worse"
        ),
        "settled": Param(60, type="integer", minimum=0, description="seconds since a file was last written to"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_folder_triage() -> None:
    """Take in, scan, release."""

    @task
    def take_in(incoming: str, quarantine: str, settled: Any, run_id: str | None = None) -> str:
        """Move what has arrived into a folder of this run, and return that."""
        folder = Path(quarantine, str(run_id).replace(":", "_"))
        folder.mkdir(parents=True, exist_ok=True)
        for path in Path(incoming).glob("*"):
            if path.is_file() and not path.is_symlink() and time.time() - path.stat().st_mtime >= int(settled):
                shutil.move(path, folder / path.name)
        if not any(folder.iterdir()):
            folder.rmdir()
            raise AirflowSkipException(f"nothing to take in from {incoming}")
        return str(folder)

    @task(multiple_outputs=False)
    def release(released: str, keep_from: str, scan: Any) -> dict[str, Any]:
        """Let go what is clean, and say why the rest is kept."""
        Path(released).mkdir(parents=True, exist_ok=True)
        kept = {}
        for line in Path(scan["report"]).read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            path = Path(found["file"])
            if why := _why_kept(found, keep_from):
                kept[path.name] = why
            elif path.exists():  # a try before this one may have moved it
                shutil.move(path, Path(released, path.name))
        return {"released": scan["total"] - len(kept), "kept": kept, "report": scan["report"]}

    folder = take_in("{{ params.incoming }}", "{{ params.quarantine }}", "{{ params.settled }}")
    scan = AssemblylineSubmitFilesOperator(
        task_id="scan",
        folder=folder,
        report="{{ ti.xcom_pull(task_ids='take_in') }}.jsonl",
        metadata={"source": "{{ params.incoming }}", "dag_run": "{{ run_id }}"},
        submission_profile="static",
        fail_on_errors=False,  # they stay in quarantine, and hold up nothing
        deferrable=True,
    )
    release("{{ params.released }}", "{{ params.keep_from }}", scan.output)


def _why_kept(found: dict[str, Any], keep_from: str) -> str | None:
    if "verdict" not in found:
        return str(found.get("error") or found["skipped"])
    if found["verdict"] in VERDICTS[VERDICTS.index(keep_from) :]:
        return f"{found['verdict']}: {found['url']}"
    if found["error_count"]:  # who knows what these would have found
        return f"{found['error_count']} services failed: {found['url']}"
    return None


assemblyline_folder_triage()
