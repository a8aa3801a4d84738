"""Reads the lines of a plan file, and finds out whether it is whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from self_hosted.core.sync.plan_header import PlanHeader

TRAILER = frozenset({"sha256", "content", "changes"})


class TornPlanError(ValueError):
    """A plan file without its end."""


def check_lines(path: Path, uri: str) -> tuple[PlanHeader, dict[str, Any]]:
    """Read a plan file completely, and return its header and its trailer.

    :param path: a copy of the file
    :param uri: of the file, for errors
    :raises TornPlanError: if it has no end
    :raises ValueError: if it is no plan, or was changed
    """
    digest, first, last = hashlib.sha256(), b"", b""
    with open_lines(path, uri) as lines:
        for line in lines:
            first = first or _require_header(line, uri)
            digest.update(last)
            last = line
    if not last.startswith(b'{"end":') or not last.endswith(b"\n"):
        raise TornPlanError(f"the plan at {uri} has no end: make a new plan")
    trailer = _parse_trailer(last)
    if trailer.get("sha256") != digest.hexdigest() or not trailer.keys() >= TRAILER:
        raise ValueError(f"the plan at {uri} was changed after it was made: make a new plan")
    return PlanHeader.from_json(json.loads(first)), trailer


@contextmanager
def open_lines(path: Path, uri: str) -> Generator[Iterator[bytes]]:
    """Open a plan file, and return its lines.

    :param path: see `check_lines`; compressed if it ends with ``.gz``
    :param uri: see `check_lines`
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield _read_lines(cast("BinaryIO", file), uri)


def _read_lines(file: BinaryIO, uri: str) -> Iterator[bytes]:
    try:
        yield from file
    except EOFError:
        raise TornPlanError(f"the plan at {uri} ends in the middle: make a new plan") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{uri} is no compressed file, or was changed: {error}") from None


def _require_header(line: bytes, uri: str) -> bytes:
    if not line.startswith(b'{"plan":'):
        raise ValueError(f"{uri} is no plan: it starts with {line[:40]!r}")
    return line


def _parse_trailer(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line)["end"])
    except (ValueError, TypeError):
        return {}
