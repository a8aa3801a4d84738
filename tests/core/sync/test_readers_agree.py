"""All formats return the same rows: the ones that were written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
from hypothesis import HealthCheck, given, settings, strategies as st

from self_hosted.core.sync.readers import json_array, text
from tests.core.sync.read_source import read

COLUMNS = ("sku", "Größe, in cm", "a;b")
# texts of an XML file: no control characters and no halves of surrogate pairs; XLSX escapes _x000D_
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from('\n\t";,|'), max_size=30).filter(
    lambda text: "_x" not in text and not text.startswith(("=", "#")) and text == text.strip()
)
TABLES = st.lists(st.tuples(*(TEXTS for _ in COLUMNS)).filter(any), max_size=8)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])


def write_csv(path: Path, rows: list[dict[str, Any]], encoding: str, delimiter: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


def write_xlsx(path: Path, rows: list[dict[str, Any]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in (COLUMNS, *(row.values() for row in rows)):
        sheet.append(list(cells))
    book.save(path)


@given(TABLES, ENCODINGS, st.sampled_from(";,\t|"), st.integers(2, 100))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_written_is_read_in_every_format(table, encoding, delimiter, chunk):
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, cells, strict=True)) for cells in table]
    expected = [{name: cell or None for name, cell in row.items()} for row in rows]
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder / "a.csv", rows, encoding, delimiter)
        write_xlsx(folder / "a.xlsx", rows)
        (folder / "a.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding)
        (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding)
        sizes = (json_array.CHUNK_CHARACTERS, text.CHUNK_CHARACTERS)
        json_array.CHUNK_CHARACTERS = text.CHUNK_CHARACTERS = chunk
        try:
            found = {path.suffix: read(path).cells for path in sorted(folder.iterdir())}
        finally:
            json_array.CHUNK_CHARACTERS, text.CHUNK_CHARACTERS = sizes
    assert read(rows).cells == expected
    assert found == dict.fromkeys(found, expected)
    assert len(found) == 4
