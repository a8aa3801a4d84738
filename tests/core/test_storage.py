"""Files that tasks read and write, on this machine and in an object store."""

from __future__ import annotations

import json

import pytest

from self_hosted.core.storage import (
    check_output,
    note_read,
    note_written,
    path_of,
    write_json,
    write_json_lines,
    written,
)
from tests.core.toy import ToyHook
from tests.lineage import collected


@pytest.fixture(params=["here", "in an object store"])
def uri(request, tmp_path):
    """Where to write: a path, or a URI of Airflow's object storage."""
    path = tmp_path / "folder" / "result.json"
    if request.param == "here":
        return str(path)
    path.parent.mkdir()
    return path.as_uri()


def test_what_is_written_can_be_read(uri):
    with written(uri) as file:
        file.write(b"all of it")
    assert path_of(uri).read_bytes() == b"all of it"


def fail_half_way(uri):
    with written(uri) as file:
        file.write(b"half of it")
        raise RuntimeError


def test_what_fails_half_way_leaves_nothing(uri, tmp_path):
    with pytest.raises(RuntimeError):
        fail_half_way(uri)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == []


def test_what_was_there_stays_until_the_new_is_whole(uri):
    write_json(uri, "old")
    with pytest.raises(RuntimeError):
        fail_half_way(uri)
    assert json.loads(path_of(uri).read_text()) == "old"


def test_json_is_written(uri):
    write_json(uri, {"a": [1, None]})
    assert json.loads(path_of(uri).read_text()) == {"a": [1, None]}


def test_json_lines_are_written_and_counted(uri):
    assert write_json_lines(uri, iter([{"a": 1}, {"b": "line\nbreak"}])) == 2
    assert [json.loads(line) for line in path_of(uri).read_text().splitlines()] == [{"a": 1}, {"b": "line\nbreak"}]


def test_no_rows_make_an_empty_file(uri):
    assert write_json_lines(uri, iter(())) == 0
    assert path_of(uri).read_bytes() == b""


def test_lineage_is_told_what_was_read_and_written(tmp_path, monkeypatch):
    collector = collected(monkeypatch)
    hook, read, wrote = ToyHook("toy_default"), tmp_path / "read", tmp_path / "wrote"
    note_read(hook, str(read))
    note_written(hook, str(wrote))
    found = collector.collected_assets
    assert read.as_uri() in {one.asset.uri for one in found.inputs}
    assert wrote.as_uri() in {one.asset.uri for one in found.outputs}


@pytest.mark.parametrize("given", ["", "folder/", 7])
def test_where_nothing_can_be_written_is_told_before_there_is_anything_to_write(given):
    with pytest.raises(ValueError, match="report must be the path or URI of a file, not"):
        check_output("report", given)
