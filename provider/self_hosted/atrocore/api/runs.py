"""The jobs of import and export feeds. A feed that is run tells no job, and one run may make several.

So what stands for a run is its feed and a moment before it, see `baselines.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from self_hosted.atrocore.api.jobs import UNDER_WAY
from self_hosted.atrocore.api.records import LONGEST_FILTER, Record, records
from self_hosted.atrocore.api.where import Condition, any_of
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow, Request, url_path

COUNTS = ("createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount")
IDS_AT_ONCE = 10


@dataclass(frozen=True)
class Kind:
    """What import jobs and export jobs differ in.

    :param entity: their entity
    :param feed: the field with the id of their feed
    :param family: the fields by which a job's id finds all that belongs to it
    :param told: what else is read of them
    """

    entity: str
    feed: str
    family: tuple[str, ...]
    told: tuple[str, ...]


IMPORTS = Kind("ImportJob", "importFeedId", ("id", "parentId"), ("message", *COUNTS))
EXPORTS = Kind("ExportJob", "exportFeedId", ("id",), ("stateMessage", "fileId", "count"))


def run_key(feed_id: str, after: str) -> str:
    """What stands for all jobs of a feed that were created after a moment, where a job's id may stand too.

    :param feed_id: the feed
    :param after: the moment, see `import_baseline` and `export_baseline`

    >>> run_key("f1", "2026-06-01 12:30:00")
    'feed/f1/2026-06-01 12:30:00'
    """
    return f"feed/{feed_id}/{after}"


def run_of(key: str) -> tuple[str, str] | None:
    """Feed and moment of a `run_key`; None for the id of a job."""
    _, *run = key.split("/")
    return (run[0], run[1]) if run else None


def import_jobs(keys: Sequence[str]) -> Flow[dict[str, list[Record]]]:
    """Import jobs, for all keys by one list (``GET /api/ImportJob``).

    :param keys: ids of jobs, and what `run_key` makes
    :return: key to its jobs: the one of that id with the parts it was split into, or those of that run; a key without
        any is missing
    """
    return (yield from _jobs(IMPORTS, keys))


def export_jobs(keys: Sequence[str]) -> Flow[dict[str, list[Record]]]:
    """Export jobs, for all keys by one list (``GET /api/ExportJob``).

    :param keys: ids of jobs, and what `run_key` makes
    :return: key to its jobs; a key without any is missing
    """
    return (yield from _jobs(EXPORTS, keys))


def import_counters(job_id: str) -> Flow[Record]:
    """What an import job did (``GET /api/ImportJob/{id}/recordCounters``).

    :param job_id: the import job
    :return: ``{state, createdCount, updatedCount, deletedCount, skippedCount, errorsCount}``
    """
    reply = yield Request("GET", url_path("api", IMPORTS.entity, job_id, "recordCounters"))
    return reply.json()  # type: ignore[no-any-return]


def import_counts(jobs: Sequence[Record]) -> Flow[dict[str, int]]:
    """What import jobs did, all in all; those are asked for that their records do not tell.

    :param jobs: such as those of one run
    :return: ``{created, updated, deleted, skipped, errors}``
    """
    told = []
    for job in jobs:
        complete = all(job.get(name) is not None for name in COUNTS)
        told.append(job if complete else (yield from import_counters(job["id"])))
    return {name.removesuffix("Count"): sum(one[name] for one in told) for name in COUNTS}


def feeds_about_to_export() -> Flow[set[str]]:
    """The export feeds that more jobs are still being made for, in the background (``GET /api/Job``).

    None of them where the user may not see that.
    """
    conditions: list[Condition] = [
        {"type": "equals", "attribute": "type", "value": "ExportJobCreator"},
        {"type": "in", "attribute": "status", "value": sorted(UNDER_WAY)},
    ]
    try:
        found = yield from records("Job", conditions, ["payload"])
    except (Forbidden, NotFound):
        return set()
    feeds = [(job.get("payload") or {}).get("feed") or {} for job in found]
    return {str(feed["id"]) for feed in feeds if "id" in feed}


def cancel_export_job(job_id: str) -> Flow[bool]:
    """Cancel an export job (``POST /api/ExportJob/{id}/cancel``, core 2.3 and later).

    :param job_id: the export job
    :return: whether it was under way; False also when the answer to a first attempt was lost
    """
    reply = yield Request("POST", url_path("api", EXPORTS.entity, job_id, "cancel"), repeatable=True)
    return bool(reply.json())


def _jobs(kind: Kind, keys: Sequence[str]) -> Flow[dict[str, list[Record]]]:
    found: dict[str, Record] = {}
    for conditions in any_of(_conditions(kind, keys), LONGEST_FILTER):
        fields = dict.fromkeys(("state", "createdAt", kind.feed, *kind.family, *kind.told))
        for job in (yield from records(kind.entity, conditions, list(fields))):
            found[job["id"]] = job
    of: dict[Any, list[Record]] = defaultdict(list)  # what belongs to a job or a feed
    for job in found.values():
        for owner in {job.get(field) for field in (kind.feed, *kind.family)}:
            of[owner].append(job)
    return {key: its_jobs for key in keys if (its_jobs := _of_key(key, of))}


def _of_key(key: str, of: Mapping[Any, list[Record]]) -> list[Record]:
    run = run_of(key)
    if run is None:
        return of[key]
    feed_id, after = run
    return [job for job in of[feed_id] if job["createdAt"] > after]


def _conditions(kind: Kind, keys: Sequence[str]) -> Iterator[Condition]:
    """Conditions of which the jobs of the keys meet at least one."""
    runs: dict[str, str] = {}
    for feed_id, after in filter(None, map(run_of, keys)):
        runs[feed_id] = min(after, runs.get(feed_id, after))
    ids = [key for key in keys if run_of(key) is None]
    for start in range(0, len(ids), IDS_AT_ONCE):
        for field in kind.family:
            yield {"type": "in", "attribute": field, "value": ids[start : start + IDS_AT_ONCE]}
    for feed_id, after in runs.items():
        of_feed = {"type": "equals", "attribute": kind.feed, "value": feed_id}
        yield {"type": "and", "value": [of_feed, {"type": "greaterThan", "attribute": "createdAt", "value": after}]}
