"""What a DAG waits for in AtroCore: jobs of the queue, and runs of import and export feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.core.errors import Final
from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor

if TYPE_CHECKING:
    from self_hosted.atrocore import api
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.atrocore.api")

MOMENT = "%Y-%m-%d %H:%M:%S"  # AtroCore's, in UTC


class AtrocoreJobSensor(ProductSensor):
    """Waits until a job of the queue has ended, such as that of an ``upsertAsync``; ``GET /api/Job`` of core 1.12 on.

    :param job_id: its id
    :param fail_on: whether items of an upsert that failed fail the task: "any", "never", or the share of items from 0
        to 1 above which it fails. A job that failed or was cancelled always does
    :param atrocore_conn_id: the connection

    The result is ``{job_id, state, message, url}``; of an upsert it is ``{job_id, state, items: {"Created": 3,
    "Failed": 1}, failures: [{item, message}, ...], url}`` with the first 20 failures, counted from 0.

    :raises AirflowFailException: for wrong arguments, a job that is not there, and one that failed
    """

    question: ClassVar[str] = "self_hosted.atrocore.triggers.JOB"
    template_fields: Sequence[str] = ("job_id", "fail_on", "atrocore_conn_id")

    def __init__(
        self,
        *,
        job_id: str,
        fail_on: float | str = "any",
        atrocore_conn_id: str = "atrocore_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id, self.fail_on, self.atrocore_conn_id = job_id, fail_on, atrocore_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        _check_id("job_id", self.job_id)
        api.tolerated(self.fail_on)

    def key(self) -> str:
        """The job's id."""
        return self.job_id

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """What became of it, unless that is to fail the task."""
        url = f"{base_url}/#Job/view/{self.job_id}"
        _check_success(f"job {self.job_id}", seen, url)
        items: Mapping[str, int] = seen.facts.get("items", {})
        failed = items.get("Failed", 0)
        if failed > api.tolerated(self.fail_on) * sum(items.values()):
            first = seen.facts["failures"][0]
            words = f"{failed} of {sum(items.values())} items of job {self.job_id} failed"
            raise Final(f"{words}, the first is number {first['item']}: {first['message']}; see {url}")
        return {"job_id": self.job_id, "state": seen.state, **seen.facts, "url": url}


class _JobOfFeed(ProductSensor):
    """Waits for a job of a feed, or for all jobs of one of its runs."""

    job_id: str | None
    feed_id: str | None
    after: str | None
    entities: ClassVar[tuple[str, str]]
    """Those of its jobs and of its feeds."""

    def check(self) -> None:
        """Validate the arguments."""
        of_run = (self.feed_id, self.after)
        if (self.job_id is None) == (of_run == (None, None)):
            raise ValueError("give either job_id, or feed_id and after")
        _check_id(*(("feed_id", self.feed_id) if self.job_id is None else ("job_id", self.job_id)))
        _ = self.key()

    def key(self) -> str:
        """The job's id, or what stands for the run."""
        if self.job_id is not None:
            return self.job_id
        return api.run_key(str(self.feed_id), _moment(self.after))

    @property
    def named(self) -> str:
        """What is waited for, as a person would say it."""
        return f"job {self.job_id}" if self.job_id else f"the run of feed {self.feed_id} after {self.after}"

    def page(self, base_url: str) -> str:
        """The page of what is waited for."""
        of_job, of_feed = self.entities
        view = f"{of_job}/view/{self.job_id}" if self.job_id else f"{of_feed}/view/{self.feed_id}"
        return f"{base_url}/#{view}"


class AtrocoreImportJobSensor(_JobOfFeed):
    """Waits until an import has ended: one job, or all jobs of a feed's run; ``GET /api/ImportJob`` of core 1.12 on.

    :param job_id: the import job; with the parts that AtroCore split it into
    :param feed_id: or the import feed, when there is no job yet to name
    :param after: with ``feed_id``: all its jobs that were created after this moment by the server's clock, which there
        must be at least one of; ``AtrocoreHook().import_baseline(feed_id)``, asked before the feed is run, tells it
    :param fail_on: whether rows that failed fail the task: "any", "never", or the share of rows from 0 to 1 above which
        it fails. A job that failed or was cancelled always does
    :param atrocore_conn_id: the connection

    The result is ``{state, jobs, created, updated, deleted, skipped, errors, url}``; ``jobs`` is their number.

    :raises AirflowFailException: for wrong arguments, a job that is not there, one that failed, and rows that did
    """

    question: ClassVar[str] = "self_hosted.atrocore.triggers.IMPORT_JOB"
    template_fields: Sequence[str] = ("job_id", "feed_id", "after", "fail_on", "atrocore_conn_id")
    entities = ("ImportJob", "ImportFeed")

    def __init__(
        self,
        *,
        job_id: str | None = None,
        feed_id: str | None = None,
        after: str | None = None,
        fail_on: float | str = "any",
        atrocore_conn_id: str = "atrocore_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id, self.feed_id, self.after = job_id, feed_id, after
        self.fail_on, self.atrocore_conn_id = fail_on, atrocore_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        api.tolerated(self.fail_on)

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """What was imported, unless that is to fail the task."""
        url = self.page(base_url)
        _check_success(self.named, seen, url)
        rows = sum(count for name, count in seen.facts.items() if name != "jobs")
        failed = seen.facts["errors"]
        if failed > api.tolerated(self.fail_on) * rows:
            raise Final(f"{failed} of {rows} rows of {self.named} failed; see {url}")
        return {"state": seen.state, **seen.facts, "url": url}


class AtrocoreExportJobSensor(_JobOfFeed):
    """Waits until an export has ended: one job, or all jobs of a feed's run; ``GET /api/ExportJob`` of core 1.12 on.

    :param job_id: the export job
    :param feed_id: or the export feed, when there is no job yet to name
    :param after: with ``feed_id``: all its jobs that were created after this moment by the server's clock, which there
        must be at least one of; ``AtrocoreHook().export_baseline(feed_id)``, asked before the feed is run, tells it
    :param atrocore_conn_id: the connection

    The result is ``{state, jobs, file_ids, records, url}``: the number of jobs, the ids of the files that came of them
    (entity File), and how many records these hold.

    :raises AirflowFailException: for wrong arguments, a job that is not there, and one that failed
    """

    question: ClassVar[str] = "self_hosted.atrocore.triggers.EXPORT_JOB"
    template_fields: Sequence[str] = ("job_id", "feed_id", "after", "atrocore_conn_id")
    entities = ("ExportJob", "ExportFeed")

    def __init__(
        self,
        *,
        job_id: str | None = None,
        feed_id: str | None = None,
        after: str | None = None,
        atrocore_conn_id: str = "atrocore_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id, self.feed_id, self.after = job_id, feed_id, after
        self.atrocore_conn_id = atrocore_conn_id

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """What was exported, unless it failed."""
        url = self.page(base_url)
        _check_success(self.named, seen, url)
        return {"state": seen.state, **seen.facts, "url": url}


def _check_id(name: str, value: Any) -> None:
    # a slash would be taken for what stands for a run
    if not isinstance(value, str) or not value.strip() or "/" in value:
        raise ValueError(f"{name} must be an id, not {value!r}")


def _moment(after: Any) -> str:
    """A moment as AtroCore writes it, in UTC."""
    try:
        moment = datetime.fromisoformat(after)
    except (TypeError, ValueError):
        words = "after must be a moment such as 2026-06-01 12:30:00, in UTC by the server's clock"
        raise ValueError(f"{words}, not {after!r}") from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime(MOMENT)


def _check_success(named: str, seen: Seen, url: str) -> None:
    if "failure" in seen.facts:
        raise Final(f"{named} ended as {seen.state}: {seen.facts['failure']}; see {url}")
