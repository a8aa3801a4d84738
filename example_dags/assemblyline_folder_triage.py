"""Release files from a drop folder only after Assemblyline has analysed them.

Every day:

1. Move the files of `incoming` to a folder of this run below `quarantine`. Files that arrive later, or are still being
   written, wait for the next run.
2. Submit all of them with one task, and wait for the verdicts, deferred. The report, with one line per file, is
   written next to the folder.
3. Move files with a verdict below `keep_from` to `released`. All others stay in quarantine: flagged files, files that
   could not be analysed, such as empty ones, and files on which a service failed.

A file is always untouched, in quarantine, or released, even if a task is killed and retried. Without files, all tasks
are skipped. Needs the connection `assemblyline_default`, and the folders on the workers.
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
        "incoming": Param("/srv/drop/incoming", type="string", description="folder that receives files"),
        "quarantine": Param("/srv/drop/quarantine", type="string", description="folder that only this DAG uses"),
        "released": Param("/srv/drop/released", type="string", description="folder for clean files"),
        "keep_from": Param(
            "suspicious", type="string", enum=VERDICTS[1:], description="keep files with this verdict or worse"
        ),
        "settle_seconds": Param(60, type="integer", minimum=0, description="time since the last change of a file"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_folder_triage() -> None:
    """Take in, scan and release files."""

    @task
    def take_in(incoming: str, quarantine: str, settle_seconds: Any, run_id: str | None = None) -> str:
        """Move the files to a folder of this run, and return the folder."""
        folder = Path(quarantine, str(run_id).replace(":", "_"))
        folder.mkdir(parents=True, exist_ok=True)
        for path in Path(incoming).glob("*"):
            if path.is_file() and not path.is_symlink() and time.time() - path.stat().st_mtime >= int(settle_seconds):
                shutil.move(path, folder / path.name)
        if not any(folder.iterdir()):
            folder.rmdir()
            raise AirflowSkipException(f"no files in {incoming}")
        return str(folder)

    @task(multiple_outputs=False)
    def release(released: str, keep_from: str, scan: Any) -> dict[str, Any]:
        """Move the clean files, and return why the others are kept."""
        Path(released).mkdir(parents=True, exist_ok=True)
        kept = {}
        for line in Path(scan["report_uri"]).read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            path = Path(found["file"])
            if reason := _find_reason(found, keep_from):
                kept[path.name] = reason
            elif path.exists():  # an earlier try may have moved it
                shutil.move(path, Path(released, path.name))
        return {"released": scan["total"] - len(kept), "kept": kept, "report_uri": scan["report_uri"]}

    folder: Any = take_in("{{ params.incoming }}", "{{ params.quarantine }}", "{{ params.settle_seconds }}")
    scan = AssemblylineSubmitFilesOperator(
        task_id="scan",
        folder=folder,
        report_uri="{{ ti.xcom_pull(task_ids='take_in') }}.jsonl",
        metadata={"source": "{{ params.incoming }}", "dag_run": "{{ run_id }}"},
        submission_profile="static",
        fail_on_errors=False,  # failed files stay in quarantine; the others are released
        deferrable=True,
    )
    release("{{ params.released }}", "{{ params.keep_from }}", scan.output)


def _find_reason(found: dict[str, Any], keep_from: str) -> str | None:
    """Return why a file stays in quarantine, or None."""
    if "verdict" not in found:
        return str(found.get("error") or found["skipped"])
    if found["verdict"] in VERDICTS[VERDICTS.index(keep_from) :]:
        return f"{found['verdict']}: {found['url']}"
    if found["error_count"]:  # they might have found something
        return f"{found['error_count']} services failed: {found['url']}"
    return None


assemblyline_folder_triage()
