"""Plan files: JSON lines on any storage, ``.gz`` by name. A header, the changes, the settled rows, and a trailer.

The trailer holds the SHA-256 of all lines before it, so that a file that is torn or changed is never applied.
A plan is written once per run: Airflow shows the text of the first approval, also for a plan that replaces the first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.output_files import open_output
from self_hosted.core.sync.plan_check import TornPlanError, check_lines, open_lines
from self_hosted.core.sync.plan_header import FLEETING, PlanHeader
from self_hosted.core.sync.plan_lines import (
    Settled,
    change_from_json,
    change_to_json,
    settled_to_json,
)
from self_hosted.core.sync.target import Change
from self_hosted.core.tasks.storage import atomic_writer, resolve_path

log = get_logger(__name__)

CHANGE_START, SETTLED_START = b'{"n":', b'{"verdict":'


@dataclass(frozen=True)
class PlanInfo:
    """A plan file.

    :param uri: where it is
    :param sha256: of its lines before the trailer, uncompressed
    :param content: the same without what two plans of the same changes may differ in
    :param changes: number of changes
    :param header: its header
    """

    uri: str
    sha256: str
    content: str
    changes: int
    header: PlanHeader

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of rows and records by verdict."""
        return self.header.counts


class Plan:
    """A plan file that was read completely and is whole.

    :param info: the plan
    :param path: its copy on this machine
    """

    def __init__(self, info: PlanInfo, path: Path) -> None:
        self.info, self._path = info, path

    @property
    def header(self) -> PlanHeader:
        """What the plan is about."""
        return self.info.header

    def changes(self, after: int = 0) -> Iterator[Change]:
        """Return the changes, in the order in which they are applied.

        :param after: number of changes that are left out at the start
        """
        for number, line in enumerate(self._lines(CHANGE_START), 1):
            if number > after:
                yield change_from_json(json.loads(line))

    def settled(self) -> Iterator[Settled]:
        """Return the rows that are not changed."""
        for line in self._lines(SETTLED_START):
            yield Settled(**json.loads(line))

    def _lines(self, start: bytes) -> Iterator[bytes]:
        with open_lines(self._path, self.info.uri) as lines:
            yield from (line for line in lines if line.startswith(start))


def write_plan(uri: str, header: PlanHeader, changes: Iterable[Change], settled: Iterable[Settled]) -> PlanInfo:
    """Write a plan file, or adopt the equal plan that an earlier try of the task has written.

    :param uri: where it is written; a name that ends with ``.gz`` is compressed
    :param header: its header
    :param changes: read while they are written
    :param settled: likewise
    :raises ValueError: if the file exists and holds another plan, or is no plan
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, _local_name(uri))
        with open_output(str(path)) as file:
            info = _write_lines(file, uri, header, changes, settled)
        existing = _find_plan(uri)
        if existing:
            return _adopt(existing, info)
        with path.open("rb") as source, atomic_writer(uri) as file:
            shutil.copyfileobj(source, file)
    log.info("Plan of %d changes written to %s", info.changes, uri)
    return info


@contextmanager
def open_plan(uri: str, sha256: str | None = None) -> Generator[Plan]:
    """Open a plan file; its content cannot change while it is open.

    :param uri: where it is
    :param sha256: see `PlanInfo.sha256`; None = any
    :raises ValueError: if there is no plan, it is torn or changed, or is another one
    """
    path = resolve_path(uri)
    if not path.is_file():
        raise ValueError(f"there is no plan at {uri}")
    with TemporaryDirectory() as folder:
        copy = Path(folder, _local_name(uri))
        with path.open("rb") as source, copy.open("wb") as file:
            shutil.copyfileobj(source, file)
        header, trailer = check_lines(copy, uri)
        info = PlanInfo(uri, trailer["sha256"], trailer["content"], trailer["changes"], header)
        if sha256 not in {None, info.sha256}:
            raise ValueError(f"the plan at {uri} has the SHA-256 {info.sha256}, not {sha256}: it was replaced")
        yield Plan(info, copy)


def _write_lines(
    file: BinaryIO, uri: str, header: PlanHeader, changes: Iterable[Change], settled: Iterable[Settled]
) -> PlanInfo:
    values = header.to_json()
    whole = hashlib.sha256()
    content = hashlib.sha256(_to_line({name: value for name, value in values.items() if name not in FLEETING}))

    def write(line: bytes) -> None:
        file.write(line)
        whole.update(line)

    def write_body(line: bytes) -> None:
        write(line)
        content.update(line)

    write(_to_line(values))
    number, progress = 0, Throttle(SECONDS_BETWEEN_LINES)
    for number, change in enumerate(changes, 1):
        write_body(_to_line(change_to_json(number, change)))
        if progress.is_due():
            log.info("%d changes are planned", number)
    for row in settled:
        write_body(_to_line(settled_to_json(row)))
    info = PlanInfo(uri, whole.hexdigest(), content.hexdigest(), number, header)
    trailer = {"changes": number, "counts": header.counts, "content": info.content, "sha256": info.sha256}
    file.write(_to_line({"end": trailer}))
    return info


def _find_plan(uri: str) -> PlanInfo | None:
    """Return the plan that exists; None if there is none, or only a part of one."""
    if not resolve_path(uri).exists():
        return None
    try:
        with open_plan(uri) as plan:
            return plan.info
    except TornPlanError as error:
        log.warning("A part of a plan is replaced: %s", error)
        return None


def _adopt(existing: PlanInfo, info: PlanInfo) -> PlanInfo:
    if existing.content != info.content:
        raise ValueError(
            f"another plan, made {existing.header.made}, exists at {info.uri}: trigger a new run, "
            "and name the run in plan_uri, such as {{ run_id }}"
        )
    log.info("The same plan, made %s, exists at %s", existing.header.made, info.uri)
    return existing


def _local_name(uri: str) -> str:
    return "plan.gz" if uri.lower().endswith(".gz") else "plan"


def _to_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"
