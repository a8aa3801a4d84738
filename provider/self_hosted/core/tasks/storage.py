"""Files on this machine or in an object store: inputs of tasks, and results that are too large for an XCom.

https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/objectstorage.html
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from self_hosted.core.arguments import is_set, parse_int
from self_hosted.core.tasks.part_files import replace_atomically

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook


def resolve_path(uri: str) -> Any:
    """Return the path of a file or folder; it has the interface of `pathlib.Path`.

    :param uri: path on this machine, or a URI of Airflow's object storage, such as ``s3://aws_default@bucket/key``
    """
    if "://" not in uri:
        return Path(uri)
    from airflow.providers.common.compat.sdk import ObjectStoragePath  # slow to import

    return ObjectStoragePath(uri)


def validate_output_uri(argument: str, uri: Any) -> None:
    """Check the destination of a result, before the work is done.

    :param argument: name of the argument
    :param uri: see `resolve_path`; None = nothing is written
    :raises ValueError: naming the argument
    """
    if uri is not None and (not isinstance(uri, str) or not uri or uri.endswith("/")):
        raise ValueError(f"{argument} must be the path or URI of a file, not {uri!r}")


def parse_max_size(max_size: Any) -> int | None:
    """Return the maximum size of a download.

    :param max_size: in bytes; None and "" = no limit
    :raises ValueError: naming the argument
    """
    return parse_int("max_size", max_size) if is_set(max_size) else None


@contextmanager
def atomic_writer(uri: str) -> Generator[BinaryIO]:
    """Open a file for writing that appears only when it is complete; a failed task leaves the previous file unchanged.

    Missing folders on this machine are created. Output to an object store goes through a temporary file. What a killed
    task has left behind is removed.

    :param uri: see `resolve_path`; an existing file is replaced
    """
    path = resolve_path(uri)
    is_local = "://" not in uri  # older paths of object stores are a `Path`, too
    if is_local:
        path.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(path) if is_local else _write_then_copy(path) as file:
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
    count = 0
    with atomic_writer(uri) as file:
        for row in rows:
            file.write(json.dumps(row).encode() + b"\n")
            count += 1
    return count


def record_input(hook: SelfHostedHook, uri: str) -> None:
    """Record in Airflow's lineage that a task read a file. Object stores record it themselves.

    :param hook: the hook in use
    :param uri: see `resolve_path`
    """
    if "://" not in uri:
        _lineage_collector().add_input_asset(context=hook, uri=Path(uri).absolute().as_uri())


def record_output(hook: SelfHostedHook, uri: str) -> None:
    """Record in Airflow's lineage that a task wrote a file. Object stores record it themselves.

    :param hook: the hook in use
    :param uri: see `resolve_path`
    """
    if "://" not in uri:
        _lineage_collector().add_output_asset(context=hook, uri=Path(uri).absolute().as_uri())


def _lineage_collector() -> Any:
    from airflow.providers.common.compat.sdk import get_hook_lineage_collector  # slow

    return get_hook_lineage_collector()
