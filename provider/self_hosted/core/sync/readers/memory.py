"""Rows of Python code: a list, a generator, a task's result, or the results of mapped tasks."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from typing import Any

from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.readers.table import IncompleteSourceError, Place, Table

PLACE = Place("the rows")


@contextmanager
def open_rows(rows: Iterable[Any]) -> Generator[Table]:
    """Read rows.

    :param rows: dictionaries, or iterables of dictionaries, as mapped tasks return them
    :raises ValueError: for anything else
    :raises IncompleteSourceError: if their number changes meanwhile
    """
    yield Table(PLACE, ((number, row) for number, row in enumerate(_flatten(rows), 1)))


def _flatten(rows: Iterable[Any]) -> Iterator[Mapping[Any, Any]]:
    expected = len(rows) if isinstance(rows, Sized) else None
    count = 0
    for count, row in enumerate(rows, 1):
        if isinstance(row, Mapping):
            yield row
        elif isinstance(row, Iterable) and not isinstance(row, str | bytes):
            yield from _check_rows(count, row)
        else:
            raise ValueError(f"source: row {count} must be a dictionary, or a list of them, not {shorten(repr(row))}")
    if expected is not None and (count, len(rows)) != (expected, expected):  # type: ignore[arg-type]
        raise IncompleteSourceError(f"source: the rows changed while they were read: {expected}, then {count}")


def _check_rows(result: int, rows: Iterable[Any]) -> Iterator[Mapping[Any, Any]]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise ValueError(f"source: row {number} of result {result} must be a dictionary, not {shorten(repr(row))}")
        yield row
