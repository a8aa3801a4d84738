"""Files of tasks, on this machine and in an object store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from self_hosted.core.tasks.storage import (
    atomic_writer,
    is_local,
    parse_optional_uri,
    parse_uri,
    resolve_path,
    write_json,
    write_json_lines,
)


@pytest.fixture(params=["path", "file URI", "object store"])
def uri(request, tmp_path):
    """The destination: a path, its URI, or a URI of Airflow's object storage. Its folder does not exist."""
    attach(protocol="memory", fs=MemoryFileSystem())
    path = tmp_path / "folder of results" / "result.json"
    return {"path": str(path), "file URI": path.as_uri(), "object store": f"memory://bucket{path}"}[request.param]


def test_a_written_file_can_be_read(uri):
    with atomic_writer(uri) as file:
        file.write(b"whole")
    assert resolve_path(uri).read_bytes() == b"whole"


def fail_half_way(uri):
    with atomic_writer(uri) as file:
        file.write(b"half")
        raise RuntimeError


def test_a_failed_write_leaves_no_file(uri, tmp_path):
    with pytest.raises(RuntimeError):
        fail_half_way(uri)
    assert not resolve_path(uri).exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_failed_write_keeps_the_previous_file(uri):
    write_json(uri, "old")
    with pytest.raises(RuntimeError):
        fail_half_way(uri)
    assert json.loads(resolve_path(uri).read_text()) == "old"


def test_a_json_value_is_written(uri):
    write_json(uri, {"a": [1, None]})
    assert json.loads(resolve_path(uri).read_text()) == {"a": [1, None]}


def test_json_lines_are_written_and_counted(uri):
    assert write_json_lines(uri, iter([{"a": 1}, {"b": "line\nbreak"}])) == 2
    assert [json.loads(line) for line in resolve_path(uri).read_text().splitlines()] == [{"a": 1}, {"b": "line\nbreak"}]


def test_no_rows_give_an_empty_file(uri):
    assert write_json_lines(uri, iter(())) == 0
    assert resolve_path(uri).read_bytes() == b""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("folder/file", "folder/file"),
        (Path("/folder/file"), "/folder/file"),
        (12345, "12345"),
        ("file:///folder/a%20b", "/folder/a b"),
        ("FILE://localhost/folder/file", "/folder/file"),
        ("s3://aws_default@bucket/key", "s3://aws_default@bucket/key"),
        (ObjectStoragePath("s3://aws_default@bucket/key"), "s3://aws_default@bucket/key"),
        ("/folder/a://b", "/folder/a://b"),
        ("/folder/line\nbreak", "/folder/line\nbreak"),
    ],
    ids=str,
)
def test_a_file_may_be_a_path_or_a_uri_in_any_form(value, expected):
    assert parse_uri("output_uri", value) == expected


@pytest.mark.parametrize(
    "value", ["", " ", "None", None, "folder/", "file:///folder/", "file://", "file://other/file", "a\0b", ["a"], 1.5]
)
def test_anything_else_is_no_file(value):
    with pytest.raises(ValueError, match=r"output_uri must be the path or URI of a file, not "):
        parse_uri("output_uri", value)


def test_a_folder_may_end_with_a_slash():
    assert parse_uri("folder", "s3://bucket/key/", is_folder=True) == "s3://bucket/key/"
    with pytest.raises(ValueError, match="folder must be the path or URI of a folder, not ''"):
        parse_uri("folder", "", is_folder=True)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("None", None), (Path("a"), "a")])
def test_an_optional_file_is_none_if_it_is_not_set(value, expected):
    assert parse_optional_uri("report_uri", value) == expected


@pytest.mark.parametrize("path", ["/folder/a://b", "file:///folder/file", "relative"])
def test_a_local_file_is_a_path(path):
    assert is_local(path)
    assert type(resolve_path(path)) is type(Path())
