"""Parquet files: typed values, without the network and within a fixed amount of memory."""

from __future__ import annotations

import sys
from decimal import Decimal

import duckdb
import pytest

from self_hosted.core.sync.readers import parquet
from tests.core.sync.read_source import read


@pytest.fixture
def write(tmp_path):
    """Write the result of a query: ``write("SELECT 1 AS sku")``."""

    def write(query, options=""):
        path = tmp_path / "a.parquet"
        with duckdb.connect() as database:
            database.execute("SET TimeZone = 'UTC'")
            database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet {options})")
        return path

    return write


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'00123'", "00123"),
        ("NULL::TEXT", None),
        ("''", None),
        ("'Größe'", "Größe"),
        ("123::BIGINT", 123),
        ("12345::DOUBLE", 12345.0),
        ("1.5::FLOAT", 1.5),
        ("12.50::DECIMAL(10, 2)", Decimal("12.50")),
        ("true", True),
        ("DATE '2026-03-01'", "2026-03-01"),
        ("TIMESTAMP '2026-03-01 10:30:00'", "2026-03-01T10:30:00"),
        ("TIMESTAMPTZ '2026-03-01 10:30:00+02'", "2026-03-01T08:30:00+00:00"),
        ("TIME '10:30'", "10:30:00"),
        ("UUID '00000000-0000-0000-0000-000000000005'", "00000000-0000-0000-0000-000000000005"),
        ("'abc'::BLOB", "abc"),
        ("[1, 2]", [1, 2]),
        ("{'a': {'b': 'c'}}", {"a": {"b": "c"}}),
        ("MAP {'a': 1}", {"a": 1}),
    ],
)
def test_values_keep_their_type(write, value, expected):
    found = read(write(f"SELECT 1 AS sku, {value} AS a"))
    assert found.cells == [{"sku": 1, "a": expected}]
    assert found.problems == [""]
    assert type(found.cells[0]["a"]) is type(expected)


def test_rows_keep_their_order_over_row_groups(write):
    path = write("SELECT 'k' || i AS sku, i FROM range(7000) t(i)", ", ROW_GROUP_SIZE 2048")
    found = read(path)
    assert found.columns == ("sku", "i")
    assert found.rows[6999].cells == {"sku": "k6999", "i": 6999}
    assert found.lines == list(range(1, 7001))
    assert found.sha256


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("'nan'::DOUBLE", "a: nan is no value"),
        (r"'\xFF'::BLOB", r"a: the bytes b'\xff' are not UTF-8"),
        ("INTERVAL 2 DAYS", "a: datetime.timedelta"),
    ],
)
def test_a_value_that_cannot_be_used_fails_its_row(write, value, message):
    found = read(write(f"SELECT 1 AS sku, {value} AS a UNION ALL SELECT 2, NULL"))
    assert found.problems[0].startswith(message)
    assert not found.problems[1]


def test_columns_keep_the_names_that_the_file_has(write):
    path = write("SELECT 1 AS skux, 2 AS sku, {'sku': 1} AS s, [1] AS l, 3 AS SKU2")
    path.write_bytes(path.read_bytes().replace(b"skux", b"SKU "))
    assert read(path, ["sku"]).columns == ("SKU", "sku", "s", "l", "SKU2")


def test_a_column_that_occurs_twice_is_rejected(write):
    path = write("SELECT 1 AS sku, 2 AS skx")
    path.write_bytes(path.read_bytes().replace(b"skx", b"sku"))
    with pytest.raises(ValueError, match=r"a.parquet has the column 'sku' more than once"):
        read(path)


def test_a_file_without_rows_has_no_rows(write):
    found = read(write("SELECT 1 AS sku LIMIT 0"))
    assert (found.columns, found.rows) == (("sku",), [])


@pytest.mark.parametrize("content", [b"", b"sku;a\n", b"PAR1"])
def test_another_file_is_rejected(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"a.parquet is not a valid Parquet file"):
        read(tmp_path / "a.parquet")


def test_a_file_that_is_damaged_is_rejected(write):
    path = write("SELECT 'k' || i AS sku FROM range(5000) t(i)", ", COMPRESSION gzip")
    content = path.read_bytes()
    path.write_bytes(content[:500] + bytes(500) + content[1000:])
    with pytest.raises(ValueError, match=r"a.parquet is not a valid Parquet file"):
        read(path)


def test_row_groups_that_need_too_much_memory_are_rejected(write, monkeypatch):
    monkeypatch.setitem(parquet.CONFIG, "memory_limit", "3MB")
    path = write("SELECT 'k' || md5(i::TEXT) AS sku FROM range(200_000) t(i)", ", ROW_GROUP_SIZE 200_000")
    with pytest.raises(ValueError, match=r"a.parquet has too large row groups; write groups of 100,000 rows"):
        read(path)


def test_the_library_installs_nothing():
    with duckdb.connect(config=parquet.CONFIG) as database:
        settings = dict(
            database.execute("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%'").fetchall()
        )
    assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"


def test_the_extra_is_named_if_the_library_is_missing(write, monkeypatch):
    path = write("SELECT 1 AS sku")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(
        ValueError, match=r"Parquet files need the package duckdb: install airflow-provider-self-hosted\[sync\]"
    ):
        read(path)
