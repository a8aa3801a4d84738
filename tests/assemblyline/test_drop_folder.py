"""Links in a drop folder: those that point outside are neither read nor sent, and are reported."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineIngestFilesOperator, AssemblylineSubmitFilesOperator
from self_hosted.assemblyline.operators.input_files import find_input_files, list_input_files
from tests.context import executed

REASON = "the link points outside of the folder"
# older object store paths warn about their own search of a local folder
without_warning = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
every_operator = pytest.mark.parametrize(
    "operator", [AssemblylineSubmitFilesOperator, AssemblylineIngestFilesOperator], ids=["submit", "ingest"]
)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the worker."""
    path = tmp_path / "airflow.cfg"
    path.write_text("secret_key = 4711")
    return path


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """A drop folder with one file."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.bin").write_text("RIG-SCORE:5")
    return folder


@pytest.fixture
def run(conn_id: str, served: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run an operator; return its result, and the report by file name."""
    served.seed({"delay": 0.02})
    report = tmp_path / "report.jsonl"

    def run(operator: type[Any], **arguments: Any) -> Any:
        usual = {"task_id": "scan", "deferrable": False, "poll_interval": 0.05, "wait_timeout": 60}
        result = executed(lambda: operator(**{**usual, "report_uri": str(report), **arguments}))
        lines = map(json.loads, report.read_text(encoding="utf-8").splitlines())
        return result, {Path(line["file"]).name: line for line in lines}

    return run


def names(files: Any) -> dict[str, bool]:
    return {file.name: file.is_outside for file in files}


@every_operator
def test_a_link_out_of_the_folder_is_skipped_and_reported(
    served: Any, run: Any, incoming: Path, secret: Path, operator: type[Any], caplog: Any, capsys: Any
) -> None:
    caplog.set_level(logging.WARNING)
    (incoming / "a.bin").symlink_to(secret)
    result, report = run(operator, folder=str(incoming))
    assert (result["total"], result["skipped"]) == (2, 1)
    assert report["a.bin"]["skipped"] == REASON
    assert "skipped" not in report["good.bin"]
    output = caplog.text + capsys.readouterr().out
    assert "Skipped, 1 files" in output
    assert "a.bin: the link points outside of the folder" in output


def test_with_strict_a_link_out_of_the_folder_fails_the_task_before_anything_is_sent(
    served: Any, run: Any, incoming: Path, secret: Path
) -> None:
    (incoming / "a.bin").symlink_to(secret)
    with pytest.raises(AirflowFailException, match=f"strict: 1 files cannot be sent: a.bin: {REASON}"):
        run(AssemblylineSubmitFilesOperator, folder=str(incoming), strict=True)
    assert served.tables()["submissions"] == []


def test_links_within_the_folder_and_explicit_links_are_sent(run: Any, incoming: Path, tmp_path: Path) -> None:
    (incoming / "link.bin").symlink_to("good.bin")
    assert names(find_input_files(str(incoming), "*", recursive=False, max_files=9)) == {
        "good.bin": False,
        "link.bin": False,
    }
    explicit = tmp_path / "explicit.bin"
    explicit.symlink_to(incoming / "good.bin")
    [file] = list_input_files([str(explicit)])
    with file.upload.open() as content:
        assert content.read() == b"RIG-SCORE:5"


@without_warning
@pytest.mark.parametrize("as_uri", [False, True])
def test_links_to_folders_are_reported_if_folders_are_searched(incoming: Path, tmp_path: Path, as_uri: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.bin").write_text("secret")
    (incoming / "sub").mkdir()
    (incoming / "sub" / "link").symlink_to(elsewhere)
    folder = incoming.as_uri() if as_uri else str(incoming)
    assert names(find_input_files(str(incoming), "*", recursive=False, max_files=9)) == {"good.bin": False}
    found = find_input_files(folder, "*", recursive=True, max_files=9)
    assert "secret" not in "".join(_read(file) for file in found if not file.is_outside)
    if not as_uri:
        assert names(found) == {"good.bin": False, "sub/link": True}


def _read(file: Any) -> str:
    with file.upload.open() as content:
        return str(content.read())


@without_warning
def test_the_uri_of_a_local_folder_is_protected_as_well(incoming: Path, secret: Path) -> None:
    (incoming / "a.bin").symlink_to(secret)
    found = find_input_files(incoming.as_uri(), "*", recursive=False, max_files=9)
    assert [file.is_outside for file in found] == [True, False]


def test_broken_links_are_ignored(incoming: Path) -> None:
    (incoming / "a.bin").symlink_to("missing")
    (incoming / "b.bin").symlink_to("b.bin")
    assert names(find_input_files(str(incoming), "*", recursive=True, max_files=9)) == {"good.bin": False}


def test_a_link_that_replaces_a_file_before_it_is_sent_is_not_followed(incoming: Path, secret: Path) -> None:
    [file] = find_input_files(str(incoming), "*", recursive=False, max_files=9)
    (incoming / "good.bin").unlink()
    (incoming / "good.bin").symlink_to(secret)
    # no permanent error: the next try skips the link
    with pytest.raises(PermissionError, match="is a link that points outside of"):
        file.upload.open()
