"""The arguments that describe a source: parsed without any I/O."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from self_hosted.core.sync.source import parse_source


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"),
        ("a.TXT", "csv"),
        ("a.tsv", "tsv"),
        ("a.tab", "tsv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.json", "json"),
        ("a.parquet", "parquet"),
        ("a.xlsx", "xlsx"),
        ("a.xlsm", "xlsx"),
        ("a.csv.gz", "csv"),
        ("a.parquet.GZ", "parquet"),
    ],
)
def test_the_ending_of_a_file_decides_its_format(name, format):
    for source in (f"/data/{name}", Path("/data") / name, ObjectStoragePath(f"s3://bucket/{name}")):
        parsed = parse_source(source)
        assert (parsed.options.format, parsed.uri, parsed.name) == (format, str(source), str(source))


def test_the_format_can_be_given():
    assert parse_source("/data/export", source_format="csv").options.format == "csv"
    assert parse_source("/data/export.json", source_format="jsonl").options.format == "jsonl"


@pytest.mark.parametrize("source", ['[{"sku": 1}]', "[{'sku': 1}]", [{"sku": 1}]])
def test_rows_may_be_a_list_or_its_text(source):
    assert parse_source(source).rows == [{"sku": 1}]


def test_a_query_needs_its_connection():
    parsed = parse_source(sql="SELECT 1", sql_conn_id="erp")
    assert (parsed.sql, parsed.sql_conn_id, parsed.name) == ("SELECT 1", "erp", "the query of erp")


def test_the_options_are_parsed():
    options = parse_source(
        "a.csv",
        delimiter="tab",
        encoding="latin1",
        decimal=",",
        date_format="%d.%m.%Y",
        null_values=["NULL", "-"],
    ).options
    assert (options.delimiter, options.encoding, options.decimal, options.date_format) == (
        "\t",
        "iso8859-1",
        ",",
        "%d.%m.%Y",
    )
    assert options.null_values == {"", "NULL", "-"}


def test_options_that_templates_render_as_empty_texts_are_not_set():
    unset = dict.fromkeys(
        ("source_format", "sheet", "delimiter", "encoding", "decimal", "date_format", "null_values"), ""
    )
    assert parse_source("a.csv", sql="", sql_conn_id="", **unset) == parse_source("a.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of source, sql, not none"),
        ({"source": "a.csv", "sql": "SELECT 1"}, "give exactly one of source, sql, not source, sql"),
        ({"source": "None"}, "source must be the path or URI of a file, not 'None'"),
        ({"source": "a.doc"}, "or source_format must be given, not 'a.doc'"),
        ({"source": "a.xls"}, "source 'a.xls' is in an old format of Excel; save it as .xlsx"),
        ({"source": {"sku": 1}}, "source must be rows, or the path or URI of a file, not {'sku': 1}"),
        ({"source": b"sku"}, "source must be rows"),
        ({"source": 5}, "source must be rows"),
        ({"source": "[{'sku': 1"}, "source must be rows"),
        (
            {"source": "a.csv", "source_format": "xls"},
            "source_format must be one of csv, tsv, jsonl, json, parquet, xlsx",
        ),
        ({"source": "a.csv", "sheet": "A"}, "sheet is for files of the format xlsx, not for CSV"),
        ({"source": "a.xlsx", "delimiter": ";"}, "delimiter is for files of the format csv, tsv, not for XLSX"),
        ({"source": "a.parquet", "encoding": "utf-8"}, "encoding is for files of the format csv, tsv, jsonl, json"),
        (
            {"source": [], "source_format": "csv"},
            "source_format is for files of the format csv, .* not for a list of rows",
        ),
        ({"sql": "x", "sql_conn_id": "a", "encoding": "utf-8"}, "encoding is for files .* not for a query"),
        ({"sql": "SELECT 1"}, "sql_conn_id must name the connection of sql"),
        ({"sql": " ", "sql_conn_id": "a"}, "sql must be a query, not an empty text"),
        ({"source": [], "sql_conn_id": "a"}, "sql_conn_id is for sql, not for source"),
        ({"source": "a.csv", "delimiter": ";;"}, "delimiter must be one character, or tab, not ';;'"),
        ({"source": "a.csv", "delimiter": '"'}, "delimiter must be one character"),
        ({"source": "a.csv", "delimiter": 5}, "delimiter must be one character"),
        ({"source": "a.csv", "encoding": "klingon"}, "encoding must be the name of a text encoding, .* not 'klingon'"),
        ({"source": "a.csv", "encoding": "rot13"}, "encoding must be the name of a text encoding"),
        ({"source": "a.csv", "encoding": "undefined"}, "encoding must be the name of a text encoding"),
        ({"source": "a.csv", "decimal": ";"}, "decimal must be one of ., ,, not ';'"),
        ({"source": "a.csv", "null_values": [None]}, "null_values must be a text or a list of texts"),
    ],
)
def test_invalid_arguments_are_rejected_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        parse_source(**arguments)
