"""What every reader returns: the rows of a source, not converted yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

ROWS_PER_FETCH = 2_000
Cells = Sequence[Any] | Mapping[Any, Any]
"""The cells of a row: in the order of the header, or by the name of their column."""


class Place(NamedTuple):
    """Where rows are, for messages.

    :param name: the source, such as "products.csv" or "the rows"
    :param unit: "line" or "row"
    """

    name: str
    unit: str = "row"

    def of(self, line: int) -> str:
        """Return the position of a row, such as "line 3 of products.csv".

        :param line: the number of the line or row, from 1
        """
        return f"{self.unit} {line} of {self.name}"


class Table(NamedTuple):
    """The rows of a source.

    :param place: where they are
    :param rows: the number of its line, and the cells, of each row
    :param header: the names of the columns; None if each row names its own
    :param is_padded: whether a row may have fewer cells than the header, as in XLSX
    :param skips_empty: whether rows without any value are left out
    :param is_text: whether all cells are texts, so that nothing is to be converted
    """

    place: Place
    rows: Iterator[tuple[int, Cells]]
    header: Sequence[Any] | None = None
    is_padded: bool = False
    skips_empty: bool = False
    is_text: bool = False


def fetch_rows(cursor: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows of a cursor with their number, from 1.

    :param cursor: of a database; it has the method ``fetchmany``
    """
    number = 0
    while batch := cursor.fetchmany(ROWS_PER_FETCH):
        for cells in batch:
            number += 1
            yield number, cells


class IncompleteSourceError(Exception):
    """A source ended early, or changed while it was read. Another attempt may succeed."""
