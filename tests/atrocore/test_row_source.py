"""Rows from lists, generators and files."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from self_hosted.atrocore.operators.row_source import RowSource


def read(rows, key_field="number", mapping=None):
    with RowSource(rows, key_field, mapping or {}) as source:
        return [row for batch in source.batches(2) for row in batch.values()]


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_empty_cells_of_a_csv_file_are_left_out(write):
    path = write("a.csv", "number,name,price\nA,a,1\n\nB,,2\nC,c\n")
    assert read(path) == [
        {"number": "A", "name": "a", "price": "1"},
        {"number": "B", "price": "2"},
        {"number": "C", "name": "c"},
    ]


@pytest.mark.parametrize("byte_order_mark", ["", "\ufeff"])
def test_a_csv_file_may_have_a_byte_order_mark(write, byte_order_mark):
    assert read(write("a.csv", f"{byte_order_mark}number,name\nA,Plüsch\n")) == [{"number": "A", "name": "Plüsch"}]


def test_a_cell_may_have_line_breaks_and_commas(write):
    assert read(write("a.CSV", 'number,name\nA,"a, b\nc"\n')) == [{"number": "A", "name": "a, b\nc"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,price\na,1\n", "has no column number; it has name, price"),
        ("number;name\nA;a\n", "has no column number; it has number;name"),
        ("number,name,name\nA,a,b\n", "has the column name more than once"),
        ("number,,name\nA,a,b\n", "a column of .* has no name"),
        ("", "has no column number"),
        ("number,name\nA,a,b\n", "line 2 of .* has 3 cells, but the header has 2"),
        ("number,name\nA,a\n ,b\n", "line 3 of .* has no number"),
        ("number,name\nA,a\n,b\n", "line 3 of .* has no number"),
        (b"number,name\nA,Pl\xfcsch\n", "is not UTF-8"),
        ('number,name\nA,"a" b\n', "line 2 of .* is not valid CSV"),
    ],
)
def test_the_error_about_a_malformed_csv_file_is_one_sentence(write, content, message):
    with pytest.raises(ValueError, match=message) as error:
        read(write("a.csv", content))
    assert str(error.value).startswith("rows: ")
    assert "\n" not in str(error.value)


def test_null_in_a_jsonl_file_empties_a_field(write):
    path = write("a.jsonl", '\ufeff{"number": "A", "name": null}\n\n{"number": 7}\n')
    assert read(path) == [{"number": "A", "name": None}, {"number": "7"}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"number": "B"', "line 2 of .* is not valid JSON"),
        ('["B"]', "line 2 of .* must be a dictionary, not list"),
        ('{"name": "b"}', "line 2 of .* has no number"),
        ('{"number": null}', "line 2 of .* has no number"),
        ('{"number": "B", "price": NaN}', "line 2 of .* has the price nan, which is not a value"),
    ],
)
def test_the_error_about_a_malformed_line_names_it(write, line, message):
    with pytest.raises(ValueError, match=message):
        read(write("a.jsonl", f'{{"number": "A"}}\n{line}\n'))


def test_a_file_may_be_given_as_a_uri(write):
    path = write("a.jsonl", '{"number": "A"}\n')
    assert read(f"file://{path}") == [{"number": "A"}]


def test_lists_and_generators_have_the_same_result():
    rows = [{"number": str(number)} for number in range(5)]
    assert read(rows) == read(iter(rows)) == read(row for row in rows) == rows


def test_values_that_json_lacks_are_written_as_atrocore_writes_them():
    berlin = timezone(timedelta(hours=2))
    row = {
        "number": 7,
        "price": Decimal("1.50"),
        "at": datetime(2026, 6, 1, 14, 30, tzinfo=berlin),
        "utc": datetime(2026, 6, 1, 12, 30, tzinfo=UTC),
        "naive": datetime(2026, 6, 1, 12, 30),
        "on": date(2026, 6, 1),
        "tag": {"b", "a"},
    }
    expected = {
        "number": "7",
        "price": 1.5,
        "at": "2026-06-01 12:30:00",
        "utc": "2026-06-01 12:30:00",
        "naive": "2026-06-01 12:30:00",
        "on": "2026-06-01",
        "tag": ["a", "b"],
    }
    assert read([row]) == read(iter([row])) == [expected]
    assert json.loads(json.dumps(expected)) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"number": "A"}, ["B"]], "row 2 must be a dictionary, not list"),
        ([{"number": "A"}, {"name": "b"}], "row 2 has no number"),
        ([{"number": float("nan")}], "row 1 has the number nan"),
    ],
)
def test_the_error_about_an_invalid_row_names_it(rows, message):
    for given in (rows, iter(rows)):
        with pytest.raises(ValueError, match=message):
            read(given)


def test_columns_are_mapped_to_fields_or_left_out(write):
    mapping = {"Artikelnummer": "number", "Preis": "price", "intern": None}
    path = write("a.csv", "Artikelnummer,Preis,intern,name\nA,1,x,a\n")
    assert read(path, mapping=mapping) == [{"number": "A", "price": "1", "name": "a"}]


def test_two_columns_cannot_be_the_same_field():
    with pytest.raises(ValueError, match="row 1 has two values for name"):
        read([{"number": "A", "name": "a", "title": "b"}], mapping={"title": "name"})


def test_the_error_about_a_missing_key_column_names_column_and_field(write):
    with pytest.raises(ValueError, match="has no column Artikelnummer or number"):
        read(write("a.csv", "name\na\n"), mapping={"Artikelnummer": "number"})


def test_repeated_keys_are_found_and_left_out():
    rows: list[dict[str, Any]] = [
        {"number": "A"},
        {"number": "B"},
        {"number": 1},
        {"number": "C"},
        {"number": "A"},
        {"number": "1"},
    ]
    with RowSource(iter(rows), "number", {}) as source:
        assert source.repeated_keys() == {"A": 2, "1": 2}
        assert source.total == 6
        assert [list(batch) for batch in source.batches(1)] == [["B"], ["C"]]
