"""Uploads from operator arguments: a file, or content given as text or bytes."""

from __future__ import annotations

import hashlib
import io
from typing import Any, BinaryIO, cast

from self_hosted.core.arguments import parse_text
from self_hosted.core.http.flow import Upload
from self_hosted.core.tasks.storage import resolve_path


def upload_content(content: Any, name: str | None) -> Upload:
    """Return the upload of a text or of bytes.

    :param content: the text or the bytes
    :param name: the file's name in Assemblyline
    :raises ValueError: if the content is empty or has another type, or the name is missing
    """
    data = content if isinstance(content, bytes) else parse_text("content", content).encode()
    if not data:
        raise ValueError("content must be non-empty text or bytes: Assemblyline rejects empty files")
    if not name:
        raise ValueError("name is missing: content has no file name of its own")
    return Upload(name, lambda: io.BytesIO(data), len(data))


def upload_file(file: str, name: str | None = None) -> Upload:
    """Return the upload of a file. The file is opened when it is sent.

    :param file: path or URI, see `self_hosted.core.tasks.storage.parse_uri`
    :param name: the file's name in Assemblyline; default: its own name
    :raises ValueError: if the file does not exist, or is empty
    """
    path = resolve_path(file)
    if not path.is_file():
        raise ValueError(f"file: {file!r} does not exist")
    size = path.stat().st_size
    if not size:
        raise ValueError(f"file: {file!r} is empty; Assemblyline rejects empty files")
    return Upload(name or path.name, lambda: cast("BinaryIO", path.open("rb")), size)


class HashedUpload:
    """An upload that computes its SHA-256 while it is sent, so that the file is read once.

    :param upload: the upload
    """

    def __init__(self, upload: Upload) -> None:
        self.upload = upload._replace(open=lambda: cast("BinaryIO", _HashingReader(upload.open(), self)))
        self.sha256 = ""
        """The hash of the content that was read last; complete once all of it is read."""


class _HashingReader:
    def __init__(self, file: BinaryIO, upload: HashedUpload) -> None:
        self.file, self.upload, self.hash = file, upload, hashlib.sha256()

    def __enter__(self) -> _HashingReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        self.hash.update(chunk)
        self.upload.sha256 = self.hash.hexdigest()
        return chunk
