"""The questions that waits for AtroCore ask: about jobs of the queue, and about those of import and export feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from self_hosted.atrocore import api
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow
from self_hosted.core.question import GONE, Question, Seen

PENDING, RUNNING = Seen(api.PENDING, done=False), Seen("Running", done=False)
NOBODY_SERVES = "AtroCore's background processing does not run (cron or daemon)"

Look = Callable[[Sequence[str]], Flow[Mapping[str, Seen]]]
Job = Mapping[str, Any]


def look_at_jobs(job_ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where jobs of the queue stand, by one list for all.

    :param job_ids: their ids
    """
    found = yield from api.jobs(job_ids)
    return {job_id: _job_seen(found[job_id]) if job_id in found else GONE for job_id in job_ids}


def _job_seen(job: Job) -> Seen:
    status = job["status"]
    return Seen(status, False) if status in api.UNDER_WAY else Seen(status, True, api.job_facts(job))


def look_at_imports(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where import jobs, and runs of import feeds, stand, by one list for all.

    :param keys: ids of jobs, and what `api.run_key` makes
    """
    found = yield from api.import_jobs(keys)
    seen = _missing(keys, found)
    for key, jobs in found.items():
        counts = (yield from api.import_counts(jobs)) if _ended(jobs) else {}
        seen[key] = _jobs_seen(jobs, "message", counts)
    return seen


def look_at_exports(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where export jobs, and runs of export feeds, stand, by one list for all.

    :param keys: ids of jobs, and what `api.run_key` makes
    """
    # asked first, so that no job is overlooked that is made between the two requests
    exporting = (yield from api.feeds_about_to_export()) if any(map(api.run_of, keys)) else set()
    found = yield from api.export_jobs(keys)
    seen = _missing(keys, found)
    for key, jobs in found.items():
        run = api.run_of(key)
        more_to_come = run is not None and run[0] in exporting
        seen[key] = RUNNING if more_to_come else _jobs_seen(jobs, "stateMessage", _exported(jobs))
    return seen


def _exported(jobs: Sequence[Job]) -> dict[str, Any]:
    files = [job["fileId"] for job in jobs if job.get("fileId")]
    return {"file_ids": files, "records": sum(job.get("count") or 0 for job in jobs)}


def cancel_exports(key: str) -> Flow[None]:
    """Cancel an export job, or those of a run that are under way."""
    found = yield from api.export_jobs([key])
    for job in found.get(key, ()):
        if job["state"] in api.UNDER_WAY:
            yield from api.cancel_export_job(job["id"])


def _missing(keys: Sequence[str], found: Mapping[str, Any]) -> dict[str, Seen]:
    """A job that is not found is not there; a run that is not found has yet to begin."""
    return {key: GONE for key in keys if key not in found and api.run_of(key) is None}


def _ended(jobs: Sequence[Job]) -> bool:
    return not any(job["state"] in api.UNDER_WAY for job in jobs)


def _jobs_seen(jobs: Sequence[Job], words: str, facts: Mapping[str, Any]) -> Seen:
    """Several jobs as one.

    :param words: the field with a job's own words
    :param facts: what is to be told of them once all have ended
    """
    if not _ended(jobs):
        return PENDING if all(job["state"] == api.PENDING for job in jobs) else RUNNING
    facts = {"jobs": len(jobs), **facts}
    failed = next((job for job in jobs if job["state"] != api.SUCCESS), None)
    if failed is None:
        return Seen(api.SUCCESS, True, facts)
    failure = f"job {failed['id']}: {api.reason_told(failed.get(words))}"
    return Seen(failed["state"], True, {**facts, "failure": failure})


def stalled_jobs(job_ids: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why jobs of the queue stay pending, where that can be told."""
    return (yield from _not_served(job_ids, look_at_jobs))


def stalled_imports(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why import jobs stay pending, where that can be told."""
    return (yield from _not_served(keys, look_at_imports))


def stalled_exports(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why export jobs stay pending, or are not even made, where that can be told."""
    return (yield from _not_served(keys, look_at_exports))


def _not_served(keys: Sequence[str], look: Look) -> Flow[Mapping[str, str]]:
    try:
        seen = yield from look(keys)
    except (Forbidden, NotFound):  # of one of them, which its own wait will be told
        return {}
    waiting = [key for key in keys if key not in seen or seen[key].state == api.PENDING]
    if not waiting or (yield from api.background_processing_runs()) is not False:
        return {}
    return dict.fromkeys(waiting, NOBODY_SERVES)


HOOK = "self_hosted.atrocore.hook.AtrocoreHook"
CHUNK = 1000  # what is asked is split by the length of its URL; so who serves the queue is asked once for all
JOB = Question(HOOK, "job", look_at_jobs, stalled=stalled_jobs, chunk=CHUNK)
IMPORT_JOB = Question(HOOK, "import job", look_at_imports, stalled=stalled_imports, chunk=CHUNK)
EXPORT_JOB = Question(HOOK, "export job", look_at_exports, cancel=cancel_exports, stalled=stalled_exports, chunk=CHUNK)
