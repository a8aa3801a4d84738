"""Background jobs: pending until a worker takes them, then running until their end. Without cron, nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from self_hosted.sandbox.atrocore.definitions.queue import IMPORT_COUNTS
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.record_store import insert_record
from self_hosted.sandbox.atrocore.state import JobPlan, JobSchedule, Record, State
from self_hosted.sandbox.fake_server import Table

TIME_FIELDS = {"Job": ("startedAt", "endedAt"), "ImportJob": ("start", "end"), "ExportJob": ("start", "end")}
MESSAGE_FIELDS = {"ExportJob": "stateMessage"}
STATE_FIELDS = {"Job": "status", "QueueItem": "status", "ImportJob": "state", "ExportJob": "state"}
UNFINISHED_STATES = {"Pending", "Running", "Awaiting"}
DEFAULT_RUNNING_SECONDS = 0.05
DEFAULT_COUNTS: dict[str, dict[str, int]] = {
    "ImportJob": dict.fromkeys(IMPORT_COUNTS, 0),
    "ExportJob": {"count": 0},
}


Work = Callable[[State, dict[str, Any]], dict[str, Any]]
"""Changes the state, and returns fields of the job's record. The arguments contain the id of the job as ``job``."""

_WORK: dict[str, Work] = {}


def background_work(name: str) -> Callable[[Work], Work]:
    """Return a decorator that makes a function the work of jobs.

    :param name: name of the work in `start_work`
    """

    def register(work: Work) -> Work:
        _WORK[name] = work
        return work

    return register


def start_work(state: State, entity: str, values: dict[str, Any], work: str, arguments: dict[str, Any]) -> Record:
    """Add a pending job that changes the state when it ends.

    :param values: fields of the record
    :param work: name of the work, see `background_work`
    :param arguments: argument of the work, plain JSON
    :return: the record of the job
    """
    return start_job(state, entity, values, {"work": (work, arguments)})


def start_job(
    state: State, entity: str, values: dict[str, Any], schedule: dict[str, Any], creates: Sequence[JobPlan] = ()
) -> Record:
    """Add a pending job.

    :param values: fields of the record
    :param schedule: seconds ``pending`` and ``running``, ``work`` (name and arguments), and fields of the record after
        the end
    :param creates: jobs that the job creates at its start
    :return: the record of the job
    """
    record = insert_record(state, entity, values)
    record |= {STATE_FIELDS[entity]: "Pending", **values}
    outcome = {STATE_FIELDS[entity]: "Success", **DEFAULT_COUNTS.get(entity, {}), **schedule}
    starts_at = state.now() + outcome.pop("pending", 0.0)
    ends_at = starts_at + outcome.pop("running", DEFAULT_RUNNING_SECONDS)
    work = outcome.pop("work", None)
    state.job_schedules.append(JobSchedule(entity, record["id"], starts_at, ends_at, outcome, list(creates), work))
    return record


def start_split_import(state: State, values: dict[str, Any], schedules: Sequence[dict[str, Any]]) -> None:
    """Add an import job that is split into several. A background job creates the parts."""
    parent = start_job(state, "ImportJob", values, {})
    state.job_schedules.pop()  # the state of the parent follows its parts
    parts = [("ImportJob", {**values, "parentId": parent["id"]}, schedule) for schedule in schedules]
    start_job(state, "Job", {"type": "ImportJobCreator"}, {}, parts)


def advance_jobs(state: State) -> None:
    """Bring all jobs to their state at the current time."""
    while state.cron and (ended := [schedule for schedule in state.job_schedules if _advance_job(state, schedule)]):
        state.job_schedules = [schedule for schedule in state.job_schedules if schedule not in ended]
    for parent in _find_unfinished_parents(state):
        _update_parent(state, parent)


def _advance_job(state: State, schedule: JobSchedule) -> bool:
    """Bring one job to its state at the current time, and return whether it has ended."""
    record, state_field = state.find_record(schedule.entity, schedule.id), STATE_FIELDS[schedule.entity]
    if record is None or record[state_field] not in UNFINISHED_STATES:
        return True
    start_field, end_field = TIME_FIELDS.get(schedule.entity, (None, None))
    if state.now() >= schedule.starts_at and record[state_field] != "Running":
        record |= {state_field: "Running", **({start_field: state.timestamp()} if start_field else {})}
        while schedule.creates:
            start_job(state, *schedule.creates.pop(0))
    if state.now() < schedule.ends_at:
        return False
    record |= {
        **({end_field: state.timestamp()} if end_field else {}),
        **schedule.outcome,
        **_run_work(state, schedule),
    }
    return True


def _run_work(state: State, schedule: JobSchedule) -> dict[str, Any]:
    """Run the work of a job, if any, and return fields of its record."""
    if schedule.work is None:
        return {}
    name, arguments = schedule.work
    try:
        return _WORK[name](state, {**arguments, "job": schedule.id})
    except ApiError as error:
        message_field = MESSAGE_FIELDS.get(schedule.entity, "message")
        return {STATE_FIELDS[schedule.entity]: "Failed", message_field: error.message}


def _find_unfinished_parents(state: State) -> Iterator[Record]:
    jobs = state.records["ImportJob"]
    ids = {job["parentId"] for job in jobs.values() if job.get("parentId")}
    return (jobs[job_id] for job_id in ids if job_id in jobs and jobs[job_id]["state"] in UNFINISHED_STATES)


def _update_parent(state: State, parent: Record) -> None:
    """Set the state of a split import job. It succeeds if at least one part succeeds."""
    states = {job["state"] for job in state.records["ImportJob"].values() if job.get("parentId") == parent["id"]}
    if not states & UNFINISHED_STATES:
        parent |= {"state": "Success" if "Success" in states else max(states), **DEFAULT_COUNTS["ImportJob"]}
    elif states != {"Pending"}:
        parent["state"] = "Running"


def build_job_table(state: State) -> Table:
    """Return all jobs, for the page of the sandbox."""
    return [
        {"entity": entity, "state": job[state_field], "createdAt": job["createdAt"], "id": job_id}
        for entity, state_field in STATE_FIELDS.items()
        for job_id, job in reversed(state.records[entity].items())
        if not job["deleted"]
    ]


def purge_jobs(state: State) -> None:
    """Remove finished jobs, as the server does with old ones."""
    for entity, state_field in STATE_FIELDS.items():
        jobs = state.records[entity]
        for job_id in [job_id for job_id, job in jobs.items() if job[state_field] not in UNFINISHED_STATES]:
            del jobs[job_id]
