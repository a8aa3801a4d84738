"""Files on this machine or in an object store: what tasks read, and what they write that is too large for an XCom.

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
from uuid import uuid4

if TYPE_CHECKING:
    from self_hosted.core.hook import ProductHook


def path_of(uri: str) -> Any:
    """A file or folder, as what acts like a `pathlib.Path`.

    :param uri: path on this machine, or a URI of Airflow's object storage, such as ``s3://aws_default@bucket/key``
    """
    if "://" not in uri:
        return Path(uri)
    from airflow.providers.common.compat.sdk import ObjectStoragePath  # slow, and only object stores need it

    return ObjectStoragePath(uri)


def check_output(argument: str, uri: Any) -> None:
    """Validate where something is to be written, before the work whose result would be lost.

    :param argument: what a DAG author calls it
    :param uri: see `path_of`; None for nowhere
    :raises ValueError: naming the argument
    """
    if uri is not None and (not isinstance(uri, str) or not uri or uri.endswith("/")):
        raise ValueError(f"{argument} must be the path or URI of a file, not {uri!r}")


@contextmanager
def written(uri: str) -> Generator[BinaryIO]:
    """A file to write to, which is there once all of it is: a task that fails half-way leaves what was there before.

    Folders on this machine are made. What goes to an object store is gathered in a temporary file on this machine.

    :param uri: see `path_of`; what is there already is replaced
    """
    path = path_of(uri)
    with _moved_to(path) if isinstance(path, Path) else _copied_to(path) as file:
        yield file


@contextmanager
def _moved_to(path: Path) -> Generator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield cast("BinaryIO", file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _copied_to(path: Any) -> Generator[BinaryIO]:
    with TemporaryFile() as gathered:
        yield cast("BinaryIO", gathered)  # noqa: RUF075 what fails is not copied
        gathered.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(gathered, file)


def write_json(uri: str, value: Any) -> None:
    """Write one JSON value.

    :param uri: see `path_of`
    :param value: plain JSON
    """
    with written(uri) as file:
        file.write(json.dumps(value, indent=1).encode())


def write_json_lines(uri: str, rows: Iterator[Mapping[str, Any]]) -> int:
    """Write one JSON object a line, as they come; how many.

    :param uri: see `path_of`
    :param rows: the objects
    """
    count = 0
    with written(uri) as file:
        for row in rows:
            file.write(json.dumps(row).encode() + b"\n")
            count += 1
    return count


def note_read(hook: ProductHook, uri: str) -> None:
    """Tell Airflow's lineage that a task read a file. Object stores tell by themselves.

    :param hook: who read it
    :param uri: see `path_of`
    """
    if "://" not in uri:
        _collector().add_input_asset(context=hook, uri=Path(uri).absolute().as_uri())


def note_written(hook: ProductHook, uri: str) -> None:
    """Tell Airflow's lineage that a task wrote a file. Object stores tell by themselves.

    :param hook: who wrote it
    :param uri: see `path_of`
    """
    if "://" not in uri:
        _collector().add_output_asset(context=hook, uri=Path(uri).absolute().as_uri())


def _collector() -> Any:
    from airflow.providers.common.compat.sdk import get_hook_lineage_collector  # slow

    return get_hook_lineage_collector()
