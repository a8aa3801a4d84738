"""``python -m chaos.waits``: defer a thousand tasks on one connection; succeed only if none needs a second try."""

from __future__ import annotations

import argparse
import time

from chaos.environment import ChaosEnvironment, create_run_folder, run_environment
from chaos.faults import UNLIMITED_TIMES, UPLOAD_PATH
from demo.api import FINAL_STATES, Task
from demo.cli import print_line, run_and_exit

DAG_ID = "chaos_waits"
POLL_INTERVAL_SECONDS = 5.0
BASE_TIMEOUT_SECONDS, TIMEOUT_SECONDS_PER_TASK = 600.0, 5.0
# not a fault but counted like one: all requests except those that submit the files
WAIT_REQUESTS = {"kind": "slow", "seconds": 0, "times": UNLIMITED_TIMES, "path": f"(?!{UPLOAD_PATH}).*"}


def main() -> None:
    """Run the waits with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m chaos.waits", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000, help="number of waiting tasks (default: %(default)s)")
    options = parser.parse_args()
    run_and_exit(lambda: run_waits(options.tasks))


def run_waits(tasks: int) -> bool:
    """Run the waits; return whether all tasks have succeeded at their first try.

    :param tasks: number of waiting tasks
    """
    folder = create_run_folder("waits")
    print_line(f"Starting PostgreSQL, the sandbox and Airflow; all files are written to {folder} ...")
    with run_environment(folder, {}, {"CHAOS_TASKS": tasks}) as environment:
        api = environment.airflow.api
        environment.airflow.wait_for_dag(DAG_ID)
        print_line(f"Ready: {environment.airflow.url}\n")
        environment.sandbox.post("faults", [WAIT_REQUESTS])
        start, run_id = time.monotonic(), api.trigger_run(DAG_ID)
        deadline = start + BASE_TIMEOUT_SECONDS + TIMEOUT_SECONDS_PER_TASK * tasks
        max_deferred = _wait_for_end(environment, run_id, deadline)
        duration_seconds = time.monotonic() - start
        waits = [task for task in api.list_tasks(DAG_ID, run_id) if task.task_id == "wait"]
        requests = environment.sandbox.get("counts")["faults"].get("slow", 0)
    report = build_report(waits, requests, max_deferred, duration_seconds)
    (folder / "report.md").write_text(f"{report}\n", encoding="utf-8")
    print_line(f"\n{report}\n")
    return len(waits) == tasks and all(map(has_succeeded_at_first_try, waits))


def has_succeeded_at_first_try(task: Task) -> bool:
    """Return whether a task has succeeded without a second try."""
    return task.state == "success" and task.try_number == 1


def build_report(waits: list[Task], requests: int, max_deferred: int, duration_seconds: float) -> str:
    """Return the results as a Markdown table.

    :param waits: the tasks that waited
    :param requests: number of requests for the waits
    :param max_deferred: the largest observed number of tasks that were deferred at the same time
    :param duration_seconds: duration of the DAG run
    """
    successes = sum(map(has_succeeded_at_first_try, waits))
    rows = {
        "waiting tasks": len(waits),
        "deferred at the same time": max_deferred,
        "succeeded at their first try": successes,
        "retried or failed": len(waits) - successes,
        "requests for the waits": requests,
        "duration": f"{duration_seconds:.0f} s",
    }
    return "\n".join(["| waits | number |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _wait_for_end(environment: ChaosEnvironment, run_id: str, deadline: float) -> int:
    """Wait for the end of the DAG run; return the largest number of tasks deferred at the same time."""
    max_deferred, api = 0, environment.airflow.api
    while api.get_run_state(DAG_ID, run_id) not in FINAL_STATES:
        environment.airflow.ensure_running()
        total, finished = api.count_tasks(DAG_ID, run_id), api.count_tasks(DAG_ID, run_id, *FINAL_STATES)
        deferred = api.count_tasks(DAG_ID, run_id, "deferred")
        max_deferred = max(max_deferred, deferred)
        print_line(f"{finished} of {total} tasks finished, {deferred} deferred")
        if time.monotonic() > deadline:
            raise TimeoutError(f"the waits timed out; {finished} of {total} tasks finished")
        time.sleep(POLL_INTERVAL_SECONDS)
    return max_deferred


if __name__ == "__main__":
    main()
