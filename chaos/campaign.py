"""The campaign: start everything, run the tasks under disruption, and count the effects."""

from __future__ import annotations

import time
from pathlib import Path

from chaos.approver import Approver
from chaos.disruptions import Disruptions
from chaos.effects import MODES, count_effects
from chaos.environment import ChaosEnvironment, create_run_folder, run_environment
from chaos.faults import CONNECTION_TIMEOUTS, build_faults
from chaos.kills import FOLDER_VARIABLE, count_kills
from chaos.report import CampaignResult, build_report
from chaos.results import Values, check_results
from chaos.workload import build_rule, list_names
from demo.api import FINAL_STATES, Task
from demo.cli import print_line

DAG_ID = "chaos_campaign"
POLL_INTERVAL_SECONDS = 2.0
BASE_TIMEOUT_SECONDS, TIMEOUT_SECONDS_PER_TASK = 900.0, 40.0  # per task of one product
MAX_SHOWN_FAILURES = 3


def run_campaign(tasks: int, seed: int, *, restart_interval_seconds: float, outage_seconds: float) -> bool:
    """Run the campaign; return whether all tasks have succeeded and each effect exists exactly once.

    :param tasks: number of tasks per product
    :param seed: seed of the sandbox's faults
    :param restart_interval_seconds: time between two restarts of the triggerer
    :param outage_seconds: duration of the sandbox's outage
    """
    folder, start = create_run_folder("campaign"), time.monotonic()
    kills = folder / "kills"
    kills.mkdir()
    print_line(f"Starting PostgreSQL, the sandbox and Airflow; all files are written to {folder} ...")
    with run_environment(folder, CONNECTION_TIMEOUTS, {"CHAOS_TASKS": tasks, FOLDER_VARIABLE: kills}) as environment:
        environment.airflow.wait_for_dag(DAG_ID)
        print_line(f"Ready after {time.monotonic() - start:.0f} s: {environment.airflow.url}\n")
        _seed_sandbox(environment, tasks, seed)
        disruptions = Disruptions(environment, restart_interval_seconds, outage_seconds, print_line)
        result = _run_tasks(environment, tasks, disruptions, kills)
    report = build_report(result)
    (folder / "report.md").write_text(f"{report}\n", encoding="utf-8")
    print_line(f"\n{report}\n\n{'PASSED' if result.is_success else 'FAILED'}")
    return result.is_success


def _seed_sandbox(environment: ChaosEnvironment, tasks: int, seed: int) -> None:
    rules = [build_rule(name) for mode in MODES for name in list_names(f"change_rule_{mode}", tasks)]
    environment.sandbox.post("seed", {"rudder": {"rules": rules, "validation": True}})
    environment.sandbox.post("random", {"seed": seed})
    environment.sandbox.post("faults", build_faults())


def _run_tasks(environment: ChaosEnvironment, tasks: int, disruptions: Disruptions, kills: Path) -> CampaignResult:
    start, api = time.monotonic(), environment.airflow.api
    run_id = api.trigger_run(DAG_ID)
    _wait_for_end(environment, run_id, disruptions, start + BASE_TIMEOUT_SECONDS + TIMEOUT_SECONDS_PER_TASK * tasks)
    finished = api.list_tasks(DAG_ID, run_id)
    _print_failures(environment, finished)
    state, values = environment.get_state(), _read_results(environment, finished)
    return CampaignResult(
        tasks=finished,
        effects=count_effects(state, tasks),
        results=check_results(values, state, tasks),
        counts=environment.sandbox.get("counts"),
        kills=count_kills(kills),
        restarts=disruptions.restarts,
        rotations=disruptions.rotations,
        outage_seconds=disruptions.down_seconds,
        duration_seconds=time.monotonic() - start,
    )


def _wait_for_end(environment: ChaosEnvironment, run_id: str, disruptions: Disruptions, deadline: float) -> None:
    start, printed, api, approver = time.monotonic(), -1, environment.airflow.api, Approver(environment.sandbox)
    while api.get_run_state(DAG_ID, run_id) not in FINAL_STATES:
        environment.airflow.ensure_running()
        total, deferred = api.count_tasks(DAG_ID, run_id), api.count_tasks(DAG_ID, run_id, "deferred")
        finished = api.count_tasks(DAG_ID, run_id, *FINAL_STATES)
        if finished != printed:
            elapsed = time.monotonic() - start
            print_line(f"{elapsed:6.0f} s  {finished} of {total} tasks finished, {deferred} deferred")
            printed = finished
        approver.approve_pending()
        disruptions.disrupt(finished / max(total, 1), deferred)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the campaign timed out; {finished} of {total} tasks finished")
        time.sleep(POLL_INTERVAL_SECONDS)


def _read_results(environment: ChaosEnvironment, tasks: list[Task]) -> Values:
    """Return the results of all tasks that have succeeded, by task id and map index."""
    api = environment.airflow.api
    return {(task.task_id, task.map_index): api.get_result(task) for task in tasks if task.state == "success"}


def _print_failures(environment: ChaosEnvironment, tasks: list[Task]) -> None:
    failures = [task for task in tasks if task.state != "success"]
    for task in failures[:MAX_SHOWN_FAILURES]:
        state = task.state.value if task.state else "not started"
        print_line(f"\n{task.task_id} {task.map_index}: {state}, {environment.airflow.api.get_error(task)}")
