"""Scan files with Assemblyline: one mapped task per file, and a report at the end.

Runs daily. The files are small samples that the first task writes. Replace it by your own list, such as the objects of
a bucket: the operator accepts paths and `s3://...`. The scans wait in the triggerer, so that a thousand files do not
occupy a thousand worker slots.

Needs the connection `assemblyline_default`. The params can be changed when the DAG is triggered manually: a verdict of
`fail_on_verdict`, or worse, fails the scan of a file; the report lists the others.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator

VERDICTS = ["info", "suspicious", "highly_suspicious", "malicious"]


def samples_folder() -> Path:
    """Return the folder of this run."""
    run_id = get_current_context()["run_id"]
    return Path(tempfile.gettempdir(), "example_assemblyline", run_id.replace(":", "_"))


with DAG(
    "example_assemblyline",
    description="Scan files with Assemblyline and report their verdicts",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30)},
    params={
        "samples": Param(["an invoice", "a letter", "a picture"], type="array", description="Contents of the samples"),
        "fail_on_verdict": Param("malicious", type="string", enum=VERDICTS),
    },
    tags=["example", "assemblyline"],
):

    @task
    def collect() -> list[str]:
        """Write the samples, and return their paths."""
        folder = samples_folder()
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, content in enumerate(get_current_context()["params"]["samples"]):
            path = folder / f"sample-{number}.txt"
            path.write_text(content)
            paths.append(str(path))
        return paths

    scans = AssemblylineSubmitFileOperator.partial(
        task_id="scan",
        metadata={"dag_run": "{{ run_id }}"},
        submission_profile="static",
        fail_on_verdict="{{ params.fail_on_verdict }}",
        deferrable=True,
        poll_interval=10,
        wait_timeout=1800,
        max_active_tis_per_dagrun=5,  # the default quota of running submissions per user
    ).expand(file=collect())

    @task(trigger_rule="all_done")
    def report(results: Any) -> list[str]:
        """Return verdict and URL of each submission, and delete the samples."""
        shutil.rmtree(samples_folder(), ignore_errors=True)
        return [f"{result['verdict']}: {result['url']}" for result in results]

    report(scans.output)
