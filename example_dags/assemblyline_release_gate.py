"""Approve a release only if Assemblyline flags none of its files.

A build pipeline triggers this DAG with the folder of its artifacts, which contains a `SHA256SUMS` file of `sha256sum`,
and publishes the release if the run succeeds. The run

1. compares the artifacts with their hashes, and fails if a file differs;
2. looks up all hashes, which takes seconds and uploads nothing;
3. submits the files without a recent verdict;
4. writes `approved.json` to the folder, with a link for each file.

A file with the verdict `refuse_from`, or worse, fails the run; the message contains verdict and link. Needs the
connection `assemblyline_default`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import Param, dag, task

from self_hosted.assemblyline.operators import AssemblylineLookUpHashesOperator, AssemblylineSubmitFilesOperator

SUMS = "SHA256SUMS"
VERDICTS = ["info", "suspicious", "highly_suspicious", "malicious"]


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "artifacts": Param(
            "/srv/releases/candidate", type="string", description="folder with the files and SHA256SUMS"
        ),
        "refuse_from": Param(
            "suspicious", type="string", enum=VERDICTS, description="refuse files with this verdict or worse"
        ),
        "max_age": Param("30d", type="string", description="the maximum age of a verdict"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_release_gate() -> None:
    """Compare the hashes, look them up, scan unknown files, approve."""

    @task
    def hashes(artifacts: str) -> list[str]:
        """Compare all artifacts with their hashes, and return the hashes."""
        listed = _read_sums(artifacts)
        present = {str(path.relative_to(artifacts)) for path in Path(artifacts).rglob("*") if path.is_file()}
        if unexpected := sorted(present - set(listed) - {SUMS, "approved.json"}):
            raise AirflowFailException(f"{SUMS} does not list {', '.join(unexpected)}")
        for name, sha256 in listed.items():
            with Path(artifacts, name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise AirflowFailException(f"{name} is not the file that was built")
        return sorted(set(listed.values()))

    @task
    def unknown_files(artifacts: str, looked_up: Any) -> list[str]:
        """Return the files without a recent verdict."""
        listed = {sha256: name for name, sha256 in _read_sums(artifacts).items()}
        unknown = [str(Path(artifacts, listed[sha256])) for sha256 in looked_up["unknown"]]
        if not unknown:
            raise AirflowSkipException("all files are known")
        return unknown

    @task(trigger_rule="none_failed", multiple_outputs=False)
    def approve(artifacts: str, looked_up: Any, scanned: Any) -> dict[str, Any]:
        """Write the approval to the artifacts' folder, and return it."""
        approval = {
            "known": {found["hash"]: found["url"] for found in looked_up["hashes"] if found["verdict"]},
            "scanned": scanned["total"] if scanned else 0,
        }
        Path(artifacts, "approved.json").write_text(json.dumps(approval, indent=2), encoding="utf-8")
        return approval

    artifacts = "{{ params.artifacts }}"
    built: Any = hashes(artifacts)
    looked_up = AssemblylineLookUpHashesOperator(
        task_id="look_up",
        hashes=built,
        max_age="{{ params.max_age }}",
        fail_on_verdict="{{ params.refuse_from }}",
    )
    files: Any = unknown_files(artifacts, looked_up.output)
    scanned = AssemblylineSubmitFilesOperator(
        task_id="scan",
        files=files,
        strict=True,  # a file that cannot be analysed is not released
        metadata={"release": artifacts, "dag_run": "{{ run_id }}"},
        fail_on_verdict="{{ params.refuse_from }}",
        deferrable=True,
    )
    approve(artifacts, looked_up.output, scanned.output)


def _read_sums(artifacts: str) -> dict[str, str]:
    """Return the hash of each artifact, by name."""
    lines = Path(artifacts, SUMS).read_text(encoding="utf-8").splitlines()
    return {name.lstrip("*"): sha256 for sha256, name in (line.split(maxsplit=1) for line in lines if line)}


assemblyline_release_gate()
