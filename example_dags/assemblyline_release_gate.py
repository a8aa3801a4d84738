"""Let a release out only if Assemblyline has nothing against any file of it.

A build pipeline triggers this DAG with the folder of its artifacts, which holds a `SHA256SUMS` as `sha256sum` writes
it, and publishes once the run has succeeded. The run

1. compares the artifacts with their hashes: a file that is not the one that was built ends it;
2. looks all hashes up, which takes seconds and uploads nothing;
3. submits the files that Assemblyline knows nothing of, or nothing recent;
4. leaves `approved.json` in the folder, with a link for each file.

A file as bad as `refuse_from`, or worse, fails the run, with verdict and link in the message. Needs the connection
`assemblyline_default`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from airflow.sdk import Param, dag, task

from self_hosted.assemblyline.operators import AssemblylineHashLookupOperator, AssemblylineSubmitFilesOperator

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
            "suspicious", type="string", enum=VERDICTS, description="refuse what is this bad or worse"
        ),
        "max_age": Param("30d", type="string", description="how old a verdict may be"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_release_gate() -> None:
    """Compare, look up, scan what is unknown, approve."""

    @task
    def hashes(artifacts: str) -> list[str]:
        """The hashes of all artifacts, which are what was built."""
        listed = _listed(artifacts)
        present = {str(path.relative_to(artifacts)) for path in Path(artifacts).rglob("*") if path.is_file()}
        if strange := sorted(present - set(listed) - {SUMS, "approved.json"}):
            raise AirflowFailException(f"{SUMS} does not know {', '.join(strange)}")
        for name, sha256 in listed.items():
            with Path(artifacts, name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise AirflowFailException(f"{name} is not the file that was built")
        return sorted(set(listed.values()))

    @task
    def unknown_files(artifacts: str, looked_up: Any) -> list[str]:
        """The files that Assemblyline has no recent verdict on."""
        listed = {sha256: name for name, sha256 in _listed(artifacts).items()}
        unknown = [str(Path(artifacts, listed[sha256])) for sha256 in looked_up["unknown"]]
        if not unknown:
            raise AirflowSkipException("all files are known")
        return unknown

    @task(trigger_rule="none_failed", multiple_outputs=False)
    def approve(artifacts: str, looked_up: Any, scanned: Any) -> dict[str, Any]:
        """Say so in the artifacts' folder."""
        approval = {
            "known": {found["hash"]: found["url"] for found in looked_up["hashes"] if found["verdict"]},
            "scanned": scanned["total"] if scanned else 0,
        }
        Path(artifacts, "approved.json").write_text(json.dumps(approval, indent=2), encoding="utf-8")
        return approval

    artifacts = "{{ params.artifacts }}"
    built: Any = hashes(artifacts)
    looked_up = AssemblylineHashLookupOperator(
        task_id="look_up",
        hashes=built,
        max_age="{{ params.max_age }}",
        fail_on_verdict="{{ params.refuse_from }}",
    )
    scanned = AssemblylineSubmitFilesOperator(
        task_id="scan",
        files=unknown_files(artifacts, looked_up.output),
        strict=True,  # what cannot be analysed is not let out
        metadata={"release": artifacts, "dag_run": "{{ run_id }}"},
        fail_on_verdict="{{ params.refuse_from }}",
        deferrable=True,
    )
    approve(artifacts, looked_up.output, scanned.output)


def _listed(artifacts: str) -> dict[str, str]:
    """The hash of each artifact."""
    lines = Path(artifacts, SUMS).read_text(encoding="utf-8").splitlines()
    return {name.lstrip("*"): sha256 for sha256, name in (line.split(maxsplit=1) for line in lines if line)}


assemblyline_release_gate()
