"""Runs of import and export feeds, and their jobs. A run of a feed does not return the ids of its jobs.

A feed without an entity is a sample: its jobs follow the schedules that tests seed. Other feeds need columns, and their
jobs read and write files.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore import export_files, import_files
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.definitions.queue import IMPORT_COUNTS
from self_hosted.sandbox.atrocore.errors import ApiError, require
from self_hosted.sandbox.atrocore.import_files import list_columns
from self_hosted.sandbox.atrocore.job_queue import UNFINISHED_STATES, start_job, start_split_import
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.relations import list_relation
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_not_modified, build_response
from self_hosted.sandbox.atrocore.state import Record
from self_hosted.sandbox.atrocore.versions import COUNTERS_SINCE, FEEDS_SINCE, QUEUE_SINCE, V2_3
from self_hosted.sandbox.routing import route

WRONG_STATES = {"ImportJob": "Unexpected job state.", "ExportJob": "Such job state cannot be set."}


class Feeds(Resource):
    """Runs of feeds, and actions on their jobs."""

    @route("POST", "/api/ImportFeed/{id}/runImport", since=V2_3)
    @route("POST", "/api/v1/ImportFeed/action/runImport", since=FEEDS_SINCE, until=V2_3)
    def run_import(self, call: Call) -> Response:
        """Run an import feed and return ``true``. The import job exists at once; its parts, if any, only later."""
        feed_id, file_id = call.id or _read(call, "importFeedId"), _read(call, "fileId") or _read(call, "attachmentId")
        require(feed_id, 400)
        feed = self.state.find_record("ImportFeed", str(feed_id))
        if feed is None:
            raise ApiError(404, "No such ImportFeed")
        require(feed["isActive"], 400, "importFeedIsInactive")
        values = {"importFeedId": feed["id"]}
        if feed.get("entity"):
            self._import_file(feed, values, str(file_id or feed.get("fileId")))
            return build_response(True)
        schedules = self.state.runs.get(feed["id"], [{}])
        if len(schedules) == 1:
            start_job(self.state, "ImportJob", values, schedules[0])
        else:
            start_split_import(self.state, values, schedules)
        return build_response(True)

    @route("POST", "/api/ExportFeed/{id}/exportFile", since=V2_3)
    @route("POST", "/api/v1/ExportFeed/action/exportFile", since=FEEDS_SINCE, until=V2_3)
    def export_file(self, call: Call) -> Response:
        """Run an export feed and return ``true``, or ``false`` if it is inactive. A background job creates the jobs."""
        state = self.state
        feed = get_record(state, "ExportFeed", str(call.id or _read(call, "id")))
        if not feed["isActive"]:
            return build_response(False)
        schedules = state.runs.get(feed["id"], [{}])
        if feed.get("entity"):
            schedules = [{**schedule, "work": self._plan_export(call, feed)} for schedule in schedules]
        else:
            schedules = [{"fileId": state.new_id(), **schedule} for schedule in schedules]
        values = {"exportFeedId": feed["id"], "name": feed["name"]}
        self._start_creator(feed, [("ExportJob", values, schedule) for schedule in schedules])
        return build_response(True)

    @route("GET", "/api/ImportJob/{id}/recordCounters", since=V2_3)
    @route("GET", "/api/v1/ImportJob/{id}/recordCounters", until=V2_3)
    def record_counters(self, call: Call) -> Response:
        """Return the counters of an import job, including those that are missing in the job's record.

        Old cores lack the route, and look for a relation of this name.
        """
        if self.state.core < COUNTERS_SINCE:
            return list_relation(self.state, call, "ImportJob", call.id, "recordCounters")
        job = get_record(self.state, "ImportJob", call.id)
        counters = {**dict.fromkeys(IMPORT_COUNTS, 0), **self.state.counters.get(call.id, {})}
        return build_response({
            "id": job["id"],
            "state": job["state"],
            **{name: counters[name] if job.get(name) is None else job[name] for name in IMPORT_COUNTS},
        })

    @route("POST", "/api/ExportJob/{id}/cancel", since=V2_3)
    def cancel_export(self, call: Call) -> Response:
        """Cancel an export job and return ``true``, or ``false`` if the job has ended."""
        job = get_record(self.state, "ExportJob", call.id)
        is_unfinished = job["state"] in UNFINISHED_STATES
        if is_unfinished:
            job["state"] = "Canceled"
        return build_response(is_unfinished)

    @route("PATCH", "/api/v1/ImportJob/{id}", since=FEEDS_SINCE, until=V2_3)
    def set_import_state(self, call: Call) -> Response:
        """Cancel an unfinished import job and return it."""
        return self._set_state(call, "ImportJob")

    @route("PATCH", "/api/v1/ExportJob/{id}", since=FEEDS_SINCE, until=V2_3)
    def set_export_state(self, call: Call) -> Response:
        """Cancel an unfinished export job and return it."""
        return self._set_state(call, "ExportJob")

    def _set_state(self, call: Call, entity: str) -> Response:
        job = get_record(self.state, entity, call.id)
        wanted = (call.body or {}).get("state", job["state"])
        if wanted == job["state"]:
            return build_not_modified()
        if wanted != "Canceled" or job["state"] not in UNFINISHED_STATES:
            raise ApiError(400, WRONG_STATES[entity])
        job["state"] = wanted
        return build_response(job)

    def _import_file(self, feed: Record, values: dict[str, Any], file_id: str) -> None:
        require(list_columns(self.state, "ImportConfiguratorItem", "importFeedId", feed), 400, "configuratorEmpty")
        require(self.state.find_record("File", file_id), 400, f"No such File '{file_id}'.")
        name = f"{feed['entity']}: {feed['name']}"
        details = {"name": name, "entityName": feed["entity"], "attachmentId": file_id, "uploadedFileId": file_id}
        work = (import_files.WORK, {"feed": feed["id"], "file": file_id})
        values = {**values, **details, "start": self.state.timestamp()}
        start_job(self.state, "ImportJob", values, {"work": work, **self.state.runs.get(feed["id"], [{}])[0]})

    def _plan_export(self, call: Call, feed: Record) -> tuple[str, dict[str, Any]]:
        require(list_columns(self.state, "ExportConfiguratorItem", "exportFeedId", feed), 400, "noConfiguratorItems")
        wanted = _read(call, "entityFilterData") or {}
        if wanted and self.state.core < QUEUE_SINCE and not _read(call, "ignoreFilter"):
            raise ApiError(500, hidden=True)  # because the feed stores no filter
        return export_files.WORK, {"feed": feed["id"], "wanted": wanted}

    def _start_creator(self, feed: Record, jobs: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> None:
        if self.state.core >= QUEUE_SINCE:
            values = {"type": "ExportJobCreator", "payload": {"feed": {"id": feed["id"]}}}
            start_job(self.state, "Job", values, {}, jobs)
        else:
            start_job(self.state, "QueueItem", {"name": "exportName", "serviceName": "ExportJobCreator"}, {}, jobs)


def _read(call: Call, name: str) -> Any:
    return (call.body if isinstance(call.body, dict) else {}).get(name)
