"""Where the rows of a sync come from: parsed arguments, without any I/O."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from self_hosted.core.arguments import (
    is_set,
    parse_choice,
    parse_list,
    parse_optional,
    parse_optional_text,
    parse_str_list,
    parse_text,
    require_one_of,
)
from self_hosted.core.http.logs import shorten
from self_hosted.core.tasks.storage import parse_uri

Format = Literal["csv", "tsv", "jsonl", "json", "parquet", "xlsx"]
ENDINGS: Mapping[str, Format] = {
    "csv": "csv",
    "txt": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "parquet": "parquet",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
}
FORMATS = tuple(dict.fromkeys(ENDINGS.values()))
OPTION_FORMATS: Mapping[str, tuple[str, ...]] = {
    "source_format": FORMATS,
    "sheet": ("xlsx",),
    "delimiter": ("csv", "tsv"),
    "encoding": ("csv", "tsv", "jsonl", "json"),
}
"""The formats that each option is for; the others are for every source."""
DECIMAL_MARKS = (".", ",")
DELIMITERS = {"tab": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read.

    :param format: of a file; default: by its name
    :param sheet: of an XLSX file, by its name; default: the first one that is visible
    :param delimiter: between the cells of a CSV file; default: the one that yields the expected columns
    :param encoding: of a text file; default: its byte order mark, else UTF-8, else Windows-1252
    :param decimal: the decimal mark of all numbers that are texts; default: decided per column
    :param date_format: of all dates and moments that are texts; default: ISO 8601
    :param null_values: texts that stand for no value; the empty text always does
    """

    format: Format | None = None
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    date_format: str | None = None
    null_values: frozenset[str] = frozenset({""})


@dataclass(frozen=True)
class Source:
    """The rows of a sync, not read yet. One of ``rows``, ``uri`` and ``sql`` is set.

    :param name: for messages
    :param rows: dictionaries, or lists of them
    :param uri: of a file; see `storage.resolve_path`
    :param sql: a query
    :param sql_conn_id: the Airflow connection to the database of the query
    :param options: how they are read
    """

    name: str
    rows: Iterable[Any] | None = None
    uri: str | None = None
    sql: str | None = None
    sql_conn_id: str | None = None
    options: SourceOptions = field(default_factory=SourceOptions)


def parse_source(
    source: Any = None,
    sql: Any = None,
    sql_conn_id: Any = None,
    *,
    source_format: Any = None,
    sheet: Any = None,
    delimiter: Any = None,
    encoding: Any = None,
    decimal: Any = None,
    date_format: Any = None,
    null_values: Any = None,
) -> Source:
    """Return the source that arguments describe.

    :param source: dictionaries as a list, a generator or a task's result; the results of mapped tasks (a list of
        lists); or the path or URI of a file
    :param sql: a query, in place of ``source``
    :param sql_conn_id: the Airflow connection to its database
    :param source_format: see ``SourceOptions.format``
    :param sheet: see `SourceOptions`
    :param delimiter: see `SourceOptions`; "tab" is a tab
    :param encoding: see `SourceOptions`
    :param decimal: see `SourceOptions`
    :param date_format: see `SourceOptions`
    :param null_values: see `SourceOptions`; a text or a list of texts
    :raises ValueError: naming the argument
    """
    options = SourceOptions(
        sheet=parse_optional_text("sheet", sheet),
        delimiter=_parse_delimiter(delimiter),
        encoding=_parse_encoding(encoding),
        decimal=parse_optional("decimal", decimal, lambda name, value: parse_choice(name, value, DECIMAL_MARKS)),
        date_format=parse_optional_text("date_format", date_format),
        null_values=frozenset({"", *parse_str_list("null_values", null_values)}),
    )
    kind = require_one_of({"source": source, "sql": sql if is_set(sql) else None})
    given = {"source_format": source_format, "sheet": sheet, "delimiter": delimiter, "encoding": encoding}
    names = [name for name, value in given.items() if _is_given(value)]
    if kind == "sql":
        _check_options(names, "", "a query")
        return _parse_query(sql, sql_conn_id, options)
    if _is_given(sql_conn_id):
        raise ValueError("sql_conn_id is for sql, not for source")
    if _is_file(source):
        return _parse_file(source, source_format, names, options)
    _check_options(names, "", "a list of rows as source")
    return Source("the rows", rows=_parse_rows(source), options=options)


def _is_given(value: Any) -> bool:
    """Return whether an optional argument is set; a template renders a missing result as "None"."""
    return parse_optional("", value, lambda _, given: given) is not None


def _parse_query(sql: Any, sql_conn_id: Any, options: SourceOptions) -> Source:
    if not _is_given(sql_conn_id):
        raise ValueError("sql_conn_id must name the connection of sql")
    conn_id, query = parse_text("sql_conn_id", sql_conn_id), parse_text("sql", sql)
    if not query.strip():
        raise ValueError("sql must be a query, not an empty text")
    return Source(f"the query of {conn_id}", sql=query, sql_conn_id=conn_id, options=options)


def _is_file(source: Any) -> bool:
    is_text = isinstance(source, str) and not source.lstrip().startswith("[")
    return is_text or isinstance(source, os.PathLike) or hasattr(source, "protocol")  # as `ObjectStoragePath` has


def _parse_file(source: Any, source_format: Any, names: Iterable[str], options: SourceOptions) -> Source:
    uri = parse_uri("source", source)
    found = parse_choice("source_format", source_format, FORMATS) if _is_given(source_format) else _find_format(uri)
    _check_options(names, found, found.upper())
    return Source(uri, uri=uri, options=replace(options, format=cast("Format", found)))


def _find_format(uri: str) -> Format:
    ending = uri.lower().removesuffix(".gz").rpartition(".")[2]
    if ending == "xls":
        raise ValueError(f"source {uri!r} is in an old format of Excel; save it as .xlsx")
    if ending not in ENDINGS:
        raise ValueError(
            f"source must be a file whose name ends with .{', .'.join(ENDINGS)} (or these with .gz), "
            f"or source_format must be given, not {uri!r}"
        )
    return ENDINGS[ending]


def _check_options(names: Iterable[str], format: str, label: str) -> None:
    for name in names:
        if format not in OPTION_FORMATS[name]:
            raise ValueError(f"{name} is for files of the format {', '.join(OPTION_FORMATS[name])}, not for {label}")


def _parse_rows(source: Any) -> Iterable[Any]:
    rows = parse_list(source) if isinstance(source, str) else source
    is_text = isinstance(rows, list) and rows[:1] == [source]  # it is neither JSON nor Python
    if is_text or isinstance(rows, Mapping | bytes | bytearray) or not isinstance(rows, Iterable):
        raise ValueError(f"source must be rows, or the path or URI of a file, not {shorten(repr(source))}")
    return rows


def _parse_delimiter(value: Any) -> str | None:
    if not _is_given(value):
        return None
    delimiter = DELIMITERS.get(value, value) if isinstance(value, str) else ""
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"delimiter must be one character, or tab, not {value!r}")
    return delimiter


def _parse_encoding(value: Any) -> str | None:
    text = parse_optional_text("encoding", value)
    if text is None:
        return None
    try:
        "a".encode(text)  # fails for codecs that are no text encoding, such as rot13
        return codecs.lookup(text).name
    except (LookupError, ValueError):
        raise ValueError(f"encoding must be the name of a text encoding, such as cp1252, not {value!r}") from None
