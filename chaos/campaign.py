"""The campaign: start everything, let the tasks run, make trouble, count."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from chaos.command import say
from chaos.effects import MODES, effects
from chaos.faults import PATIENCE, faults
from chaos.ground import Ground, ground, new_folder
from chaos.kills import FOLDER
from chaos.person import Person
from chaos.report import Figures, report
from chaos.tasks import ManyTasks
from chaos.trouble import Trouble
from chaos.works import names, rule
from demo.delivery import await_dag

DAG = "chaos_campaign"
LOOK = 2.0  # seconds between two looks
TIMEOUT_BASE, TIMEOUT_EACH = 900.0, 40.0  # seconds, and seconds for each task of a product
SHOWN = 3  # of the tasks that failed


def campaign(tasks: int, seed: int, every: float, outage: float) -> bool:
    """All of it; the answer is whether all tasks ended in success and each effect is there exactly once.

    :param tasks: how many tasks each product has
    :param seed: of the sandbox's faults
    :param every: seconds between two restarts of the triggerer
    :param outage: how long the sandbox is down, in seconds
    """
    folder, began = new_folder("campaign"), time.monotonic()
    deaths = folder / "kills"
    deaths.mkdir()
    say(f"Starting PostgreSQL, the sandbox and Airflow; all files go to {folder} ...")
    with ground(folder, PATIENCE, {"CHAOS_TASKS": tasks, FOLDER: deaths}) as here:
        await_dag(here, DAG)
        say(f"Ready after {time.monotonic() - began:.0f} s: {here.airflow.url} and {here.sandbox_url}\n")
        _prepare(here, tasks, seed)
        figures = _run(here, tasks, Trouble(here, every, outage, say), deaths)
    (folder / "report.md").write_text(f"{report(figures)}\n", encoding="utf-8")
    say(f"\n{report(figures)}\n\n{'All is as it should be.' if figures.right else 'NOT ALL IS AS IT SHOULD BE.'}")
    return figures.right


def _prepare(here: Ground, tasks: int, seed: int) -> None:
    rules = [rule(name) for mode in MODES for name in names(f"change_rule_{mode}", tasks)]
    here.sandbox.tell("seed", {"rudder": {"rules": rules, "validation": True}})
    here.sandbox.tell("random", {"seed": seed})
    here.sandbox.tell("faults", faults())


def _run(here: Ground, tasks: int, trouble: Trouble, deaths: Path) -> Figures:
    began, url = time.monotonic(), here.airflow.url
    run = ManyTasks(url, DAG, here.airflow.api.trigger(DAG))
    _await_end(here, run, trouble, began + TIMEOUT_BASE + TIMEOUT_EACH * tasks)
    ended = run.all()
    _show_failed(run, ended)
    return Figures(
        tasks=ended,
        effects=effects(here.state(), tasks),
        counts=here.sandbox.ask("counts"),
        kills=Counter(note.read_text(encoding="utf-8") for note in deaths.iterdir()),
        restarts=trouble.restarts,
        outage=trouble.seconds_down,
        seconds=time.monotonic() - began,
    )


def _await_end(here: Ground, run: ManyTasks, trouble: Trouble, deadline: float) -> None:
    began, told, person = time.monotonic(), -1, Person(here.sandbox)
    while not run.ended:
        here.airflow.check()
        total, done, deferred = run.count(), run.count("success", "failed"), run.count("deferred")
        if done != told:
            say(f"{time.monotonic() - began:6.0f} s  {done} of {total} tasks have ended, {deferred} wait deferred")
            told = done
        person.look()
        trouble.come(done / max(total, 1), deferred)
        if time.monotonic() > deadline:
            raise TimeoutError(f"the campaign did not end in time; {done} of {total} tasks have ended")
        time.sleep(LOOK)


def _show_failed(run: ManyTasks, tasks: list[dict[str, object]]) -> None:
    for task in [task for task in tasks if task["state"] != "success"][:SHOWN]:
        say(f"\n{task['task_id']} {task['map_index']} is {task['state']}: {run.error(task)}")
