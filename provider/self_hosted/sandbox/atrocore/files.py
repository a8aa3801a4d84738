"""Uploads in one piece or in chunks, and downloads."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.file_contents import add_chunk, decode_upload
from self_hosted.sandbox.atrocore.file_store import find_same_content, set_content, store_file
from self_hosted.sandbox.atrocore.record_store import Saved, create_record, get_record
from self_hosted.sandbox.atrocore.rendering import Renderer
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

DOWNLOAD_TYPE = "application/octet-stream"


class Files(Resource):
    """Files and their contents."""

    @route("POST", "/api/File", since=V2_3, json_body=True)
    @route("POST", "/api/v1/File", until=V2_3)
    def upload(self, call: Call) -> Response:
        """Create a file. Before 2.3, the same route takes chunks."""
        body = call.require_properties("name") if self.state.is_new else call.check_object()
        if not self.state.is_new and "piecesCount" in body:
            return self._upload_chunk(call, body)
        return build_response(self._render(call, create_record(self.state, "File", body, call.access)))

    @route("POST", "/api/File/createChunk", since=V2_3, json_body=True)
    def upload_chunk(self, call: Call) -> Response:
        """Store a chunk, and create the file with the last one."""
        return self._upload_chunk(call, call.require_properties("id", "piecesCount"))

    @route("PATCH", "/api/File/{id}/reupload", since=V2_3, json_body=True)
    def replace(self, call: Call) -> Response:
        """Replace the name and the content of a file."""
        body = call.require_properties("name")
        call.access.check("File", "edit")
        record = get_record(self.state, "File", call.id)
        content = decode_upload(self.state, body.get("fileContents"))
        record["name"] = body["name"]
        set_content(self.state, record, content)
        return build_response(Renderer(self.state, "File", call.access).render(record))

    @route("GET", "/downloads/{name}", since=V2_3)
    def download(self, call: Call) -> Response:
        """Return the content of a file."""
        name = call.route
        return self._send(name.rpartition(".")[0] or name)

    @route("GET", "/", until=V2_3)
    def download_old(self, call: Call) -> Response:
        """Return the content of a file."""
        if call.parameter("entryPoint") != "download":
            raise ApiError(404)
        return self._send(call.parameter("id"))

    def _send(self, file_id: str) -> Response:
        record = get_record(self.state, "File", file_id)
        name = f'"{record["name"]}"' if self.state.is_new else record["name"]
        headers = {"Content-Disposition": f"attachment; filename={name}"}
        return Response(self.state.file_contents[file_id], headers=headers, media_type=DOWNLOAD_TYPE)

    def _upload_chunk(self, call: Call, body: dict[str, Any]) -> Response:
        starts, content = add_chunk(self.state, body)
        if content is None:
            return build_response({"chunks": starts})
        return build_response({
            **self._render(call, store_file(self.state, body, content, call.access)),
            "chunks": starts,
        })

    def _render(self, call: Call, saved: Saved) -> dict[str, Any]:
        """Return a new file, and another one with the same content."""
        renderer = Renderer(self.state, "File", call.access, call.headers.get("language", ""))
        rendered, same = renderer.render_created(saved), find_same_content(self.state, saved.record)
        if same is None:
            return rendered
        duplicate = {
            name: value for name, value in renderer.render(same).items() if name not in {"extension", "downloadUrl"}
        }
        return {**rendered, "duplicate": duplicate}
