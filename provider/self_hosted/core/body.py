"""A request's body: bytes, or files that are read while they are sent; both libraries are given the same."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import urlencode

from self_hosted.core.flow import NOTHING, Request, Upload

CHUNK = 64 * 1024


class Rest:
    """What is left of an open file: as much as was told of it, even if it has grown, and never less.

    :param file: open for reading
    :param left: how many bytes are to be sent
    """

    def __init__(self, file: BinaryIO, left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end.

        :param size: how many at most
        :raises EOFError: when the file ends too early
        """
        piece = self.file.read(min(size, self.left))
        if self.left and not piece:
            raise EOFError("the file became shorter while it was sent")
        self.left -= len(piece)
        return piece


class Streamed:
    """A body that is never held whole. It is sent in chunks as large as it gives them.

    The libraries read files by themselves too, but in so small pieces that sending takes thrice as long.

    :param sources: what it consists of
    """

    def __init__(self, sources: Sequence[Rest]) -> None:
        self.sources = sources
        self.len = sum(source.left for source in sources)  # requests asks for it by this name

    def __iter__(self) -> Iterator[bytes]:
        chunk = b""
        for source in self.sources:
            while piece := source.read(CHUNK - len(chunk)):
                chunk += piece
                if len(chunk) == CHUNK:
                    yield chunk
                    chunk = b""
        if chunk:
            yield chunk


def body_of(request: Request, files: ExitStack) -> tuple[bytes | Streamed | None, dict[str, str]]:
    """The body of a request and its headers.

    :param request: what is to be sent
    :param files: closes what is opened for it
    """
    if request.json is not NOTHING:
        return json.dumps(request.json, allow_nan=False).encode(), {"Content-Type": "application/json"}
    if request.form is not None:
        return urlencode(request.form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if request.parts is not None:
        boundary = secrets.token_hex(16)
        return _streamed(list(_multipart(request.parts, boundary, files)), f"multipart/form-data; boundary={boundary}")
    if request.body is not None:
        return _streamed([_opened(request.body, files)], request.body.content_type)
    return None, {}


def _streamed(sources: Sequence[Rest], content_type: str) -> tuple[bytes | Streamed, dict[str, str]]:
    body = Streamed(sources)
    # requests takes a stream of no length for one of unknown length
    return body if body.len else b"", {"Content-Type": content_type, "Content-Length": str(body.len)}


def _multipart(parts: Mapping[str, str | Upload], boundary: str, files: ExitStack) -> Iterator[Rest]:
    """https://www.rfc-editor.org/rfc/rfc7578, with names quoted as browsers do."""
    for name, part in parts.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if isinstance(part, str):
            yield _text(f"{head}\r\n\r\n{part}\r\n")
        else:
            yield _text(f'{head}; filename="{_quoted(part.filename)}"\r\nContent-Type: {part.content_type}\r\n\r\n')
            yield _opened(part, files)
            yield _text("\r\n")
    yield _text(f"--{boundary}--\r\n")


def _opened(upload: Upload, files: ExitStack) -> Rest:
    return Rest(files.enter_context(upload.open()), upload.size)


def _text(text: str) -> Rest:
    data = text.encode()
    return Rest(io.BytesIO(data), len(data))


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
