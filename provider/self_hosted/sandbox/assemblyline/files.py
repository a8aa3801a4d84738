"""Files of the stand-in: their records, what was found in them, what is written in them, and downloads."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline import findings
from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, is_set
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.cart import packed
from self_hosted.sandbox.assemblyline.result_documents import CLASSIFICATION, file_record
from self_hosted.sandbox.assemblyline.scan import Scanned

VIEW, DETAIL, DOWNLOAD = "submission_view", "file_detail", "file_download"
SHOWN = 1024 * 1024
ENCODINGS = ("cart", "raw", "zip")
NO_FILE = "The file was not found in the system."


class Files(Area):
    """It keeps the records of files, but for when they were seen, and the SHA-256 of those whose content was purged."""

    name: ClassVar[str] = "files"

    @classmethod
    def fresh(cls) -> dict[str, Any]:
        """No records; nothing was purged."""
        return {"records": {}, "purged": set()}

    def rows(self) -> Sequence[Row]:
        """The table."""
        return [
            Row("GET", "/file/info/{sha256}/", self.info, VIEW, True),
            Row("GET", "/file/result/{sha256}/", self.results, VIEW, True),
            Row("GET", "/file/result/{sha256}/{service}/", self.results_of_service, VIEW, True),
            Row("GET", "/file/score/{sha256}/", self.score, VIEW, True),
            Row("GET", "/file/children/{sha256}/", self.children, VIEW, True),
            Row("GET", "/file/hex/{sha256}/", self.hex, DETAIL, True),
            Row("GET", "/file/ascii/{sha256}/", self.ascii, DETAIL, True),
            Row("GET", "/file/strings/{sha256}/", self.strings, DETAIL, True),
            Row("GET", "/file/download/{sha256}/", self.download, DOWNLOAD, True),
            Row("DELETE", "/file/filestore/{sha256}/", self.purge, "file_purge", True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The files that were handed in, and those that were in them."""
        return {"file": [self._record(found) for found in self._known().values()]}

    async def info(self, request: Request, session: Session) -> Any:
        """The record."""
        return self._record(self._file(request, "This file does not exists."))

    async def results(self, request: Request, session: Session) -> Any:
        """What was found in it, in whatever submission."""
        found = self._file(request, "This file does not exists")
        return {
            **findings.of_file(found.score, self._bands),
            "alternates": {},
            "childrens": [{"name": name, "sha256": sha256} for name, sha256 in found.children],
            "classification": CLASSIFICATION,
            "errors": [],
            "file_info": self._record(found),
            "file_viewer_only": True,
            "metadata": {},
            "parents": self._parents(found),
            "results": self._results(found),
        }

    async def results_of_service(self, request: Request, session: Session) -> Any:
        """What a service found; nothing, from one that is unknown."""
        found, service = self._file(request, "This file does not exists"), request.path_params["service"]
        results = [one for one in self._results(found) if one["response"]["service_name"].startswith(service)]
        return {"file_info": self._record(found), "results": results if "all" in request.query_params else results[:1]}

    async def score(self, request: Request, session: Session) -> Any:
        """The score of its newest results."""
        found = self._file(request, "This file does not exists")
        results = self._results(found)
        score = sum(one["result"]["score"] for one in results)
        return {"file_info": self._record(found), "result_keys": [one["id"] for one in results], "score": score}

    async def children(self, request: Request, session: Session) -> Any:
        """What was in it."""
        found = self._file(request, "This file does not exists.")
        return [{"name": name, "sha256": sha256} for name, sha256 in dict.fromkeys(found.children)]

    async def hex(self, request: Request, session: Session) -> Any:
        """In hex digits."""
        found = self._file(request)
        content, length = self._content(found), int(request.query_params.get("length", 16))
        bytes_only = is_set(request, "bytes_only")
        return _shown(content[:SHOWN].hex(" ") if bytes_only else _dump(content[:SHOWN], length), found.size > SHOWN)

    async def ascii(self, request: Request, session: Session) -> Any:
        """As text."""
        found = self._file(request)
        text = "".join(_character(byte) for byte in self._content(found)[:SHOWN])
        return _shown(text, found.size > SHOWN)

    async def strings(self, request: Request, session: Session) -> Any:
        """The texts in it."""
        content = self._content(self._file(request))
        pattern = f"[\x20-\x7e]{{{int(request.query_params.get('len', 6))},}}"
        texts = (content.decode("ascii", "replace"), content.decode("utf-16", "replace"))
        return _shown("\n".join(dict.fromkeys(found for text in texts for found in re.findall(pattern, text))), False)

    async def download(self, request: Request, session: Session) -> Any:
        """The content, packed as asked for."""
        found, asked = self._file(request), request.query_params
        encoding, password = asked.get("encoding", "cart"), asked.get("password", "infected")
        name = PurePosixPath(asked.get("name") or found.sha256).name
        _check(encoding, password, self.product.configuration)
        content = self._content(found, NO_FILE)
        if encoding == "cart":
            content, name = packed(content, {"name": name, **self._metadata(asked.get("sid"))}), f"{name}.cart"
        elif encoding == "zip":
            content, name = _zipped(found.sha256, content), f"{name}.zip"
        shown = f"attachment; filename=file.bin; filename*=UTF-8''{quote(name)}"
        return Response(content, 200, {"Content-Disposition": shown}, "application/octet-stream")

    async def purge(self, request: Request, session: Session) -> Any:
        """Forget the content."""
        self.kept["purged"].add(self._file(request).sha256)
        return {"success": True}

    def _known(self) -> dict[str, Scanned]:
        return {sha256: one for top in self.product.known.values() for sha256, one in top.files.items()}

    def _parents(self, found: Scanned) -> list[str]:
        return [one.sha256 for one in self._known().values() if found.sha256 in {child for _, child in one.children}]

    def _file(self, request: Request, words: str = NO_FILE) -> Scanned:
        known = self._known()
        if request.path_params["sha256"] not in known:
            raise Refusal(404, words, {})
        return known[request.path_params["sha256"]]

    def _content(self, found: Scanned, words: str = "This file was not found in the system.") -> bytes:
        if found.content is None or found.sha256 in self.kept["purged"]:
            raise Refusal(404, words, {})
        return found.content

    def _record(self, found: Scanned) -> dict[str, Any]:
        if found.sha256 not in self.kept["records"]:
            self.kept["records"][found.sha256] = file_record(found)
        record = self.kept["records"][found.sha256]
        return {**record, "seen": self.product.files.get(found.sha256, record)["seen"]}

    def _results(self, found: Scanned) -> list[dict[str, Any]]:
        return [one for one in self.product.indexed("result") if one["sha256"] == found.sha256]

    def _metadata(self, sid: str | None) -> dict[str, Any]:
        submission = self.product.submissions.get(sid or "")
        return dict(submission.document["metadata"]) if submission else {}

    @property
    def _bands(self) -> dict[str, int]:
        start = "submission.verdicts."
        return {key.removeprefix(start): at for key, at in self.product.configuration.items() if key.startswith(start)}


def _shown(content: str, truncated: bool) -> dict[str, Any]:
    return {"content": content, "truncated": truncated}


def _character(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 or byte in b"\t\n\r" else "."


def _dump(content: bytes, length: int) -> str:
    return "\n".join(
        f"{start:08x}:  {content[start : start + length].hex(' '):<{length * 3 - 1}}   "
        + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in content[start : start + length])
        for start in range(0, len(content), length)
    )


def _check(encoding: str, password: str, configuration: dict[str, Any]) -> None:
    if encoding not in ENCODINGS:
        raise Refusal(403, f"{encoding.upper()} is not in the valid encoding types: {set(ENCODINGS)}", {})
    for name, of in (("RAW", "raw"), ("PROTECTED", "zip")):
        if encoding == of and not configuration.get(f"ui.allow_{of}_downloads", True):
            raise Refusal(403, f"{name} file download has been disabled by administrators.", {})
    if encoding == "zip" and not password.strip():
        raise Refusal(403, "No password given or retrieved from user's settings.", {})
    if encoding == "zip" and (len(password) > 128 or min(password) < " "):
        raise Refusal(400, "Invalid password for protected file download.", {})


def _zipped(name: str, content: bytes) -> bytes:
    """As a zip, which for want of a cipher in the standard library has no password."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return written.getvalue()
