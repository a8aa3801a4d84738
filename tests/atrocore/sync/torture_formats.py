"""Writes the torture catalogue in each format, as the programs that people use write it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.atrocore.sync.torture import COLUMNS

Cells = Mapping[str, Any]
PARQUET_TYPES = {
    "Preis": "DOUBLE",
    "Bestand": "DECIMAL(12, 3)",
    "Sortierung": "DECIMAL(12, 2)",
    "Hergestellt": "DATE",
    "Freigabe": "TIMESTAMP",
}
"""Columns with one type; the others are texts, as in a file that a program makes of texts."""


def to_german(cell: Any) -> str:
    """Return a cell as a German Excel shows it."""
    match cell:
        case None:
            return ""
        case bool():
            return "ja" if cell else "nein"
        case float():
            return str(int(cell)) if math.isfinite(cell) else str(cell)
        case Decimal():
            return f"{cell:,f}".translate(str.maketrans(",.", ".,"))
        case datetime():
            return f"{cell:%d.%m.%Y %H:%M}"
        case date():
            return f"{cell:%d.%m.%Y}"
        case list():
            return "|".join(cell)
        case _:
            return str(cell)


def write_csv(path: Path, rows: Iterable[Cells], encoding: str = "utf-8", start: str = "") -> str:
    """Write a CSV file with semicolons, and return its path."""
    text = io.StringIO(newline="")
    text.write(start)
    writer = csv.writer(text, delimiter=";")
    writer.writerow(f"{column} " for column in COLUMNS)
    writer.writerows([to_german(cells[column]) for column in COLUMNS] for cells in rows)
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def write_json_lines(path: Path, rows: Iterable[Cells]) -> str:
    """Write typed JSON lines, and return their path."""

    def to_json(value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else float(value)

    with path.open("w", encoding="utf-8") as file:
        for cells in rows:
            file.write(json.dumps(dict(cells), default=to_json, ensure_ascii=False) + "\n")
    return str(path)


def write_xlsx(path: Path, rows: Iterable[Cells]) -> str:
    """Write a workbook, and return its path."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Artikel")
    sheet.append(COLUMNS)

    def to_cell(value: Any) -> Any:
        if isinstance(value, list):
            return "|".join(value)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)  # a sheet has no such numbers
        if not isinstance(value, str):
            return value
        cell = WriteOnlyCell(sheet, value.replace("\x07", "_x0007_"))
        cell.data_type = "s"  # no formula
        return cell

    for cells in rows:
        sheet.append([to_cell(cells[column]) for column in COLUMNS])
    book.save(path)
    return str(path)


def write_parquet(path: Path, rows: Iterable[Cells]) -> str:
    """Write a Parquet file whose columns have types, and return its path."""
    import duckdb

    def to_cell(column: str, value: Any) -> Any:
        return value if column in PARQUET_TYPES or value is None else to_german(value)

    columns = ", ".join(f'"{column}" {PARQUET_TYPES.get(column, "VARCHAR")}' for column in COLUMNS)
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE source ({columns})")
        database.begin()  # each statement would be a transaction of its own
        for cells in rows:
            values = [to_cell(column, cells[column]) for column in COLUMNS]
            database.execute(f"INSERT INTO source VALUES ({', '.join('?' * len(COLUMNS))})", values)
        database.commit()
        database.execute(f"COPY source TO '{path}' (FORMAT parquet)")
    return str(path)


def write_table(path: Path, rows: Iterable[Cells]) -> str:
    """Write a table of SQLite, whose columns take any type; return the path of the database."""

    def to_cell(value: Any) -> Any:
        match value:
            case list():
                return "|".join(value)
            case Decimal():
                return float(value)
            case date():
                return value.isoformat()
            case float() if not math.isfinite(value):
                return str(value)  # it would be stored as null
            case _:
                return value

    columns = ", ".join(f'"{column}"' for column in COLUMNS)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE artikel ({columns})")
        connection.executemany(
            f"INSERT INTO artikel VALUES ({', '.join('?' * len(COLUMNS))})",
            [[to_cell(cells[column]) for column in COLUMNS] for cells in rows],
        )
    return str(path)


def write_excel_csv(path: Path, rows: Iterable[Cells]) -> str:
    """Write a CSV file as Excel for Windows does, and return its path."""
    return write_csv(path, rows, "cp1252", "sep=;\r\n")


def fits_excel_csv(cells: Cells) -> bool:
    """Return whether the character set of Excel for Windows has all characters of a row."""
    try:
        "".join(map(to_german, cells.values())).encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


WRITERS: Mapping[str, Callable[[Path, Iterable[Cells]], str]] = {
    "csv": write_csv,
    "csv.gz": write_csv,
    "jsonl": write_json_lines,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
    "sqlite": write_table,
}
