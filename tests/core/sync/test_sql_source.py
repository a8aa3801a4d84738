"""Queries through connections of Airflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.core.sync.read_source import read


@pytest.fixture
def database(tmp_path, connect):
    """A database, and the id of the connection to it."""
    path = tmp_path / "erp.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE products (sku TEXT, price NUMERIC, note TEXT, data BLOB)")
        connection.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?)",
            [("00123", 1.5, "Größe: 5 %", b"abc"), ("W-2", 7, None, b"\xff")],
        )
        connection.commit()
    return connect("erp", {"conn_type": "sqlite", "host": str(path)})


def test_the_rows_of_a_query_are_read(database):
    found = read(sql="SELECT * FROM products ORDER BY sku", sql_conn_id=database)
    assert found.columns == ("sku", "price", "note", "data")
    assert found.cells[0] == {"sku": "00123", "price": 1.5, "note": "Größe: 5 %", "data": "abc"}
    assert found.cells[1]["note"] is None
    assert found.problems == ["", r"data: the bytes b'\xff' are not UTF-8; give a text"]
    assert found.lines == [1, 2]
    assert found.sha256 is None


def test_percent_signs_and_colons_are_part_of_the_query(database):
    query = "SELECT sku, '12:30 :x %s' AS a FROM products WHERE note LIKE '%: 5 !%%' ESCAPE '!'"
    assert read(sql=query, sql_conn_id=database).cells == [{"sku": "00123", "a": "12:30 :x %s"}]


def test_many_rows_are_fetched_in_parts(database):
    query = """WITH RECURSIVE numbers(sku) AS (SELECT 1 UNION ALL SELECT sku + 1 FROM numbers WHERE sku < 4500)
        SELECT sku FROM numbers"""
    found = read(sql=query, sql_conn_id=database)
    assert [cells["sku"] for cells in found.cells] == found.lines == list(range(1, 4501))


def test_a_column_that_occurs_twice_is_rejected(database):
    with pytest.raises(ValueError, match="the query of erp has the column 'sku' more than once"):
        read(sql="SELECT sku, price AS sku FROM products", sql_conn_id=database)


def test_a_missing_column_is_named(database):
    with pytest.raises(ValueError, match=r"the query of erp has no column 'sku'. It has price"):
        read(sql="SELECT price FROM products", sql_conn_id=database)


def test_a_query_without_rows_has_no_rows(database):
    found = read(sql="SELECT sku FROM products WHERE false", sql_conn_id=database)
    assert (found.columns, found.rows) == (("sku",), [])


def test_a_statement_that_is_no_query_is_rejected_and_undone(database):
    with pytest.raises(ValueError, match="sql must be a query: the statement returned no rows"):
        read(sql="DELETE FROM products", sql_conn_id=database)
    assert len(read(sql="SELECT sku FROM products", sql_conn_id=database).rows) == 2


def test_an_error_of_the_database_is_raised(database):
    with pytest.raises(Exception, match="no such table: missing"):
        read(sql="SELECT * FROM missing", sql_conn_id=database)


def test_an_error_while_rows_are_fetched_is_raised(database):
    query = """WITH RECURSIVE numbers(sku) AS (SELECT 1 UNION ALL SELECT sku + 1 FROM numbers WHERE sku < 4500)
        SELECT CASE WHEN sku = 4000 THEN abs(-9223372036854775808) ELSE sku END AS sku FROM numbers"""
    with pytest.raises(Exception, match="integer overflow"):
        read(sql=query, sql_conn_id=database)


def test_a_connection_to_something_else_is_rejected(connect):
    connect("web", {"conn_type": "atrocore", "host": "http://localhost"})
    with pytest.raises(ValueError, match="sql_conn_id must name a connection to a database, not 'web': AtrocoreHook"):
        read(sql="SELECT 1", sql_conn_id="web")


class DriverHook:
    """The hook of a database that SQLAlchemy has no dialect for, as those of some vendors."""

    def __init__(self, path):
        self.path = path

    def get_sqlalchemy_engine(self):
        raise NotImplementedError("no dialect")

    def get_conn(self):
        return sqlite3.connect(self.path)


def test_a_database_without_a_dialect_is_read_by_its_driver(database, tmp_path, monkeypatch):
    from airflow.providers.common.compat.sdk import BaseHook

    monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id: DriverHook(tmp_path / "erp.sqlite"))
    found = read(sql="SELECT sku FROM products", sql_conn_id="vendor")
    assert found.cells == [{"sku": "00123"}, {"sku": "W-2"}]
    with pytest.raises(ValueError, match="the statement returned no rows"):
        read(sql="DELETE FROM products", sql_conn_id="vendor")
