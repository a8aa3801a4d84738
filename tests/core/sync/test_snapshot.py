"""The snapshot of files: copied once, from anywhere, with proof that they were complete."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import math
import os
import tracemalloc
from pathlib import Path

import duckdb
import openpyxl
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from self_hosted.core.http import logs
from self_hosted.core.sync import snapshot
from self_hosted.core.sync.readers import local_copy
from self_hosted.core.sync.readers.table import IncompleteSourceError
from self_hosted.core.sync.snapshot import take_snapshot
from self_hosted.core.sync.source import parse_source
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.read_source import read

ROWS = [{"sku": "00123", "a": "Größe"}, {"sku": "W-2", "a": None}]


def write_xlsx(path):
    book = openpyxl.Workbook()
    for row in (["sku", "a"], ["00123", "Größe"], ["W-2", None]):
        book.active.append(row)
    book.save(path)


def write_parquet(path):
    query = "SELECT * FROM (VALUES ('00123', 'Größe'), ('W-2', NULL)) t(sku, a)"
    with duckdb.connect() as database:
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


WRITERS = {
    "csv": lambda path: path.write_text("sku;a\n00123;Größe\nW-2;\n"),
    "tsv": lambda path: path.write_text("sku\ta\n00123\tGröße\nW-2\t\n"),
    "jsonl": lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in ROWS)),
    "json": lambda path: path.write_text(json.dumps(ROWS)),
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}


@pytest.fixture(params=WRITERS)
def content(request, tmp_path):
    """The ending and the content of a file of each format."""
    path = tmp_path / f"written.{request.param}"
    WRITERS[request.param](path)
    return request.param, path.read_bytes()


@pytest.fixture(params=["path", "text", "file URI", "object store"])
def store(request, tmp_path):
    """Store a file in each kind of storage: ``store("a.csv", b"...")`` returns the source."""
    attach(protocol="memory", fs=MemoryFileSystem())

    def store(name, data):
        path = tmp_path / "folder of sources" / name
        path.parent.mkdir()
        path.write_bytes(data)
        if request.param != "object store":
            return {"path": path, "text": str(path), "file URI": path.as_uri()}[request.param]
        uri = ObjectStoragePath(f"memory://bucket{path}")
        uri.write_bytes(data)
        return uri

    return store


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_format_is_read_from_every_storage(content, store, ending):
    format, data = content
    stored = gzip.compress(data) if ending else data
    found = read(store(f"a.{format}{ending}", stored))
    assert found.cells == ROWS
    assert found.columns == ("sku", "a")
    assert found.sha256 == hashlib.sha256(stored).hexdigest()


def test_a_compressed_file_is_recognized_by_its_content(store):
    assert read(store("a.csv", gzip.compress(b"sku;a\n1;2\n"))).cells == [{"sku": "1", "a": "2"}]


def test_a_file_that_a_store_has_decompressed_is_read(store):
    assert read(store("a.csv.gz", b"sku;a\n1;2\n")).cells == [{"sku": "1", "a": "2"}]


def test_a_file_of_several_compressed_parts_is_read(store):
    data = gzip.compress(b"sku;a\n1;2\n") + gzip.compress(b"3;4\n")
    found = read(store("a.csv.gz", data))
    assert found.cells == [{"sku": "1", "a": "2"}, {"sku": "3", "a": "4"}]
    assert found.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("torn", [10, 30, -1, -8])
def test_a_torn_compressed_file_is_rejected(store, torn):
    data = gzip.compress(os.urandom(5000))[:torn]
    with pytest.raises(IncompleteSourceError, match=r"a.csv.gz is not a complete gzip file"):
        read(store("a.csv.gz", data))


def test_a_damaged_compressed_file_is_rejected(store):
    data = bytearray(gzip.compress(b"sku;a\n" * 100))
    data[20] ^= 0xFF
    with pytest.raises(IncompleteSourceError, match=r"a.csv.gz is not a complete gzip file"):
        read(store("a.csv.gz", bytes(data)))


def test_rubbish_behind_a_compressed_file_is_rejected(store):
    with pytest.raises(IncompleteSourceError, match=r"a.csv.gz is not a complete gzip file"):
        read(store("a.csv.gz", gzip.compress(b"sku;a\n") + b"rubbish"))


def test_a_file_that_is_too_large_decompressed_is_rejected(store, monkeypatch):
    monkeypatch.setattr(local_copy, "MAX_FILE_BYTES", 2_000_000)
    with pytest.raises(ValueError, match=r"a.csv.gz is larger than 2 MB"):
        read(store("a.csv.gz", gzip.compress(bytes(2_000_001))))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing.csv"):
        read(tmp_path / "missing.csv")


def test_a_folder_is_rejected(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ValueError, match=r"a.csv is a folder, not a file"):
        read(tmp_path / "a.csv")


class _Opened(io.BytesIO):
    """A file that another program writes while it is read."""

    def __init__(self, data, change):
        super().__init__(data)
        self._change = change

    def read(self, size=-1):
        self._change()
        return super().read(size)


class BusyStore(MemoryFileSystem):  # type: ignore[misc]
    """A store in which somebody replaces objects while they are read, or whose connection ends early."""

    cachable = False

    def __init__(self):
        super().__init__()
        self.mode, self.version, self.cached_version = "quiet", 0, 0

    def info(self, path, **kwargs):
        size = {"size": None} if self.mode == "states no size" else {}
        return {**super().info(path, **kwargs), "ETag": self.cached_version, **size}

    def invalidate_cache(self, path=None):
        self.cached_version = self.version

    def _open(self, path, mode="rb", **kwargs):
        if mode != "rb":
            return super()._open(path, mode, **kwargs)
        data = super()._open(path, mode, **kwargs).getvalue()
        if self.mode == "raises":
            return _Opened(data, self.fail)
        return _Opened(data[:-5] if self.mode == "ends early" else data, self.change)

    def fail(self):
        raise ConnectionError("the store is gone")

    def change(self):
        self.version += self.mode == "replaced"


BUSY = BusyStore()


@pytest.fixture
def busy():
    attach(protocol="memory", conn_id="busy", fs=BUSY)  # once: the first one stays
    BUSY.mode = "quiet"
    BUSY.pipe_file("/bucket/a.csv", b"sku;a\n1;2\n3;4\n")
    return BUSY


@pytest.mark.parametrize("mode", ["replaced", "ends early"])
def test_an_object_that_changes_or_ends_early_is_rejected(busy, mode):
    busy.mode = mode
    with pytest.raises(IncompleteSourceError, match=r"a.csv changed while it was read; write it under another name"):
        read("memory://busy@bucket/a.csv")
    busy.mode = "quiet"
    assert len(read("memory://busy@bucket/a.csv").rows) == 2


def test_an_object_without_a_stated_size_is_read(busy):
    busy.mode = "states no size"
    assert len(read("memory://busy@bucket/a.csv").rows) == 2


def test_an_error_of_the_store_is_raised(busy):
    busy.mode = "raises"
    with pytest.raises(ConnectionError, match="the store is gone"):
        read("memory://busy@bucket/a.csv")


def test_a_local_file_that_changes_is_rejected(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("sku;a\n1;2\n")
    hash_file = hashlib.sha256

    def append():
        with path.open("a") as file:
            file.write("3;4\n")
        return hash_file()

    monkeypatch.setattr(hashlib, "sha256", append)
    with pytest.raises(IncompleteSourceError, match=r"a.csv changed while it was read"):
        read(path)


class TestSnapshot:
    """The rows, as later phases read them."""

    def test_one_row_can_be_read_by_its_number(self):
        with Workspace() as workspace:
            taken = take_snapshot(parse_source([{"sku": 1}, {"sku": math.nan, "b": 2}]), workspace, ["sku"])
            row = taken.row(2)
            assert (row.number, row.line, row.cells) == (2, 2, {"sku": "nan", "b": 2})
            assert row.problems == {"sku": "nan is no value; give a number, or leave the cell empty"}
            assert [row.number for row in taken.rows()] == [1, 2]
            with pytest.raises(KeyError):
                taken.row(3)

    def test_it_names_itself_and_the_place_of_rows(self, tmp_path):
        (tmp_path / "a.csv").write_text("sku;a\n1;2\n")
        with Workspace() as workspace:
            taken = take_snapshot(parse_source(tmp_path / "a.csv"), workspace, ["sku"])
            assert taken.name == str(tmp_path / "a.csv")
            assert taken.place.of(2) == f"line 2 of {tmp_path / 'a.csv'}"
            assert sorted(path.name for path in workspace.folder.iterdir()) == ["sync.sqlite"]

    def test_its_size_is_logged(self, caplog):
        with caplog.at_level(logging.INFO):
            read([{"sku": 1, "b": 2}])
        assert "Snapshot of the rows: 1 rows, 2 columns" in caplog.text

    def test_progress_is_logged_at_most_once_per_minute(self, caplog, monkeypatch):
        with caplog.at_level(logging.INFO):
            read([{"sku": number} for number in range(3)])
            assert "are read" not in caplog.text
            monkeypatch.setattr(logs, "SECONDS_BETWEEN_LINES", 0.0)
            monkeypatch.setattr(snapshot, "SECONDS_BETWEEN_LINES", 0.0)
            read([{"sku": number} for number in range(3)])
        assert [text for text in caplog.messages if "are read" in text] == [
            "1 rows of the rows are read",
            "2 rows of the rows are read",
            "3 rows of the rows are read",
        ]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_memory_does_not_grow_with_the_number_of_rows(format, tmp_path):
    write = {
        "csv": lambda number: f"K-{number};Größe {number};{'x' * 100}\n",
        "jsonl": lambda number: json.dumps({"sku": f"K-{number}", "a": number, "b": "x" * 100}) + "\n",
    }[format]

    def measure(rows: int) -> int:
        path: Path = tmp_path / f"{rows}.{format}"
        with path.open("w", encoding="utf-8") as file:
            file.write("sku;a;b\n" if format == "csv" else "")
            file.writelines(map(write, range(rows)))
        with Workspace() as workspace:
            tracemalloc.start()
            taken = take_snapshot(parse_source(path), workspace, ["sku"])
            assert sum(1 for _ in taken.rows()) == taken.total == rows
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return peak

    measure(100)
    assert measure(10_000) < measure(1_000) + 1_000_000
