"""The same table is the same typed rows, whatever the format of its file."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from self_hosted.core.sync.duplicate_keys import check_keys
from self_hosted.core.sync.preflight import Findings
from self_hosted.core.sync.snapshot import take_snapshot
from self_hosted.core.sync.source import parse_source
from self_hosted.core.sync.typing_rows import type_rows
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import KEY, NamingTarget, make_field, make_schema, read_rows

SCHEMA = make_schema(
    make_field("name", max_length=40),
    make_field("price", "number"),
    make_field("stock", "integer"),
    make_field("active", "boolean"),
    make_field("since", "date", {"date_format": "%d.%m.%Y"}),
    make_field("changed", "moment", {"time_zone": "Europe/Berlin", "date_format": "%d.%m.%Y %H:%M"}),
    make_field("colour", "option", options={"red": "red", "Rot": "red", "blue": "blue"}),
    make_field("tags", "options"),
)
COLUMNS = ["sku", *SCHEMA.fields]
TABLE: list[tuple[Any, ...]] = [
    (12345, "Bürostuhl <b>ß</b>", Decimal("1234.50"), 5, True, date(2026, 3, 1), "2026-03-01T14:30", "Rot", "b|a"),
    ("00123", "a\nb", Decimal("0.99"), 0, False, date(1999, 12, 31), "2026-07-01T14:30", "RED", "a"),
    ("W-1", None, None, None, None, None, None, None, None),
    ("w-1 ", "near", Decimal(7), 1, True, date(2026, 3, 1), "2026-03-01T00:00", "blue", "a"),
    ("unknown colour", "x", Decimal("2.5"), 1, True, date(2026, 3, 1), "2026-03-01T00:00", "pink", "a"),
    ("too long", "x" * 41, Decimal("2.5"), 1, True, date(2026, 3, 1), "2026-03-01T00:00", "blue", "a"),
    ("twice", "x", Decimal("2.5"), 1, True, date(2026, 3, 1), "2026-10-25T02:30", "blue", "a"),
    (None, "no key", Decimal("2.5"), 1, True, date(2026, 3, 1), "2026-03-01T00:00", "blue", "a"),
]


def as_german_text(cell):
    match cell:
        case None:
            return ""
        case bool():
            return "ja" if cell else "nein"
        case Decimal():
            return f"{cell:,.2f}".translate(str.maketrans(",.", ".,"))
        case date():
            return f"{cell:%d.%m.%Y}"
        case str() if "T" in cell and cell[:2] == "20":
            return f"{datetime.fromisoformat(cell):%d.%m.%Y %H:%M}"
        case _:
            return str(cell)


def as_json(cell):
    return float(cell) if isinstance(cell, Decimal) else cell.isoformat() if isinstance(cell, date) else cell


def write_csv(folder):
    path = folder / "table.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([COLUMNS, *(map(as_german_text, row) for row in TABLE)])
    return path


def write_json_lines(folder):
    path = folder / "table.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in TABLE:
            file.write(json.dumps(dict(zip(COLUMNS, map(as_json, row), strict=True))) + "\n")
    return path


def write_xlsx(folder):
    openpyxl = pytest.importorskip("openpyxl")
    path = folder / "table.xlsx"
    book = openpyxl.Workbook()
    for row in [COLUMNS, *TABLE]:
        book.active.append([datetime.fromisoformat(cell) if is_moment(cell) else cell for cell in row])
    book.save(path)
    return path


def write_parquet(folder):
    duckdb = pytest.importorskip("duckdb")
    path = folder / "table.parquet"
    types = ["VARCHAR", "VARCHAR", "DECIMAL(10, 3)", "INTEGER", "BOOLEAN", "DATE", "TIMESTAMP", "VARCHAR", "VARCHAR"]
    columns = ", ".join(f"{name} {type}" for name, type in zip(COLUMNS, types, strict=True))
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE source ({columns})")
        for row in TABLE:
            database.execute(f"INSERT INTO source VALUES ({', '.join('?' * len(row))})", row)
        database.execute(f"COPY source TO '{path}' (FORMAT parquet)")
    return path


def write_rows(_):
    return [dict(zip(COLUMNS, row, strict=True)) for row in TABLE]


def is_moment(cell):
    return isinstance(cell, str) and cell[:2] == "20"


def type_table(source):
    with Workspace() as workspace:
        snapshot = take_snapshot(parse_source(source), workspace, COLUMNS)
        typed = type_rows(snapshot, workspace, SCHEMA, KEY, NamingTarget(), Findings())
        check_keys(snapshot, workspace, "fail")
        rows = [(row["key"], row["row"], row["verdict"]) for row in read_rows(workspace)]
        return typed.fingerprint, rows


@pytest.mark.parametrize("write", [write_csv, write_json_lines, write_xlsx, write_parquet])
def test_every_format_has_the_same_typed_rows(tmp_path, write):
    assert type_table(write(tmp_path)) == type_table(write_rows(tmp_path))


def test_the_table_is_read_as_it_is_meant():
    _, rows = type_table(write_rows(None))
    assert rows[0] == (
        "12345",
        {
            "name": "Bürostuhl <b>ß</b>",
            "price": 1234.5,
            "stock": 5,
            "active": True,
            "since": "2026-03-01",
            "changed": "2026-03-01T13:30:00Z",
            "colour": "red",
            "tags": ["a", "b"],
        },
        None,
    )
    assert rows[2] == ("W-1", {}, "ambiguous")
    assert [(key, verdict) for key, _, verdict in rows[3:]] == [
        ("w-1 ", "ambiguous"),
        ("unknown colour", "failed"),
        ("too long", "failed"),
        ("twice", "failed"),
        ("", "failed"),
    ]
