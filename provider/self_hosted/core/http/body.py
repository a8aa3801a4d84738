"""Request bodies: bytes, or files that are read while they are sent; the same for both HTTP libraries."""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import urlencode

from self_hosted.core.http.flow import UNSET, Request, Upload
from self_hosted.core.http.logs import BYTES_PER_MEGABYTE, SECONDS_BETWEEN_LINES, Throttle, get_logger

log = get_logger(__name__)

CHUNK_BYTES = 64 * 1024
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


class BoundedReader:
    """The rest of an open file: exactly the announced size, even if the file grows or shrinks.

    :param file: open for reading
    :param left: number of bytes to send
    """

    def __init__(self, file: BinaryIO, left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end.

        :param size: the maximum number of bytes
        :raises EOFError: if the file ends too early
        """
        piece = self.file.read(min(size, self.left))
        if self.left and not piece:
            raise EOFError("the file was truncated while it was sent")
        self.left -= len(piece)
        return piece


class StreamedBody:
    """A body that is never in memory as a whole; it is sent in chunks of its own size.

    The HTTP libraries can read files, too, but in chunks so small that sending takes three times as long.

    :param sources: the parts of the body
    """

    def __init__(self, sources: Sequence[BoundedReader]) -> None:
        self.sources = sources
        self.len = sum(source.left for source in sources)
        self.error: Exception | None = None
        """The error of a file; the HTTP libraries take an OSError for one of the network."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._log_progress(self._chunks())
        except Exception as error:
            self.error = error
            raise

    def _log_progress(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        progress_line, sent = Throttle(SECONDS_BETWEEN_LINES), 0
        for chunk in chunks:
            yield chunk
            sent += len(chunk)
            if progress_line.is_due():
                megabytes = sent // BYTES_PER_MEGABYTE, self.len // BYTES_PER_MEGABYTE
                log.info("Upload: %d of %d MB are sent", *megabytes)

    def _chunks(self) -> Iterator[bytes]:
        chunk = b""
        for source in self.sources:
            while piece := source.read(CHUNK_BYTES - len(chunk)):
                chunk += piece
                if len(chunk) == CHUNK_BYTES:
                    yield chunk
                    chunk = b""
        if chunk:
            yield chunk


def build_body(request: Request, files: ExitStack) -> tuple[bytes | StreamedBody | None, dict[str, str]]:
    """Return the body of a request and its headers.

    :param request: the request
    :param files: closes the opened files
    """
    if request.json is not UNSET:
        return json.dumps(request.json, allow_nan=False).encode(), {"Content-Type": "application/json"}
    if request.form is not None:
        return urlencode(request.form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if request.parts is not None:
        boundary = secrets.token_hex(16)
        return _stream(list(_multipart(request.parts, boundary, files)), f"multipart/form-data; boundary={boundary}")
    if request.body is not None:
        return _stream([_open(request.body, files)], request.body.content_type)
    return None, {}


def _stream(sources: Sequence[BoundedReader], content_type: str) -> tuple[bytes | StreamedBody, dict[str, str]]:
    body = StreamedBody(sources)
    # requests treats a stream of length 0 as one of unknown length
    return body if body.len else b"", {"Content-Type": content_type, "Content-Length": str(body.len)}


def _multipart(parts: Mapping[str, str | Upload], boundary: str, files: ExitStack) -> Iterator[BoundedReader]:
    """https://www.rfc-editor.org/rfc/rfc7578, with names quoted as browsers do."""
    for name, part in parts.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quote(name)}"'
        if isinstance(part, str):
            yield _text(f"{head}\r\n\r\n{part}\r\n")
        else:
            yield _text(f'{head}; filename="{_quote(part.filename)}"\r\nContent-Type: {part.content_type}\r\n\r\n')
            yield _open(part, files)
            yield _text("\r\n")
    yield _text(f"--{boundary}--\r\n")


def _open(upload: Upload, files: ExitStack) -> BoundedReader:
    return BoundedReader(files.enter_context(upload.open()), upload.size)


def _text(text: str) -> BoundedReader:
    data = text.encode()
    return BoundedReader(io.BytesIO(data), len(data))


def _quote(name: str) -> str:
    """Return a name without characters that would end it; one that is not UTF-8 cannot be sent as it is."""
    quoted = CONTROL_CHARACTERS.sub(lambda match: f"%{ord(match[0]):02X}", name.replace('"', "%22"))
    return quoted.encode(errors="backslashreplace").decode()
