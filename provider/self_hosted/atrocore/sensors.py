"""AtroCore's sensors: jobs of the queue, and jobs or runs of import and export feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NotRequired, TypedDict

from self_hosted.atrocore.operators.base import AtrocoreLink
from self_hosted.core.arguments import parse_id, parse_optional, parse_share, require_one_of
from self_hosted.core.http.errors import PermanentError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.timestamps import parse_timestamp
from self_hosted.core.wait.key import WaitKey

if TYPE_CHECKING:
    from self_hosted.atrocore.api import identifiers, timestamps
    from self_hosted.atrocore.api.jobs import FailedItem
    from self_hosted.core.wait.observation import Observation
else:
    identifiers = lazy_import("self_hosted.atrocore.api.identifiers")
timestamps = lazy_import("self_hosted.atrocore.api.timestamps")


class JobResult(TypedDict):
    """The result of `AtrocoreJobSensor`.

    :param job_id: id of the job
    :param state: its last state, "Success"
    :param url: page of the job
    :param items: of an upsert: the number of items by status, such as ``{"Created": 3, "Failed": 1}``
    :param failures: of an upsert: the first 20 failed items
    :param message: of other jobs: AtroCore's message
    """

    job_id: str
    state: str
    url: str
    items: NotRequired[dict[str, int]]
    failures: NotRequired[list[FailedItem]]
    message: NotRequired[str]


class ImportResult(TypedDict):
    """The result of `AtrocoreImportJobSensor`.

    :param state: the last state, "Success"
    :param jobs: the number of jobs
    :param created: created records
    :param updated: updated records
    :param deleted: deleted records
    :param skipped: rows without effect
    :param errors: failed rows
    :param url: page of the job, or of the feed
    """

    state: str
    jobs: int
    created: int
    updated: int
    deleted: int
    skipped: int
    errors: int
    url: str


class ExportResult(TypedDict):
    """The result of `AtrocoreExportJobSensor`.

    :param state: the last state, "Success"
    :param jobs: the number of jobs
    :param file_ids: ids of the exported files (entity File)
    :param records: the number of records in them
    :param url: page of the job, or of the feed
    """

    state: str
    jobs: int
    file_ids: list[str]
    records: int
    url: str


class AtrocoreSensor(SelfHostedSensor):
    """Waits for one thing in AtroCore.

    :param atrocore_conn_id: the Airflow connection
    """

    operator_extra_links = (AtrocoreLink(),)
    template_fields: Sequence[str] = (*SelfHostedSensor.template_fields, "atrocore_conn_id")

    def __init__(self, *, atrocore_conn_id: str = "atrocore_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.atrocore_conn_id = atrocore_conn_id


class AtrocoreJobSensor(AtrocoreSensor):
    """Waits until a job of the queue has ended, such as the job of an ``upsertAsync``.

    Endpoint: ``GET /api/Job``, since core 1.12.

    :param job_id: id of the job
    :param fail_on: when failed items of an upsert fail the task: "any" (default), "never", or a share from 0 to 1: it
        fails if more items fail. A job that failed or was cancelled always fails it
    :param atrocore_conn_id: the Airflow connection
    :return: `JobResult`
    :raises AirflowFailException: for invalid arguments, a missing job, a failed one, and more failed items than allowed
    """

    wait_spec = "self_hosted.atrocore.waits.JOB"
    template_fields: Sequence[str] = (*AtrocoreSensor.template_fields, "job_id", "fail_on")

    def __init__(self, *, job_id: str, fail_on: float | str = "any", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id, self.fail_on = job_id, fail_on

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.external_id()
        parse_share("fail_on", self.fail_on)

    def external_id(self) -> str:
        """Return the job's id."""
        return identifiers.check_record_id("job_id", parse_id("job_id", self.job_id, "a job"))

    def external_url(self, base_url: str) -> str:
        """Return the page of the job.

        :param base_url: AtroCore's address
        """
        return f"{base_url}/#Job/view/{self.external_id()}"

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the job."""
        return "Job", self.external_id()

    def build_result(self, observation: Observation, base_url: str) -> JobResult:
        """Return the job's result.

        :param observation: the last observation
        :param base_url: the product's address
        :raises PermanentError: if the job failed, or more of its items failed than allowed
        """
        job_id, details = self.external_id(), observation.details
        url = self.external_url(base_url)
        _require_success(f"job {job_id}", observation, url)
        result = JobResult(job_id=job_id, state=observation.state, url=url)
        if "items" not in details:
            result["message"] = details["message"]
            return result
        result["items"], result["failures"] = details["items"], details["failures"]
        self._require_few_failures(result["items"], result["failures"], url)
        return result

    def _require_few_failures(self, items: Mapping[str, int], failures: Sequence[FailedItem], url: str) -> None:
        failed, total = items.get("Failed", 0), sum(items.values())
        if failed > parse_share("fail_on", self.fail_on) * total:
            first = f"the first is number {failures[0]['item']}: {failures[0]['message']}"
            raise PermanentError(f"{failed} of {total} items of job {self.external_id()} failed, {first}; see {url}")


class _FeedJobSensor(AtrocoreSensor):
    """Waits for a job of a feed, or for all jobs of one of its runs."""

    template_fields: Sequence[str] = (*AtrocoreSensor.template_fields, "job_id", "feed_id", "after")
    entities: ClassVar[tuple[str, str]]
    """The entity of the jobs, and the entity of their feeds."""

    def __init__(
        self,
        *,
        job_id: str | None = None,
        feed_id: str | None = None,
        after: str | datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id, self.feed_id, self.after = job_id, feed_id, after

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        after = parse_optional("after", self.after, parse_timestamp)
        if self._names_a_job() and after is not None:
            raise ValueError("after is valid with feed_id only; leave it out, or give feed_id in place of job_id")
        self.external_id()

    def external_id(self) -> str:
        """Return the job's id, or the text of the run's `WaitKey`: the feed, and the time before the run."""
        if self._names_a_job():
            return self._job_id()
        return WaitKey(self._feed_id(), (self._baseline(),)).to_text()

    def describe(self) -> str:
        """Return the name of the job or run, for messages."""
        if self._names_a_job():
            return f"job {self._job_id()}"
        return f"the run of feed {self._feed_id()} after {self._baseline()}"

    def external_url(self, base_url: str) -> str:
        """Return the page of the job or feed.

        :param base_url: AtroCore's address
        """
        entity, record_id = self.external_asset()
        return f"{base_url}/#{entity}/view/{record_id}"

    def external_asset(self) -> Sequence[str]:
        """Return entity and id of the job or feed."""
        job_entity, feed_entity = self.entities
        return (job_entity, self._job_id()) if self._names_a_job() else (feed_entity, self._feed_id())

    def _names_a_job(self) -> bool:
        return require_one_of({"job_id": self.job_id, "feed_id": self.feed_id}) == "job_id"

    def _job_id(self) -> str:
        return identifiers.check_record_id("job_id", parse_id("job_id", self.job_id, "a job"))

    def _feed_id(self) -> str:
        return identifiers.check_record_id("feed_id", parse_id("feed_id", self.feed_id, "a feed"))

    def _baseline(self) -> str:
        return timestamps.to_text(parse_timestamp("after", self.after))


class AtrocoreImportJobSensor(_FeedJobSensor):
    """Waits until an import has ended: one job, or all jobs of a feed's run.

    Endpoint: ``GET /api/ImportJob``, since core 1.12.

    :param job_id: id of the import job; the parts that AtroCore split it into are included
    :param feed_id: or id of the import feed, if the job is not known
    :param after: with ``feed_id``: the run consists of all jobs that were created after this time, at least one. In UTC
        unless it has another time zone, by the server's clock: the result of
        ``AtrocoreHook().get_import_baseline(feed_id)``, called before the run
    :param fail_on: when failed rows fail the task: "any" (default), "never", or a share from 0 to 1: it fails if more
        rows fail. A job that failed or was cancelled always fails it
    :param atrocore_conn_id: the Airflow connection
    :return: `ImportResult`
    :raises AirflowFailException: for invalid arguments, a missing job, a failed one, and more failed rows than allowed
    """

    wait_spec = "self_hosted.atrocore.waits.IMPORT_JOB"
    template_fields: Sequence[str] = (*_FeedJobSensor.template_fields, "fail_on")
    entities = ("ImportJob", "ImportFeed")

    def __init__(self, *, fail_on: float | str = "any", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fail_on = fail_on

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        parse_share("fail_on", self.fail_on)

    def build_result(self, observation: Observation, base_url: str) -> ImportResult:
        """Return the counts of the import.

        :param observation: the last observation
        :param base_url: the product's address
        :raises PermanentError: if a job failed, or more rows failed than allowed
        """
        url, details = self.external_url(base_url), observation.details
        _require_success(self.describe(), observation, url)
        total = sum(count for name, count in details.items() if name != "jobs")
        failed = details["errors"]
        if failed > parse_share("fail_on", self.fail_on) * total:
            raise PermanentError(f"{failed} of {total} rows of {self.describe()} failed; see {url}")
        return {
            "state": observation.state,
            "jobs": details["jobs"],
            "created": details["created"],
            "updated": details["updated"],
            "deleted": details["deleted"],
            "skipped": details["skipped"],
            "errors": failed,
            "url": url,
        }


class AtrocoreExportJobSensor(_FeedJobSensor):
    """Waits until an export has ended: one job, or all jobs of a feed's run.

    Endpoint: ``GET /api/ExportJob``, since core 1.12.

    :param job_id: id of the export job
    :param feed_id: or id of the export feed, if the job is not known
    :param after: with ``feed_id``: the run consists of all jobs that were created after this time, at least one. In UTC
        unless it has another time zone, by the server's clock: the result of
        ``AtrocoreHook().get_export_baseline(feed_id)``, called before the run
    :param atrocore_conn_id: the Airflow connection
    :return: `ExportResult`
    :raises AirflowFailException: for invalid arguments, a missing job, and a failed one
    """

    wait_spec = "self_hosted.atrocore.waits.EXPORT_JOB"
    entities = ("ExportJob", "ExportFeed")

    def build_result(self, observation: Observation, base_url: str) -> ExportResult:
        """Return the exported files.

        :param observation: the last observation
        :param base_url: the product's address
        :raises PermanentError: if a job failed
        """
        url, details = self.external_url(base_url), observation.details
        _require_success(self.describe(), observation, url)
        return {
            "state": observation.state,
            "jobs": details["jobs"],
            "file_ids": details["file_ids"],
            "records": details["records"],
            "url": url,
        }


def _require_success(name: str, observation: Observation, url: str) -> None:
    if "failure" in observation.details:
        raise PermanentError(f"{name} ended as {observation.state}: {observation.details['failure']}; see {url}")
