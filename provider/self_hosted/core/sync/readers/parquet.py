"""Rows of Parquet files, read by DuckDB within a fixed amount of memory and without extensions."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from self_hosted.core.sync.readers.extra import import_library
from self_hosted.core.sync.readers.table import Place, Table, fetch_rows

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "100MB",  # a limit, which row groups of a million rows come near to
    "threads": 1,
    "autoinstall_known_extensions": False,  # a query would download them
    "autoload_known_extensions": False,
}
COLUMNS = "SELECT name, coalesce(num_children, 0) FROM parquet_schema(?)"


@contextmanager
def open_parquet(path: Path, name: str, folder: Path) -> Generator[Table]:
    """Read a Parquet file.

    :param path: the file
    :param name: the source, for messages
    :param folder: for temporary files
    :raises ValueError: if it is no Parquet file
    """
    duckdb = import_library("duckdb", "Parquet")
    with closing(duckdb.connect(":memory:", config={**CONFIG, "temp_directory": str(folder / "duckdb")})) as database:
        try:
            database.execute("SET TimeZone = 'UTC'")
            columns = _list_columns(database.execute(COLUMNS, [str(path)]).fetchall())
            rows = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
            yield Table(Place(name), fetch_rows(rows), columns)
        except duckdb.OutOfMemoryException:
            raise ValueError(f"source: {name} has too large row groups; write groups of 100,000 rows") from None
        except duckdb.Error as error:
            raise ValueError(f"source: {name} is not a valid Parquet file: {error}") from None


def _list_columns(elements: Sequence[tuple[str, int]]) -> list[str]:
    """Return the names of the columns as the file has them; DuckDB gives a new name to one that occurs twice.

    :param elements: the schema, a tree in depth-first order: name and number of children of each; first its root
    """
    columns, open_children = list[str](), [1]
    for name, children in elements:
        while open_children[-1] == 0:
            open_children.pop()
        if len(open_children) == 2:
            columns.append(name)
        open_children[-1] -= 1
        open_children.append(children)
    return columns
