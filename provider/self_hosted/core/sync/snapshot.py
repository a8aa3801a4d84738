"""The snapshot of a source: read once from its start to its end, checked, and stored in the workspace.

Until the last row is stored, nothing is sent: a source that changes, ends early or raises leaves the target as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.readers.cells import Converter, restore
from self_hosted.core.sync.readers.column_names import Names, check_columns
from self_hosted.core.sync.readers.csv_rows import open_csv
from self_hosted.core.sync.readers.header import Header, Records
from self_hosted.core.sync.readers.json_array import open_json
from self_hosted.core.sync.readers.json_lines import open_json_lines
from self_hosted.core.sync.readers.local_copy import LocalCopy, copy_file
from self_hosted.core.sync.readers.memory import open_rows
from self_hosted.core.sync.readers.parquet import open_parquet
from self_hosted.core.sync.readers.sql import open_query
from self_hosted.core.sync.readers.table import Place, Table
from self_hosted.core.sync.readers.xlsx import open_xlsx
from self_hosted.core.sync.source import Format, Source
from self_hosted.core.sync.workspace import Workspace

log = get_logger(__name__)

CREATE = "CREATE TABLE raw (n INTEGER PRIMARY KEY, line INTEGER, cells TEXT, problems TEXT)"
INSERT = "INSERT INTO raw VALUES (?, ?, ?, ?)"
SELECT = "SELECT n, line, cells, problems FROM raw"
encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class RawRow(NamedTuple):
    """A row of the source.

    :param number: of the row, from 1
    :param line: where it begins: a line of the file, a row of the sheet, or ``number``
    :param cells: by column, JSON or a Decimal; a cell that the row does not have is left out, an empty one is None
    :param problems: by column, why its cell cannot be used; the cell is the text that shows it
    """

    number: int
    line: int
    cells: dict[str, Any]
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Snapshot:
    """The rows of a source, as they were read.

    :param place: where the rows are, for messages
    :param columns: all columns, in the order of the source; names are normalized, and spelled as expected
    :param total: the number of rows
    :param sha256: of the file's bytes, as they are stored (compressed, if they are); None if it is no file
    :param decimal_columns: the columns with values of the type Decimal
    :param workspace: stores them
    """

    place: Place
    columns: tuple[str, ...]
    total: int
    sha256: str | None
    decimal_columns: frozenset[str]
    workspace: Workspace

    @property
    def name(self) -> str:
        """The source in messages."""
        return self.place.name

    def rows(self) -> Iterator[RawRow]:
        """Yield all rows in the order of the source."""
        for stored in self.workspace.connection.execute(f"{SELECT} ORDER BY n"):
            yield self._load(*stored)

    def row(self, number: int) -> RawRow:
        """Return one row.

        :param number: from 1
        :raises KeyError: if there is no such row
        """
        found = self.workspace.connection.execute(f"{SELECT} WHERE n = ?", (number,)).fetchone()
        if found is None:
            raise KeyError(number)
        return self._load(*found)

    def _load(self, number: int, line: int, stored: str, stored_problems: str) -> RawRow:
        found, problems = json.loads(stored), json.loads(stored_problems) if stored_problems else {}
        if isinstance(found, list):
            row = dict(zip(self.columns, found if "{" not in stored else map(restore, found), strict=False))
            return RawRow(number, line, row, problems)
        cells = {self.columns[int(index)]: restore(cell) for index, cell in found.items()}
        return RawRow(number, line, cells, problems)


def take_snapshot(
    source: Source,
    workspace: Workspace,
    expected_columns: Collection[str],
    problem_columns: Collection[str] | None = None,
) -> Snapshot:
    """Read a source once, and return its rows.

    :param source: the source
    :param workspace: receives the table ``raw``
    :param expected_columns: names of the key column and all mapped columns
    :param problem_columns: the columns whose unusable cells (NaN, unknown types) fail their row; None = all
    :raises ValueError: if the source is malformed or ambiguous, or lacks an expected column
    :raises IncompleteSourceError: if it ended early, or changed meanwhile
    """
    workspace.connection.execute(CREATE)
    copy = copy_file(source.uri, workspace) if source.uri is not None else None
    with _open(source, copy, workspace, expected_columns) as table:
        intake = _Intake(table, expected_columns, Converter(source.options.null_values, problem_columns))
        workspace.connection.executemany(INSERT, intake.rows())
    if intake.total and table.header is None:
        check_columns(table.place, intake.columns.columns, expected_columns)
    snapshot = Snapshot(
        place=table.place,
        columns=tuple(intake.columns.columns),
        total=intake.total,
        sha256=copy.sha256 if copy else None,
        decimal_columns=frozenset(intake.converter.decimal_columns),
        workspace=workspace,
    )
    _log_snapshot(snapshot, intake.empty)
    if copy:
        copy.path.unlink()
    return snapshot


def _open(
    source: Source, copy: LocalCopy | None, workspace: Workspace, expected: Collection[str]
) -> AbstractContextManager[Table]:
    if source.rows is not None:
        return open_rows(source.rows)
    if copy is None:
        return open_query(source.name, cast("str", source.sql), cast("str", source.sql_conn_id))
    path, name, options = copy.path, source.name, source.options
    openers: Mapping[Format, Callable[[], AbstractContextManager[Table]]] = {
        "csv": lambda: open_csv(path, name, options, expected),
        "tsv": lambda: open_csv(path, name, options, expected),
        "jsonl": lambda: open_json_lines(path, name, options.encoding),
        "json": lambda: open_json(path, name, options.encoding),
        "parquet": lambda: open_parquet(path, name, workspace.folder),
        "xlsx": lambda: open_xlsx(path, name, options.sheet),
    }
    return openers[cast("Format", options.format)]()


class _Intake:
    """Converts the rows of a table to rows of the database."""

    def __init__(self, table: Table, expected: Collection[str], converter: Converter) -> None:
        self.table, self.converter, self.total, self.empty = table, converter, 0, 0
        names = Names(expected)
        self.columns: Header | Records
        if table.header is None:
            self.columns = Records(table.place, names)
        else:
            self.columns = Header(table.place, table.header, names, table.is_padded)
            check_columns(table.place, self.columns.columns, expected)

    def rows(self) -> Iterator[tuple[int, int, str, str]]:
        progress_line = Throttle(SECONDS_BETWEEN_LINES)
        for line, found in self.table.rows:
            cells, problems = self._convert(self.columns.place_cells(line, cast("Any", found)))
            if self.table.skips_empty and all(cell is None for cell in cells):
                self.empty += 1
                continue
            self.total += 1
            yield self.total, line, encode_json(cells), encode_json(problems) if problems else ""
            if progress_line.is_due():
                log.info("%d rows of %s are read", self.total, self.table.place.name)

    def _convert(self, cells: Sequence[Any] | Mapping[int, Any]) -> tuple[Any, dict[str, str]]:
        """Return the cells as JSON: a list if the row has the first columns, or all; else an object by their number.

        Also return what is wrong with them, by column.
        """
        nulls = self.converter.null_values
        if self.table.is_text:
            return [None if cell in nulls else cell for cell in cells], {}
        problems: dict[str, str] = {}
        names, convert = self.columns.columns, self.converter.convert
        if isinstance(cells, Mapping):
            by_index = {index: convert(names[index], cell, problems) for index, cell in sorted(cells.items())}
            has_first = max(by_index, default=-1) == len(by_index) - 1
            return list(by_index.values()) if has_first else by_index, problems
        row = [convert(name, cell, problems) for name, cell in zip(names, cells, strict=True)]
        return row, problems


def _log_snapshot(snapshot: Snapshot, empty: int) -> None:
    log.info(
        "Snapshot of %s: %d rows, %d columns%s%s",
        snapshot.name,
        snapshot.total,
        len(snapshot.columns),
        f", SHA-256 {snapshot.sha256}" if snapshot.sha256 else "",
        f"; {empty} rows without any value are left out" if empty else "",
    )
