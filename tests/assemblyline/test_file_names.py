"""Names of files that attackers chose: each file is submitted, and its original name kept."""

from __future__ import annotations

import io
import json
import os

import pytest

from self_hosted.assemblyline.api.submissions import file_names, sources
from self_hosted.assemblyline.operators import (
    AssemblylineIngestFilesOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
)
from self_hosted.core.http.flow import Upload
from tests.context import context

KEY = file_names.METADATA_KEY
# as Python reads them from a file system
NAMES = {
    "a.txt": ("a.txt", None),
    "r\u00e9sum\u00e9.doc": ("r\u00e9sum\u00e9.doc", None),
    "a b;c'.txt": ("a b;c'.txt", None),
    'a"b%22.txt': ('a"b%22.txt', None),
    "C:\\dir\\a.exe": ("C:\\dir\\a.exe", None),
    "../../etc/passwd": ("passwd", None),
    "\udcff\udcfe.exe": (r"\xff\xfe.exe", r"\xff\xfe.exe"),
    "\ud800.exe": (r"\ud800.exe", r"\ud800.exe"),
    "a\x00\x1b[31m\r\n.exe": (r"a\x00\x1b[31m\r\n.exe", r"a\x00\x1b[31m\r\n.exe"),
    "\u202egpj.exe": (r"\u202egpj.exe", r"\u202egpj.exe"),
    "x" * 300 + ".exe": ("x" * 251 + ".exe", "x" * 300 + ".exe"),
    "\u00e9" * 200: ("\u00e9" * 127, "\u00e9" * 200),
    "x." + "y" * 300: ("x." + "y" * 253, "x." + "y" * 300),
    " a ": ("a", " a "),
    "": ("unnamed", ""),
    ".": ("unnamed", "."),
    "..": ("unnamed", ".."),
    " \t": ("unnamed", r" \t"),
    "a/": ("unnamed", "a/"),
    "z" * 3000: ("z" * 255, "z" * 1000),
}


def upload(name):
    return Upload(name, lambda: io.BytesIO(b"hello"), 5)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_sent_under_a_name_that_the_server_stores(name):
    safe, original = NAMES[name]
    sent, options = file_names.use_safe_name(upload(name), {"metadata": {"case": "7"}})
    assert options.get("name", sent.filename) == safe
    assert options["metadata"] == ({"case": "7"} if original is None else {KEY: original, "case": "7"})
    assert sent.filename.isascii()
    assert len(safe.encode()) <= 255


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x300), 0x200B, 0x2028, 0xFEFF, 0xD800, 0xDFFF)])
def test_no_character_prevents_the_upload(character):
    sent, options = file_names.use_safe_name(upload(f"a{character}b"), {})
    assert sent.filename.isascii()
    assert sent.filename.isprintable()
    assert options.get("name", sent.filename).isprintable()
    json.dumps(options, ensure_ascii=False).encode()


def test_names_of_the_task_itself_come_first():
    own = {"name": "mine.exe", "metadata": {KEY: "own"}}
    assert file_names.use_safe_name(upload("\udcff"), own)[1] == own


def test_different_names_remain_different():
    names = ["\udcff", r"\xff", r"\\xff", "\xff", "\x1b", r"\x1b"]
    assert len({file_names.escape(name) for name in names}) == len(names)
    assert file_names.escape("a b.txt") == "a b.txt"


def test_a_name_is_escaped_in_messages():
    assert sources.describe(upload("\x1b\udcff")) == r"\x1b\xff"


def test_a_file_is_submitted_whatever_its_name(served, hook, conn_id, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b.exe")
    with open(path, "wb") as file:
        file.write(b"some bytes")
    served.seed({"delay": 0})
    task = AssemblylineSubmitFileOperator(task_id="task", file=path, poll_interval=0.02, deferrable=False)
    submission = hook.get_submission(task.execute(context(task))["sid"])
    assert submission["files"][0]["name"] == r"\xff\x1b.exe"
    assert submission["metadata"][KEY] == r"\xff\x1b.exe"


@pytest.mark.parametrize("operator", [AssemblylineSubmitFilesOperator, AssemblylineIngestFilesOperator])
def test_all_files_of_a_drop_folder_are_sent(served, hook, conn_id, tmp_path, operator):
    (tmp_path / "in").mkdir()
    folder = os.fsencode(tmp_path / "in")
    for number, name in enumerate((b"\xff.exe", b"\x1b[31m", b"a\\b", b"\xe2\x80\xaegpj.exe", b"x" * 255)):
        with open(folder + b"/" + name, "wb") as file:
            file.write(b"content %d" % number)
    served.seed({"delay": 0})
    report = tmp_path / "report.jsonl"
    task = operator(task_id="task", folder=os.fsdecode(folder), report_uri=str(report), poll_interval=0.02)
    result = task.execute(context(task))
    json.dumps(result, ensure_ascii=False).encode()
    names = {os.path.basename(json.loads(line)["file"]) for line in report.read_text().splitlines()}
    assert names == {r"\xff.exe", r"\x1b[31m", r"a\\b", r"\u202egpj.exe", "x" * 255}
    stored = {found["files"][0]["name"] for found in map(hook.get_submission, _list_sids(hook))}
    assert stored == {r"\xff.exe", r"\x1b[31m", r"a\b", r"\u202egpj.exe", "x" * 255}


def _list_sids(hook):
    return [found["sid"] for found in hook.search("submission", {"query": "*", "rows": 50})]
