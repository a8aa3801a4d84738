"""The columns of a source: named once before its rows, or by each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.readers.column_names import Names
from self_hosted.core.sync.readers.table import Place

MAX_COLUMNS = 10_000  # XLSX has 16,384 at most; more means that data stand where names belong


class Header:
    """The columns of a source that names them once, before its rows.

    :param place: where the rows are
    :param cells: the names, as the source has them
    :param names: finds the spelling of a name
    :param is_padded: whether a row may have fewer cells
    :raises ValueError: if two columns have the same name
    """

    def __init__(self, place: Place, cells: Iterable[Any], names: Names, is_padded: bool = False) -> None:
        self.place, self.is_padded = place, is_padded
        found = [names.find(cell) for cell in cells]
        self._named = [index for index, name in enumerate(found) if name]
        self.columns = [found[index] for index in self._named]
        self._width = self._named[-1] + 1 if self._named else 0
        self._is_plain = len(self._named) == self._width
        repeated = sorted(name for name, count in Counter(self.columns).items() if count > 1)
        if repeated:
            raise ValueError(f"source: {place.name} has the column {', '.join(map(repr, repeated))} more than once")

    def place_cells(self, line: int, cells: Sequence[Any]) -> Sequence[Any]:
        """Return the cells of the columns, in their order.

        :param line: the number of the row's line
        :param cells: all cells of the row
        :raises ValueError: if there are too few cells, or one has no column
        """
        if len(cells) != self._width:
            cells = self._fit(line, cells)
        if self._is_plain:
            return cells
        self._check_unnamed(line, cells)
        return [cells[index] for index in self._named]

    def _fit(self, line: int, cells: Sequence[Any]) -> Sequence[Any]:
        if len(cells) < self._width and not self.is_padded:
            raise ValueError(self._describe_width(line, cells))
        if not all(map(is_empty, cells[self._width :])):
            raise ValueError(self._describe_width(line, cells))
        return [*cells[: self._width], *(None for _ in range(self._width - len(cells)))]

    def _describe_width(self, line: int, cells: Sequence[Any]) -> str:
        return f"source: {self.place.of(line)} has {len(cells)} cells, but the header has {self._width} columns"

    def _check_unnamed(self, line: int, cells: Sequence[Any]) -> None:
        named = set(self._named)
        for index, cell in enumerate(cells):
            if index not in named and not is_empty(cell):
                raise ValueError(
                    f"source: {self.place.of(line)} has the value {shorten(cell)!r} in column {index + 1}, "
                    "which has no name"
                )


def is_empty(cell: Any) -> bool:
    """Return whether a cell has no content.

    :param cell: the cell
    """
    return cell is None or (isinstance(cell, str) and not cell)


class Records:
    """The columns of a source whose rows name their own: all names, in the order of their first appearance.

    :param place: where the rows are
    :param names: finds the spelling of a name
    """

    def __init__(self, place: Place, names: Names) -> None:
        self.place, self._names = place, names
        self.columns: list[str] = []
        self._by_column: dict[str, int] = {}
        self._by_name: dict[Any, int | None] = {}

    def place_cells(self, line: int, row: Any) -> dict[int, Any]:
        """Return the cells by the number of their column, from 0.

        :param line: the number of the row
        :param row: the cells by name
        :raises ValueError: if it is no dictionary, or has two cells of one column, or a cell of none
        """
        if not isinstance(row, Mapping):
            raise ValueError(f"source: {self.place.of(line)} must be an object of column to value, not {shorten(row)}")
        cells: dict[int, Any] = {}
        for name, cell in row.items():
            index = self._by_name[name] if name in self._by_name else self._add(name)
            if index is None:
                self._check_unnamed(line, cell)
            elif index in cells:
                raise ValueError(f"source: {self.place.of(line)} has the column {self.columns[index]!r} twice")
            else:
                cells[index] = cell
        return cells

    def _add(self, name: Any) -> int | None:
        column = self._names.find(name)
        if len(self.columns) == MAX_COLUMNS:
            raise ValueError(f"source: {self.place.name} has more than {MAX_COLUMNS} columns; are its rows columns?")
        if column and column not in self._by_column:
            self._by_column[column] = len(self.columns)
            self.columns.append(column)
        self._by_name[name] = self._by_column.get(column)
        return self._by_name[name]

    def _check_unnamed(self, line: int, cell: Any) -> None:
        if not is_empty(cell):
            raise ValueError(
                f"source: {self.place.of(line)} has the value {shorten(cell)!r} in a column without a name"
            )
