"""Files on this machine or in an object store: inputs of tasks, and results that are too large for an XCom.

https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/objectstorage.html
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from self_hosted.core.arguments import MISSING_RESULT, parse_int, parse_optional
from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.tasks.part_files import replace_atomically

log = get_logger(__name__)

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
FILE_SCHEME = re.compile(r"file://", re.IGNORECASE)
LOCAL_HOSTS = {"", "localhost"}


def parse_uri(argument: str, value: Any, *, is_folder: bool = False) -> str:
    """Return where a file or folder is: a path on this machine, or a URI of an object store.

    :param argument: name of the argument
    :param value: a path on this machine as text or `pathlib.Path`, a ``file://`` URI, an `ObjectStoragePath`, or its
        URI, such as ``s3://aws_default@bucket/key``
    :param is_folder: whether it is a folder, and so may end with a slash
    :raises ValueError: for anything else
    """
    is_path = isinstance(value, str | int | os.PathLike) or hasattr(value, "protocol")  # as `ObjectStoragePath` has
    uri = _convert_file_uri(str(value)) if is_path else None
    is_invalid = not uri or uri.strip() in {"", MISSING_RESULT} or "\0" in uri or (uri.endswith("/") and not is_folder)
    if uri is None or is_invalid:
        raise ValueError(f"{argument} must be the path or URI of a {'folder' if is_folder else 'file'}, not {value!r}")
    return uri


def parse_optional_uri(argument: str, value: Any) -> str | None:
    """Return where a file is, or None if the argument is not set.

    :param argument: name of the argument
    :param value: see `parse_uri`
    :raises ValueError: see `parse_uri`
    """
    return parse_optional(argument, value, parse_uri)


def _convert_file_uri(uri: str) -> str | None:
    """Return the path of a ``file://`` URI, None if it has none or names another machine; any other text unchanged."""
    if not FILE_SCHEME.match(uri):
        return uri
    host, slash, path = uri[len("file://") :].partition("/")
    return unquote(slash + path) if host.lower() in LOCAL_HOSTS and slash else None


def is_local(uri: str) -> bool:
    """Return whether a file is on this machine.

    :param uri: see `parse_uri`
    """
    return not SCHEME.match(uri) or bool(FILE_SCHEME.match(uri))


def resolve_path(uri: str) -> Any:
    """Return the path of a file or folder; it has the interface of `pathlib.Path`.

    :param uri: see `parse_uri`
    """
    if is_local(uri):
        return Path(_convert_file_uri(uri) or uri)
    from airflow.providers.common.compat.sdk import ObjectStoragePath  # slow to import

    return ObjectStoragePath(uri)


def parse_max_size(max_size: Any) -> int | None:
    """Return the maximum size of a download.

    :param max_size: in bytes; None, "" and "None" = no limit
    :raises ValueError: naming the argument
    """
    return parse_optional("max_size", max_size, parse_int)


@contextmanager
def atomic_writer(uri: str) -> Generator[BinaryIO]:
    """Open a file for writing that appears only when it is complete; a failed task leaves the previous file unchanged.

    Missing folders on this machine are created. Output to an object store goes through a temporary file. What a killed
    task has left behind is removed.

    :param uri: see `resolve_path`; an existing file is replaced
    """
    path = resolve_path(uri)
    if is_local(uri):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(path) if is_local(uri) else _write_then_copy(path) as file:
        yield file


@contextmanager
def _write_then_copy(path: Any) -> Generator[BinaryIO]:
    with TemporaryFile() as buffer:
        yield cast("BinaryIO", buffer)  # noqa: RUF075 after an error nothing is copied
        buffer.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(buffer, file)


def write_json(uri: str, value: Any) -> None:
    """Write one JSON value to a file.

    :param uri: see `resolve_path`
    :param value: plain JSON
    """
    with atomic_writer(uri) as file:
        file.write(json.dumps(value, indent=1).encode())


def write_json_lines(uri: str, rows: Iterator[Mapping[str, Any]]) -> int:
    """Write one JSON object per line and return their number.

    :param uri: see `resolve_path`
    :param rows: the objects; read while they are written
    """
    count, progress_line = 0, Throttle(SECONDS_BETWEEN_LINES)
    with atomic_writer(uri) as file:
        for row in rows:
            file.write(json.dumps(row).encode() + b"\n")
            count += 1
            if progress_line.is_due():
                log.info("%d rows are written to %s", count, uri)
    return count
