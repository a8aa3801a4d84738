"""Long transfers, and long files of rows, log their progress once per minute."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.http import body, response
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.tasks import storage
from tests.core.toy import Toy, ToyHook, send_request


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Each transfer takes a minute."""
    caplog.set_level(logging.INFO)
    for module in (body, response, storage):
        monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)


def send_file(hook: ToyHook) -> None:
    data = b"x" * 3_000_000
    hook.run(send_request(Request("POST", "/swallow", body=Upload("a", lambda: io.BytesIO(data), len(data)))))


def receive_file(hook: ToyHook, toy: Toy, folder: Path) -> None:
    toy.content = b"x" * 3_000_000

    @contextmanager
    def save_to() -> Any:
        with (folder / "file").open("wb") as file:
            yield file

    hook.run(send_request(Request("GET", "/file", save_to=save_to)))


@pytest.mark.usefixtures("slow")
def test_a_long_upload_logs_its_progress(hook: ToyHook, caplog):
    send_file(hook)
    assert [line for line in caplog.messages if line.startswith("Upload")] == ["Upload: 0 of 3 MB are sent"]


@pytest.mark.usefixtures("slow")
def test_a_long_download_logs_its_progress(hook: ToyHook, toy: Toy, tmp_path: Path, caplog):
    receive_file(hook, toy, tmp_path)
    assert [line for line in caplog.messages if "received" in line] == ["GET /file: 0 MB are received"]


@pytest.mark.usefixtures("slow")
def test_a_long_file_of_rows_logs_its_progress(tmp_path: Path, caplog):
    uri = str(tmp_path / "rows.jsonl")
    assert storage.write_json_lines(uri, iter([{"a": 1}, {"a": 2}])) == 2
    assert caplog.messages == [f"1 rows are written to {uri}"]


def test_short_transfers_log_nothing(hook: ToyHook, toy: Toy, tmp_path: Path, caplog):
    caplog.set_level(logging.INFO)
    send_file(hook)
    receive_file(hook, toy, tmp_path)
    storage.write_json_lines(str(tmp_path / "rows.jsonl"), iter([{"a": 1}]))
    assert not [line for line in caplog.messages if "MB" in line or "rows" in line]
