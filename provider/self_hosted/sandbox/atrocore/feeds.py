"""Import and export feeds, and their jobs. A run of a feed does not return the ids of its jobs."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import IMPORT_COUNTS, QUEUE_SINCE, V2_3
from self_hosted.sandbox.atrocore.job_queue import UNFINISHED_STATES, start_job, start_split_import
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.routing import route

BACKGROUND_CHECK_SINCE = (2, 3, 14)


class Feeds(Resource):
    """Runs of feeds, and actions on their jobs."""

    @route("POST", "/api/ImportFeed/{id}/runImport", since=V2_3)
    @route("POST", "/api/v1/ImportFeed/action/runImport", since=QUEUE_SINCE, until=V2_3)
    def run_import(self, call: Call) -> Response:
        """Run an import feed and return ``true``. The import job exists at once; its parts, if any, only later."""
        feed = get_record(self.state, "ImportFeed", call.id or _read_id(call, "importFeedId"))
        schedules, values = self.state.runs.get(feed["id"], [{}]), {"importFeedId": feed["id"]}
        if len(schedules) == 1:
            start_job(self.state, "ImportJob", values, schedules[0])
        else:
            start_split_import(self.state, values, schedules)
        return build_response(True)

    @route("POST", "/api/ExportFeed/{id}/exportFile", since=V2_3)
    @route("POST", "/api/v1/ExportFeed/action/exportFile", since=QUEUE_SINCE, until=V2_3)
    def export_file(self, call: Call) -> Response:
        """Run an export feed and return ``true``, or ``false`` if it is inactive. A background job creates the jobs."""
        state = self.state
        feed = get_record(state, "ExportFeed", call.id or _read_id(call, "id"))
        if not feed["isActive"]:
            return build_response(False)
        values = {"exportFeedId": feed["id"]}
        schedules = [{"fileId": state.new_id(), **schedule} for schedule in state.runs.get(feed["id"], [{}])]
        jobs = [("ExportJob", values, schedule) for schedule in schedules]
        start_job(state, "Job", {"type": "ExportJobCreator", "payload": {"feed": {"id": feed["id"]}}}, {}, jobs)
        return build_response(True)

    @route("GET", "/api/ImportJob/{id}/recordCounters", since=V2_3)
    @route("GET", "/api/v1/ImportJob/{id}/recordCounters", since=QUEUE_SINCE, until=V2_3)
    def record_counters(self, call: Call) -> Response:
        """Return the counters of an import job, including those that are missing in the job's record."""
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

    @route("GET", "/api/checkBackgroundProcessing", since=BACKGROUND_CHECK_SINCE)
    def check_background_processing(self, call: Call) -> Response:
        """Return whether workers process the queue."""
        return build_response(self.state.cron)


def _read_id(call: Call, name: str) -> Any:
    return (call.body or {}).get(name, "")
