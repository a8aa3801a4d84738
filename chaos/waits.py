"""``python -m chaos.waits``: a thousand tasks that wait deferred on one connection, none of which may be lost."""

from __future__ import annotations

import argparse
import time
from typing import Any

from chaos.command import carry_out, say
from chaos.faults import ALWAYS, UPLOAD
from chaos.ground import Ground, ground, new_folder
from chaos.tasks import ManyTasks
from demo.delivery import await_dag

DAG = "chaos_waits"
LOOK = 5.0  # seconds between two looks
TIMEOUT_BASE, TIMEOUT_EACH = 600.0, 5.0  # seconds, and seconds for each task
# no fault, but counted like one: all that is asked once the files are submitted
QUESTIONS = {"kind": "slow", "seconds": 0, "times": ALWAYS, "path": f"(?!{UPLOAD}).*"}


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m chaos.waits", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000, help="how many wait (default: %(default)s)")
    options = parser.parse_args()
    carry_out(lambda: waits(options.tasks))


def waits(tasks: int) -> bool:
    """All of it; the answer is whether all tasks ended in success at their first try.

    :param tasks: how many wait
    """
    folder = new_folder("waits")
    say(f"Starting PostgreSQL, the sandbox and Airflow; all files go to {folder} ...")
    with ground(folder, {}, {"CHAOS_TASKS": tasks}) as here:
        await_dag(here, DAG)
        say(f"Ready: {here.airflow.url} and {here.sandbox_url}\n")
        here.sandbox.tell("faults", [QUESTIONS])
        began, run = time.monotonic(), ManyTasks(here.airflow.url, DAG, here.airflow.api.trigger(DAG))
        most = _await_end(here, run, began + TIMEOUT_BASE + TIMEOUT_EACH * tasks)
        seconds, ended = time.monotonic() - began, [task for task in run.all() if task["task_id"] == "wait"]
        text = report(ended, here.sandbox.ask("counts")["faults"].get("slow", 0), most, seconds)
    (folder / "report.md").write_text(f"{text}\n", encoding="utf-8")
    say(f"\n{text}\n")
    return len(ended) == tasks and all(at_first_try(task) for task in ended)


def at_first_try(task: dict[str, Any]) -> bool:
    """Whether a task ended in success without a second try.

    :param task: as Airflow's API shows it
    """
    return bool(task["state"] == "success" and task["try_number"] == 1)


def report(tasks: list[dict[str, Any]], questions: int, most: int, seconds: float) -> str:
    """The figures, as a Markdown table.

    :param tasks: the tasks that waited
    :param questions: how many requests the sandbox served for the waits
    :param most: how many waited at the same time, as far as it was seen
    :param seconds: how long it took
    """
    rows = {
        "tasks that waited": len(tasks),
        "at the same time": most,
        "succeeded at their first try": sum(map(at_first_try, tasks)),
        "tried more than once, or failed": sum(not at_first_try(task) for task in tasks),
        "requests for the waits": questions,
        "duration": f"{seconds:.0f} s",
    }
    return "\n".join(["| waits | number |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _await_end(here: Ground, run: ManyTasks, deadline: float) -> int:
    """Wait for the end of the run; the answer is how many tasks waited at the same time."""
    most = 0
    while not run.ended:
        here.airflow.check()
        total, done, deferred = run.count(), run.count("success", "failed"), run.count("deferred")
        most = max(most, deferred)
        say(f"{done} of {total} tasks have ended, {deferred} wait deferred")
        if time.monotonic() > deadline:
            raise TimeoutError(f"the waits did not end in time; {done} of {total} tasks have ended")
        time.sleep(LOOK)
    return most


if __name__ == "__main__":
    main()
