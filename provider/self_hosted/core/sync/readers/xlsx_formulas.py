"""Formulas of a sheet without a stored result, which read as empty cells.

Programs that do not calculate, such as libraries that write XLSX files, leave the results to Excel.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

CHUNK_BYTES = 256 * 1024
MAX_CELLS = 100_000
CELL_ENDS = (b"</c>", b":c>")  # without and with the prefix of the namespace
FORMULA_MARKS = (b"<f", b":f")
FORMULA = re.compile(
    rb"""<(?:\w+:)?c\s([^>]*)>\s*                                       # a cell
         <(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*           # with a formula
         (?:<(?:\w+:)?v\s*/>\s*|<(?:\w+:)?v>\s*</(?:\w+:)?v>\s*)?       # and no value
         </(?:\w+:)?c>""",
    re.VERBOSE,
)
COORDINATE = re.compile(rb"""\br=["']([A-Z]+)(\d+)["']""")
EMPTY_TEXT = re.compile(rb"""\bt=["']str["']""")


def find_uncalculated(sheet: IO[bytes]) -> Mapping[int, Sequence[int]]:
    """Return the columns, counted from 0, of the formulas without a stored result, by the number of their row.

    :param sheet: the XML of a sheet
    :raises ValueError: if there are too many of them
    """
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, (column, row) in enumerate(_list_coordinates(sheet)):
        if number == MAX_CELLS:
            raise ValueError(f"more than {MAX_CELLS} formulas have no stored result; open it in Excel, and save it")
        found[row].append(column)
    return found


def _list_coordinates(sheet: IO[bytes]) -> Iterator[tuple[int, int]]:
    for cells in _read_cells(sheet):
        for attributes in FORMULA.findall(cells):
            coordinate = COORDINATE.search(attributes)
            if coordinate and not EMPTY_TEXT.search(attributes):  # the result of that one is an empty text
                yield _count_column(coordinate[1]), int(coordinate[2])


def _read_cells(sheet: IO[bytes]) -> Iterator[bytes]:
    """Yield parts of the XML that hold whole cells."""
    rest = b""
    while chunk := sheet.read(CHUNK_BYTES):
        rest += chunk
        end = max(rest.rfind(mark) + len(mark) if mark in rest else 0 for mark in CELL_ENDS)
        cells, rest = rest[:end], rest[end:]
        if any(mark in cells for mark in FORMULA_MARKS):
            yield cells


def _count_column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
