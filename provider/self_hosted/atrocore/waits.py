"""The waits of AtroCore's sensors: jobs of the queue, and jobs or runs of import and export feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from self_hosted.atrocore.api import export_jobs, import_jobs, jobs
from self_hosted.atrocore.api.feed_jobs import FeedRun, JobKey
from self_hosted.atrocore.api.pages import Record
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec

PENDING, RUNNING = Observation(jobs.PENDING, done=False), Observation("Running", done=False)
NO_BACKGROUND_PROCESSING = "AtroCore's background processing does not run (cron or daemon)"

Refresh = Callable[[Sequence[str]], Flow[Mapping[str, Observation]]]


# Queries


def refresh_jobs(job_ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe jobs of the queue, with one list.

    :param job_ids: their ids
    """
    found = yield from jobs.observe(job_ids)
    return {job_id: _observe_job(*found[job_id]) if job_id in found else MISSING for job_id in job_ids}


def refresh_imports(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe import jobs and runs of import feeds, with one list.

    :param keys: ids of jobs, and texts of `WaitKey` for runs: the feed, and the time before the run
    """
    parsed = {text: _parse_key(text) for text in keys}
    found = yield from import_jobs.find(list(parsed.values()))
    observations = _missing_jobs(parsed, found)
    for text, of_key in _jobs_by_text(parsed, found).items():
        counts = (yield from import_jobs.sum_counters(of_key)) if _have_ended(of_key) else None
        observations[text] = _observe_jobs(of_key, import_jobs.IMPORTS.message_field, {**(counts or {})})
    return observations


def refresh_exports(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe export jobs and runs of export feeds, with one list.

    :param keys: ids of jobs, and texts of `WaitKey` for runs: the feed, and the time before the run
    """
    parsed = {text: _parse_key(text) for text in keys}
    # the first request, so that no job is missed that is created between the two requests
    has_runs = any(isinstance(key, FeedRun) for key in parsed.values())
    creating = (yield from export_jobs.list_feeds_creating_jobs()) if has_runs else set()
    found = yield from export_jobs.find(list(parsed.values()))
    observations = _missing_jobs(parsed, found)
    for text, of_key in _jobs_by_text(parsed, found).items():
        key = parsed[text]
        is_incomplete = isinstance(key, FeedRun) and key.feed_id in creating
        observations[text] = RUNNING if is_incomplete else _observe_exports(of_key)
    return observations


def cancel_export(key: str) -> Flow[None]:
    """Cancel an export job, or the unfinished jobs of a run.

    :param key: the id of a job, or the text of a run's `WaitKey`
    """
    found = yield from export_jobs.find([_parse_key(key)])
    for job in found.get(_parse_key(key), ()):
        if job["state"] in jobs.UNFINISHED_STATES:
            yield from export_jobs.cancel(job["id"])


# Stalls


def explain_stalled_jobs(job_ids: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why jobs of the queue stay pending, as far as it is known.

    :param job_ids: their ids
    """
    return (yield from _explain_pending(job_ids, refresh_jobs))


def explain_stalled_imports(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why import jobs stay pending, as far as it is known.

    :param keys: ids of jobs, and texts of `WaitKey` for runs: the feed, and the time before the run
    """
    return (yield from _explain_pending(keys, refresh_imports))


def explain_stalled_exports(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why export jobs stay pending, or are not even created, as far as it is known.

    :param keys: ids of jobs, and texts of `WaitKey` for runs: the feed, and the time before the run
    """
    return (yield from _explain_pending(keys, refresh_exports))


def _explain_pending(keys: Sequence[str], refresh: Refresh) -> Flow[Mapping[str, str]]:
    try:
        observations = yield from refresh(keys)
    except (PermissionDeniedError, NotFoundError):  # of one key, whose own wait reports it
        return {}
    pending = [key for key in keys if key not in observations or observations[key].state == jobs.PENDING]
    if not pending or (yield from jobs.check_background_processing()) is not False:
        return {}
    return dict.fromkeys(pending, NO_BACKGROUND_PROCESSING)


# Keys: the id of a job, or the text of a WaitKey with the id of a feed and the time before the run


def _parse_key(text: str) -> JobKey:
    key = WaitKey.from_text(text)
    return FeedRun(key.id, key.condition[0]) if key.condition else key.id


def _jobs_by_text(parsed: Mapping[str, JobKey], found: Mapping[JobKey, list[Record]]) -> dict[str, list[Record]]:
    """Return the jobs of each key that has some, by the key's text."""
    return {text: found[key] for text, key in parsed.items() if key in found}


# Observations


def _observe_job(status: str, details: jobs.JobDetails) -> Observation:
    return Observation(status, done=status not in jobs.UNFINISHED_STATES, details={**details})


def _missing_jobs(parsed: Mapping[str, JobKey], found: Mapping[JobKey, Any]) -> dict[str, Observation]:
    """Return MISSING for each job that was not found. A run that was not found has not begun yet."""
    return {text: MISSING for text, key in parsed.items() if key not in found and not isinstance(key, FeedRun)}


def _have_ended(of_key: Sequence[Record]) -> bool:
    return not any(job["state"] in jobs.UNFINISHED_STATES for job in of_key)


def _observe_exports(of_key: Sequence[Record]) -> Observation:
    files = [job["fileId"] for job in of_key if job.get("fileId")]
    details = {"file_ids": files, "records": sum(job.get("count") or 0 for job in of_key)}
    return _observe_jobs(of_key, export_jobs.EXPORTS.message_field, details)


def _observe_jobs(of_key: Sequence[Record], message_field: str, details: Mapping[str, Any]) -> Observation:
    """Return one observation of several jobs.

    :param message_field: the field with a job's explanation
    :param details: for the result, once all jobs have ended
    """
    if not _have_ended(of_key):
        return PENDING if all(job["state"] == jobs.PENDING for job in of_key) else RUNNING
    details = {"jobs": len(of_key), **details}
    failed = next((job for job in of_key if job["state"] != jobs.SUCCESS), None)
    if failed is None:
        return Observation(jobs.SUCCESS, True, details)
    failure = f"job {failed['id']}: {jobs.explain(failed.get(message_field))}"
    return Observation(failed["state"], True, {**details, "failure": failure})


HOOK_CLASS = "self_hosted.atrocore.hook.AtrocoreHook"
BATCH_SIZE = 1000  # lists are split by the length of their URL; one check of the queue explains all stalls
JOB = WaitSpec(HOOK_CLASS, "job", refresh_jobs, stall_reasons=explain_stalled_jobs, batch_size=BATCH_SIZE)
# "import" and "export": the key is the id of a job or of a feed
IMPORT_JOB = WaitSpec(
    HOOK_CLASS, "import", refresh_imports, stall_reasons=explain_stalled_imports, batch_size=BATCH_SIZE
)
EXPORT_JOB = WaitSpec(
    HOOK_CLASS,
    "export",
    refresh_exports,
    cancel=cancel_export,
    stall_reasons=explain_stalled_exports,
    batch_size=BATCH_SIZE,
)
