"""Contents of files: views, downloads and removal."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.analysis.encodings import check_encoding, encode_file
from self_hosted.sandbox.assemblyline.analysis.file_store import FILE_NOT_FOUND, FileStore
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.request_parsing import has_flag
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.routing import route

DETAIL = "file_detail"
MAX_SHOWN_BYTES = 1024 * 1024
DEFAULT_LINE_BYTES, DEFAULT_STRING_LENGTH = 16, 6


class FileContents(Resource):
    """The contents. There is no state."""

    name: ClassVar[str] = "file_contents"

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = FileStore(server)

    @route("GET", "/file/hex/{sha256}/", role=DETAIL)
    async def get_hex(self, request: Request, session: Session) -> Any:
        """Return the content in hexadecimal digits."""
        content, is_truncated = self._read(request)
        if has_flag(request, "bytes_only"):
            return {"content": content.hex(" "), "truncated": is_truncated}
        length = int(request.query_params.get("length", DEFAULT_LINE_BYTES))
        return {"content": _format_dump(content, length), "truncated": is_truncated}

    @route("GET", "/file/ascii/{sha256}/", role=DETAIL)
    async def get_ascii(self, request: Request, session: Session) -> Any:
        """Return the content as text."""
        content, is_truncated = self._read(request)
        text = "".join(chr(byte) if 32 <= byte < 127 or byte in b"\t\n\r" else "." for byte in content)
        return {"content": text, "truncated": is_truncated}

    @route("GET", "/file/strings/{sha256}/", role=DETAIL)
    async def get_strings(self, request: Request, session: Session) -> Any:
        """Return the texts in the content."""
        content = self.store.get_content(self.store.get(request.path_params["sha256"]))
        min_length = int(request.query_params.get("len", DEFAULT_STRING_LENGTH))
        texts = (content.decode("ascii", "replace"), content.decode("utf-16", "replace"))
        strings = [found for text in texts for found in re.findall(f"[\x20-\x7e]{{{min_length},}}", text)]
        return {"content": "\n".join(dict.fromkeys(strings)), "truncated": False}

    @route("GET", "/file/download/{sha256}/", role="file_download")
    async def download(self, request: Request, session: Session) -> Any:
        """Return the content in the requested encoding."""
        file, query = self.store.get(request.path_params["sha256"]), request.query_params
        encoding, password = query.get("encoding", "cart"), query.get("password", "infected")
        check_encoding(encoding, password, self.server.configuration)
        content = self.store.get_content(file, FILE_NOT_FOUND)
        name = PurePosixPath(query.get("name") or file.sha256).name
        name, content = encode_file(encoding, name, file.sha256, content, self._get_metadata(query.get("sid")))
        disposition = f"attachment; filename=file.bin; filename*=UTF-8''{quote(name)}"
        return Response(content, 200, {"Content-Disposition": disposition}, "application/octet-stream")

    @route("DELETE", "/file/filestore/{sha256}/", role="file_purge")
    async def purge(self, request: Request, session: Session) -> Any:
        """Remove the content."""
        self.store.state["purged"].add(self.store.get(request.path_params["sha256"]).sha256)
        return {"success": True}

    def _read(self, request: Request) -> tuple[bytes, bool]:
        """Return the shown part of the content, and whether it is truncated."""
        file = self.store.get(request.path_params["sha256"])
        return self.store.get_content(file)[:MAX_SHOWN_BYTES], file.size > MAX_SHOWN_BYTES

    def _get_metadata(self, sid: str | None) -> dict[str, Any]:
        submission = self.server.store.submissions.get(sid or "")
        return dict(submission.document["metadata"]) if submission else {}


def _format_dump(content: bytes, length: int) -> str:
    lines = ((start, content[start : start + length]) for start in range(0, len(content), length))
    return "\n".join(
        f"{start:08x}:  {line.hex(' '):<{length * 3 - 1}}   "
        + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        for start, line in lines
    )
