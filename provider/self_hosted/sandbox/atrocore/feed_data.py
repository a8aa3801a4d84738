"""Data of feeds that requests read and write at once: columns of files, files with errors, rows."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError, require
from self_hosted.sandbox.atrocore.export_files import read_table
from self_hosted.sandbox.atrocore.file_store import store_file
from self_hosted.sandbox.atrocore.import_files import build_errors_file, read_rows
from self_hosted.sandbox.atrocore.job_queue import start_job
from self_hosted.sandbox.atrocore.record_store import get_record, insert_record
from self_hosted.sandbox.atrocore.rendering import Renderer
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import Record
from self_hosted.sandbox.atrocore.versions import FEEDS_SINCE, V2_3
from self_hosted.sandbox.routing import route

ERRORS_FIELD = "errorsAttachment"


class FeedData(Resource):
    """Data of feeds."""

    @route("POST", "/api/ImportFeed/parseFileColumns", since=V2_3, json_body=True)
    @route("POST", "/api/v1/ImportFeed/action/parseFileColumns", since=FEEDS_SINCE, until=V2_3)
    def parse_columns(self, call: Call) -> Response:
        """Return the header of a CSV file."""
        body = call.body or {}
        file = get_record(self.state, "File", str(body.get("fileId") or body.get("attachmentId")))
        header = next(read_rows(self.state, {"fileFieldDelimiter": body.get("delimiter")}, file["id"]), [])
        return build_response(header)

    @route("POST", "/api/v1/ImportJob/action/generateFile", since=FEEDS_SINCE, until=V2_3)
    def generate_old_file(self, call: Call) -> Response:
        """Return a new file with the rows of an import that failed."""
        body = call.body or {}
        job = get_record(self.state, "ImportJob", str(body.get("id")))
        require(body.get("field") == ERRORS_FIELD, 400)
        uploaded = get_record(self.state, "File", job["attachmentId"])
        folder = insert_record(self.state, "Folder", {"name": "Import errors"})
        values = {"name": f"errors-{uploaded['name']}", "hidden": True, "folderId": folder["id"]}
        saved = store_file(self.state, values, build_errors_file(self.state, job).encode(), call.access)
        job[f"{ERRORS_FIELD}Id"] = saved.record["id"]
        return build_response(Renderer(self.state, "File", call.access).render_created(saved))

    @route("POST", "/api/ImportJob/{id}/generateFile", since=V2_3, json_body=True)
    def generate_file(self, call: Call) -> Response:
        """Start to write a file, also for an unknown job, and return the id of a background job."""
        return build_response({"queueItemId": start_job(self.state, "Job", {"type": "ImportJobFile"}, {})["id"]})

    @route("POST", "/api/ImportFeed/importData", since=V2_3, json_body=True)
    def import_rows(self, call: Call) -> Response:
        """Start an import of rows, and return ``true``."""
        feed = self._find_feed("ImportFeed", call.require_properties("code", "json")["code"])
        start_job(self.state, "ImportJob", {"importFeedId": feed["id"], "name": feed["name"]}, {})
        return build_response(True)

    @route("GET", "/api/ImportFeed/verifyFeedByCode", since=V2_3)
    def verify_code(self, call: Call) -> Response:
        """Return whether an import feed has a code."""
        feeds = (feed.get("code") for feed in self.state.records["ImportFeed"].values() if not feed["deleted"])
        validity = "valid" if call.required_parameter("code") in set(feeds) else "invalid"
        return build_response({"message": f"Import Feed code is {validity}"})

    @route("GET", "/api/ExportFeed/exportData", since=V2_3)
    @route("GET", "/api/v1/ExportFeed/action/easyCatalog", since=FEEDS_SINCE, until=V2_3)
    def read_rows(self, call: Call) -> Response:
        """Return a page of the rows of an export feed."""
        feed = self._find_feed("ExportFeed", call.parameter("code"))
        rows, offset = read_table(self.state, feed, {}), int(call.parameter("offset", "0"))
        size = int(feed.get("limit") or len(rows))
        return build_response({"total": len(rows), "urlColumns": [], "records": rows[offset : offset + size]})

    def _find_feed(self, entity: str, code: Any) -> Record:
        feeds = self.state.records[entity].values()
        found = next((feed for feed in feeds if feed.get("code") == code and not feed["deleted"]), None)
        if found is None:
            raise ApiError(404)
        return found
