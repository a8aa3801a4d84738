"""What operators are given, as the flows take it: files, texts and dictionaries, checked."""

from __future__ import annotations

import hashlib
import io
import json
import re
from typing import Any, BinaryIO, cast

from self_hosted.core.flow import Upload
from self_hosted.core.storage import path_of


def check_object(argument: str, value: Any) -> None:
    """Validate what is to be a dictionary, or nothing.

    :param argument: what a DAG author calls it
    :param value: its value
    :raises ValueError: naming the argument
    """
    try:
        fits = value is None or (isinstance(value, dict) and bool(json.dumps(value)))
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"{argument} must be a dictionary of plain JSON values, not {value!r}")


def checked_flag(argument: str, value: Any) -> bool:
    """What is to be true or false; also as a template gives it, such as "True".

    :param argument: what a DAG author calls it
    :param value: its value
    :raises ValueError: naming the argument
    """
    words = {"true": True, "false": False}
    if str(value).lower() not in words:
        raise ValueError(f"{argument} must be true or false, not {value!r}")
    return words[str(value).lower()]


def checked_number(argument: str, value: Any, least: int = 1) -> int:
    """What is to be a whole number; also as a template gives it, such as "500".

    :param argument: what a DAG author calls it
    :param value: its value
    :param least: the least that makes sense
    :raises ValueError: naming the argument
    """
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value), re.ASCII) or int(value) < least:
        raise ValueError(f"{argument} must be a whole number, {least} or more, not {value!r}")
    return int(value)


def checked_texts(argument: str, value: Any) -> list[str]:
    """What is to be one text or several; None and "" are none.

    :param argument: what a DAG author calls it
    :param value: a text, or a list of texts
    :raises ValueError: naming the argument
    """
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list | tuple | set) or not all(isinstance(one, str) for one in texts):
        raise ValueError(f"{argument} must be a text or a list of texts, not {value!r}")
    return [one for one in texts if one]


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
