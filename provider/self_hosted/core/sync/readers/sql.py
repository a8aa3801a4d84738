"""Rows of a query, through any Airflow connection to a database, fetched in parts from a cursor on the server."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.readers.table import ROWS_PER_FETCH, Place, Table, fetch_rows

log = get_logger(__name__)


@contextmanager
def open_query(name: str, sql: str, conn_id: str) -> Generator[Table]:
    """Run a query. It is one statement, so all its rows are of one state of the database.

    :param name: the source, for messages
    :param sql: the query
    :param conn_id: the Airflow connection
    :raises ValueError: if the connection is not to a database, or the statement returns no rows
    """
    from airflow.providers.common.compat.sdk import BaseHook

    hook: Any = BaseHook.get_hook(conn_id)
    if not hasattr(hook, "get_sqlalchemy_engine"):
        raise ValueError(f"sql_conn_id must name a connection to a database, not {conn_id!r}: {type(hook).__name__}")
    engine = _create_engine(hook)
    with _open_driver(hook, sql) if engine is None else _open_engine(engine, sql) as cursor:
        if cursor.description is None:
            raise ValueError("sql must be a query: the statement returned no rows")
        yield Table(Place(name), fetch_rows(cursor), [column[0] for column in cursor.description])


def _create_engine(hook: Any) -> Any:
    try:
        return hook.get_sqlalchemy_engine()
    except Exception as error:  # no dialect, or no driver: each hook raises its own class of errors
        log.info("The driver of the database is used without SQLAlchemy (%s); it may fetch all rows at once", error)
        return None


@contextmanager
def _open_engine(engine: Any, sql: str) -> Generator[Any]:
    """Yield the rows of a cursor on the server. Without parameters, drivers leave % and : in the query as they are."""
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(
                stream_results=True, max_row_buffer=ROWS_PER_FETCH, no_parameters=True
            )
            yield _Result(streaming.exec_driver_sql(sql))
    finally:
        engine.dispose()


class _Result:
    """A result of SQLAlchemy as a cursor: with the names of the columns as the database has them."""

    def __init__(self, result: Any) -> None:
        self._result = result
        self.description = result.cursor.description if result.returns_rows else None

    def fetchmany(self, size: int) -> Sequence[Any]:
        rows: Sequence[Any] = self._result.fetchmany(size)
        return rows


@contextmanager
def _open_driver(hook: Any, sql: str) -> Generator[Any]:
    with closing(hook.get_conn()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        yield cursor
