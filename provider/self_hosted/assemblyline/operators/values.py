"""What operators are given to submit, as the flows take it: files and texts, checked."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO, cast

from self_hosted.core.flow import Upload
from self_hosted.core.storage import path_of


def upload_of_content(content: str | bytes | None, name: str | None) -> Upload:
    """What is to be sent of a text or bytes.

    :param content: the text or the bytes
    :param name: the name they get
    :raises ValueError: naming the argument
    """
    data = content.encode() if isinstance(content, str) else content
    if not isinstance(data, bytes) or not data:
        raise ValueError("content must be text or bytes, and not empty: Assemblyline refuses empty files")
    if not name:
        raise ValueError("name is missing: content has no file name of its own")
    return Upload(name, lambda: io.BytesIO(data), len(data))


class Digest:
    """An upload whose SHA-256 is taken while it is sent, so that the file is read once.

    :param upload: what is to be sent
    """

    def __init__(self, upload: Upload) -> None:
        self.upload = upload._replace(open=lambda: cast("BinaryIO", _Digested(upload.open(), self)))
        self.sha256 = ""
        """Of what was read last, once all of it was."""


class _Digested:
    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self.file, self.digest, self.sum = file, digest, hashlib.sha256()

    def __enter__(self) -> _Digested:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.sum.update(piece)
        self.digest.sha256 = self.sum.hexdigest()
        return piece


def upload_of_file(file: str, name: str | None = None) -> Upload:
    """What is to be sent of a file, which is opened when it is sent.

    :param file: see `self_hosted.core.storage.path_of`
    :param name: the name it gets; by default its own
    :raises ValueError: when there is no such file, or it is empty
    """
    path = path_of(file)
    if not path.is_file():
        raise ValueError(f"file: there is no file {file!r}")
    size = path.stat().st_size
    if not size:
        raise ValueError(f"file: {file!r} is empty, and Assemblyline refuses empty files")
    return Upload(name or path.name, lambda: cast("BinaryIO", path.open("rb")), size)
