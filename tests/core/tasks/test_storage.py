"""Files of tasks, on this machine and in an object store."""

from __future__ import annotations

import json

import pytest

from self_hosted.core.tasks.storage import (
    atomic_writer,
    record_input,
    record_output,
    resolve_path,
    validate_output_uri,
    write_json,
    write_json_lines,
)
from tests.core.toy import ToyHook
from tests.lineage import collected


@pytest.fixture(params=["local", "object store"])
def uri(request, tmp_path):
    """The destination: a path, or a URI of Airflow's object storage."""
    path = tmp_path / "folder" / "result.json"
    if request.param == "local":
        return str(path)
    path.parent.mkdir()
    return path.as_uri()


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
    assert [path.name for path in (tmp_path / "folder").iterdir()] == []


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


def test_read_and_written_files_are_recorded_in_the_lineage(tmp_path, monkeypatch):
    collector = collected(monkeypatch)
    hook, source, target = ToyHook("toy_default"), tmp_path / "source", tmp_path / "target"
    record_input(hook, str(source))
    record_output(hook, str(target))
    recorded = collector.collected_assets
    assert source.as_uri() in {asset.asset.uri for asset in recorded.inputs}
    assert target.as_uri() in {asset.asset.uri for asset in recorded.outputs}


@pytest.mark.parametrize("value", ["", "folder/", 7])
def test_an_invalid_output_uri_is_rejected(value):
    with pytest.raises(ValueError, match="output_uri must be the path or URI of a file, not"):
        validate_output_uri("output_uri", value)


def test_files_of_an_object_store_are_left_to_its_own_lineage(monkeypatch):
    collector = collected(monkeypatch)
    hook = ToyHook("toy_default")
    record_input(hook, "s3://bucket/source")
    record_output(hook, "s3://bucket/target")
    recorded = collector.collected_assets
    assert not [asset for asset in [*recorded.inputs, *recorded.outputs] if "bucket" in asset.asset.uri]
