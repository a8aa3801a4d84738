"""Rows of one sheet of an XLSX file, read by openpyxl row by row."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.readers.cells import CellError
from self_hosted.core.sync.readers.extra import import_library
from self_hosted.core.sync.readers.table import Place, Table
from self_hosted.core.sync.readers.xlsx_formulas import find_uncalculated
from self_hosted.core.sync.readers.xlsx_package import check_package

log = get_logger(__name__)

MAX_ROWS = 1_048_576  # of a sheet, as the format has it
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!"})
NO_RESULT = CellError("a formula without a stored result: open the file in Excel, and save it")


@contextmanager
def open_xlsx(path: Path, name: str, sheet: str | None) -> Generator[Table]:
    """Read a sheet of an XLSX file; formulas are read as the values that they had when the file was saved.

    :param path: the file
    :param name: the source, for messages
    :param sheet: the name of the sheet; default: the first one that is visible
    :raises ValueError: if it is no XLSX file, too large, or lacks the sheet
    """
    openpyxl = import_library("openpyxl", "XLSX")
    check_package(path, name)
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")  # about styles and extensions that values do not need
        with _explain(name):
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        with closing(book):
            worksheet = _find_sheet(name, book.worksheets, sheet)
            with _explain(name), ZipFile(path) as package, package.open(worksheet._worksheet_path) as xml:
                uncalculated = find_uncalculated(xml)
            place = Place(f"sheet {worksheet.title!r} of {name}")
            rows = _clean_rows(_read_rows(place, worksheet), uncalculated)
            _, header = next(rows, (0, None))
            yield Table(place, rows, header, is_padded=True, skips_empty=True)


@contextmanager
def _explain(name: str) -> Generator[None]:
    """Turn the errors of the library, which can be of any class for a malformed file, into one with the file's name."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"source: {name} is not a valid XLSX file: {type(error).__name__}: {error}") from None


def _find_sheet(name: str, sheets: Sequence[Any], wanted: str | None) -> Any:
    titles = ", ".join(repr(sheet.title) for sheet in sheets) or "none"
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    found = [sheet for sheet in sheets if sheet.title == wanted] if wanted else visible or sheets
    if not found:
        raise ValueError(f"sheet: {name} has no sheet {wanted!r}; it has {titles}")
    if not wanted and len(visible) > 1:
        log.info("Sheet %r of %s is read, the first of %s", found[0].title, name, titles)
    return found[0]


def _read_rows(place: Place, worksheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    worksheet.reset_dimensions()  # what the file states is wrong in those of some programs
    with _explain(place.name):
        for number, cells in enumerate(worksheet.iter_rows(values_only=True), 1):
            if number > MAX_ROWS:
                raise ValueError(f"it has more than {MAX_ROWS} rows")
            yield number, cells


def _clean_rows(
    rows: Iterator[tuple[int, Sequence[Any]]], uncalculated: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows that have a value."""
    for number, cells in rows:
        without = uncalculated.get(number, ())
        found = [NO_RESULT if without and index in without else _clean(cell) for index, cell in enumerate(cells)]
        if any(cell is not None for cell in found):
            yield number, found


def _clean(cell: Any) -> Any:
    if isinstance(cell, str):
        if cell in ERRORS:
            return CellError(cell)
        return ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell) if "_x" in cell else cell
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date()  # a sheet does not tell a date from its midnight
    return cell
