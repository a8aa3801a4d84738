"""What operators are given, as the flows take it: files, texts and dictionaries, checked."""

from __future__ import annotations

import io
import json
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
