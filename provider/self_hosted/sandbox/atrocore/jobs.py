"""Background jobs: pending until cron comes by, then running for a while; without cron they stay as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from self_hosted.sandbox.atrocore.entities import IMPORT_COUNTS
from self_hosted.sandbox.atrocore.saving import insert
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.stand_in import Table

STATE = {"Job": "status", "ImportJob": "state", "ExportJob": "state"}
UNDER_WAY = {"Pending", "Running", "Awaiting"}
Making = tuple[str, dict[str, Any], dict[str, Any]]  # entity, values and seed of a job to be made
QUICK = 0.05  # seconds that a job takes unless it is told otherwise


@dataclass
class Course:
    """What becomes of one job.

    :param begins: when it is picked up, in seconds since the epoch
    :param ends: when it ends
    :param outcome: the fields that it has then
    :param makes: the jobs that it makes when it is picked up
    """

    entity: str
    id: str
    begins: float
    ends: float
    outcome: dict[str, Any]
    makes: list[Making] = field(default_factory=list)


def start(
    state: State, entity: str, values: dict[str, Any], seed: dict[str, Any], makes: Sequence[Making] = ()
) -> Record:
    """A new job, pending.

    :param values: its fields
    :param seed: what becomes of it: ``pending`` and ``running`` seconds, and the fields it has in the end
    :param makes: the jobs that it makes when it is picked up
    """
    record = insert(state, entity, values)
    record |= {STATE[entity]: "Pending", **values}
    times = {"pending": 0.0, "running": QUICK, **seed}
    begins = time.time() + times.pop("pending")
    outcome = {STATE[entity]: "Success", **_counts(entity), **times}
    state.courses.append(Course(entity, record["id"], begins, begins + outcome.pop("running"), outcome, list(makes)))
    return record


def _counts(entity: str) -> dict[str, int]:
    return {"ImportJob": dict.fromkeys(IMPORT_COUNTS, 0), "ExportJob": {"count": 0}}.get(entity, {})


def advance(state: State) -> None:
    """Let as much happen as has had the time."""
    while state.cron and (due := [course for course in state.courses if _move(state, course)]):
        state.courses = [course for course in state.courses if course not in due]
    for parent in _parents(state):
        _follow_children(state, parent)


def _move(state: State, course: Course) -> bool:
    """Move one job on; whether it has ended."""
    record = state.records[course.entity].get(course.id)
    if record is None or record["deleted"] or record[STATE[course.entity]] not in UNDER_WAY:
        return True
    if time.time() >= course.begins:
        record[STATE[course.entity]] = "Running"
        while course.makes:
            start(state, *course.makes.pop(0))
    if time.time() < course.ends:
        return False
    record |= course.outcome
    return True


def _parents(state: State) -> Iterator[Record]:
    jobs = state.records["ImportJob"]
    ids = {job["parentId"] for job in jobs.values() if job.get("parentId")}
    return (jobs[id_] for id_ in ids if id_ in jobs and jobs[id_]["state"] in UNDER_WAY)


def _follow_children(state: State, parent: Record) -> None:
    """An import job that was split is what its parts are; a success when one of them is, whatever the others are."""
    states = {job["state"] for job in state.records["ImportJob"].values() if job.get("parentId") == parent["id"]}
    if not states & UNDER_WAY:
        parent |= {"state": "Success" if "Success" in states else max(states), **_counts("ImportJob")}
    elif states != {"Pending"}:
        parent["state"] = "Running"


def table(state: State) -> Table:
    """All jobs, for the page."""
    return [
        {"entity": entity, "state": job[name], "createdAt": job["createdAt"], "id": id_}
        for entity, name in STATE.items()
        for id_, job in reversed(state.records[entity].items())
        if not job["deleted"]
    ]


def purge(state: State) -> None:
    """Delete what has ended, as the server does with old jobs."""
    for entity, name in STATE.items():
        jobs = state.records[entity]
        for id_ in [id_ for id_, job in jobs.items() if job[name] not in UNDER_WAY]:
            del jobs[id_]
