"""The memory of a sync of very many rows: it must not depend on their number.

    python -m benchmarks.atrocore_memory [PRODUCTS]

Plans a first load from a CSV file, applies the stored plan, and compares the unchanged file once more, with a sandbox
in a process of its own. An empty task of Airflow 3.3 has 137 MiB; a sync of a million rows must stay below 250 MiB, so
that it may add 113 MiB. The peak is that of this process, less what it has when the operators are imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.atrocore_sync import write_catalogue
from benchmarks.memory import get_peak_memory, reset_peak_memory
from benchmarks.sandbox import get_connection, hide_logs, run_sandbox
from benchmarks.task_context import build_context

DEFAULT_PRODUCTS = 100_000
MAX_ADDED_MIB = 113


def run_task(operator_class: Any, **arguments: Any) -> dict[str, Any]:
    """Execute an operator and return its result."""
    operator = operator_class(task_id="task", **arguments)
    result: dict[str, Any] = operator.submit(build_context(operator, "run"))
    return result


def measure(name: str, before: float, work: Callable[[], dict[str, Any]]) -> tuple[float, dict[str, Any]]:
    """Run some work, print its peak of memory and its time, and return the peak and the work's result."""
    reset_peak_memory()
    start = time.perf_counter()
    result = work()
    peak, seconds = get_peak_memory() - before, time.perf_counter() - start
    print(f"{name:22} {peak:6.0f} MiB added, {seconds:6.0f} s", flush=True)
    return peak, result


def main() -> int:
    """Measure and print; return 0 only if no phase adds more than allowed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PRODUCTS
    hide_logs()
    with run_sandbox() as url, TemporaryDirectory() as name:
        os.environ["AIRFLOW_CONN_ATROCORE_DEFAULT"] = json.dumps(get_connection(url, "atrocore_default"))
        from self_hosted.atrocore import operators

        sync, plan, apply = (
            getattr(operators, f"AtrocoreSyncProducts{kind}Operator") for kind in ("", "Plan", "Apply")
        )
        folder = Path(name)
        path = write_catalogue(folder / "catalogue.csv", "memory", count, is_changed=False)
        run_task(sync, source=[{"number": "first", "name": "First", "status": "draft"}])  # imports everything
        before = get_peak_memory()
        print(f"{count} products; {before:.0f} MiB before")
        plan_uri = folder / "plan.jsonl.gz"
        planned, made = measure("plan of a first load", before, lambda: run_task(plan, source=path, plan_uri=plan_uri))
        stored = {"plan_uri": plan_uri, "sha256": made["sha256"]}
        applied, done = measure("the plan is applied", before, lambda: run_task(apply, **stored))
        compared, same = measure("nothing has changed", before, lambda: run_task(sync, source=path))
    is_done = done["created"] == count and same["unchanged"] == count
    print(f"{'PASS' if is_done else 'FAIL'}  {done['created']} created, then {same['unchanged']} unchanged")
    peak = max(planned, applied, compared)
    print(f"{'PASS' if peak <= MAX_ADDED_MIB else 'FAIL'}  {peak:.0f} MiB added; the limit is {MAX_ADDED_MIB}")
    return 0 if is_done and peak <= MAX_ADDED_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
