"""The journal of a plan: a killed task's next try continues behind its last checkpoint, with its outcomes."""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from self_hosted.core.http.errors import UnavailableError
from self_hosted.core.sync import journal as journals
from self_hosted.core.sync.journal import Journal
from self_hosted.core.sync.target import Outcome
from tests.core.sync.applying import Applying
from tests.core.sync.toy_server import Fault, Killed, ToyServer

ROWS = {f"K{number:02}": {"name": "a"} for number in range(12)}
KEYS = list(ROWS)


def open_journal(folder: Path, interval: float = 0.0, sha256: str = "abc") -> Journal:
    return Journal(f"{folder}/plan.jsonl", sha256, sqlite3.connect(":memory:"), interval)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("plan.jsonl.journal/*"))


def test_a_retry_continues_behind_the_last_checkpoint_with_its_outcomes(tmp_path: Path):
    applying = Applying()
    changes = applying.plan(ROWS)
    applying.client.faults = {3: Fault("kill after")}
    with pytest.raises(Killed):
        applying.apply(changes, open_journal(tmp_path))
    before = len(applying.server.requests)
    results = applying.apply(changes, open_journal(tmp_path))
    # the third batch was done, but its outcomes were lost with the worker
    assert results == dict.fromkeys(KEYS[:8], "created") | dict.fromkeys(KEYS[8:], "unchanged")
    assert len(applying.server.requests) - before == 1


def test_a_worker_that_is_killed_before_a_checkpoint_loses_only_outcomes(tmp_path: Path):
    applying = Applying()
    changes = applying.plan(ROWS)
    applying.client.faults = {3: Fault("kill after")}
    with pytest.raises(Killed):
        applying.apply(changes, open_journal(tmp_path, interval=3600))
    assert files(tmp_path) == []
    assert applying.apply(changes, open_journal(tmp_path), is_retry=True) == dict.fromkeys(KEYS, "unchanged")
    assert len(applying.server.history) == 12


def test_an_error_writes_a_checkpoint(tmp_path: Path):
    applying = Applying()
    changes = applying.plan(ROWS)
    applying.client.faults = {2: Fault("unavailable")}
    with pytest.raises(UnavailableError):
        applying.apply(changes, open_journal(tmp_path, interval=3600))
    assert files(tmp_path) == ["000001-1-4.jsonl"]
    assert applying.apply(changes, open_journal(tmp_path)) == dict.fromkeys(KEYS, "created")


def test_failures_that_may_pass_are_tried_again(tmp_path: Path):
    applying = Applying(ToyServer(poison={"K01"}, rejected={"K02"}))
    changes = applying.plan(ROWS)
    applying.apply(changes, open_journal(tmp_path, interval=3600))
    applying.server.poison, applying.server.rejected = set(), set()
    results = applying.apply(changes, open_journal(tmp_path, interval=3600))
    assert results == dict.fromkeys(KEYS, "created") | {"K02": "failed"}
    assert applying.server.writes[-1] == ["K01"]
    # and a third try has all outcomes
    assert files(tmp_path) == ["000001-1-12.jsonl", "000002-2-2.jsonl"]
    writes = len(applying.server.writes)
    assert applying.apply(changes, open_journal(tmp_path)) == results
    assert len(applying.server.writes) == writes


def test_outcomes_keep_all_their_parts(tmp_path: Path):
    outcome = Outcome("A", "altered", "message", "1", "T1", {"name": ("new", "ne")}, row=3)
    journal = open_journal(tmp_path)
    journal.add(1, outcome)
    assert open_journal(tmp_path).find(1) == outcome
    assert open_journal(tmp_path).find(2) is None


def test_checkpoints_are_written_after_some_time_or_many_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journals, "MAX_CHANGES_BETWEEN_CHECKPOINTS", 3)
    journal = open_journal(tmp_path, interval=3600)
    for number in range(1, 8):
        journal.add(number, Outcome("A", "created"))
    assert files(tmp_path) == ["000001-1-3.jsonl", "000002-4-6.jsonl"]
    journal.flush()
    journal.flush()
    assert files(tmp_path)[2:] == ["000003-7-7.jsonl"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON\n",
        b'{"plan":"another"}\n{"n":1}\n',
        b'{"plan":"abc"}\n{"n":2,"key":"B","res',
    ],
)
def test_a_checkpoint_that_is_no_use_is_ignored(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "plan.jsonl.journal"
    folder.mkdir()
    (folder / "000007-1-9.jsonl").write_bytes(content)
    (folder / ".part").write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        journal = open_journal(tmp_path)
    assert journal.is_empty
    assert "its changes are compared again" in caplog.text
    journal.add(1, Outcome("A", "created"))
    assert "000008-1-1.jsonl" in files(tmp_path)


def test_the_journal_is_removed_at_the_end(tmp_path: Path):
    journal = open_journal(tmp_path)
    journal.remove()
    journal.add(1, Outcome("A", "created"))
    journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_journal_may_be_in_an_object_store(tmp_path: Path):
    attach(protocol="memory", fs=MemoryFileSystem())
    uri = f"memory://bucket{tmp_path}/plan.jsonl"
    journal = Journal(uri, "abc", sqlite3.connect(":memory:"), 0.0)
    journal.add(1, Outcome("A", "created"))
    assert Journal(uri, "abc", sqlite3.connect(":memory:")).find(1) == Outcome("A", "created")
    Journal(uri, "abc", sqlite3.connect(":memory:")).remove()
    assert Journal(uri, "abc", sqlite3.connect(":memory:")).is_empty


def test_children_of_a_parent_that_failed_in_an_earlier_try_are_skipped(tmp_path: Path):
    from tests.core.sync.toy_targets import TreeTarget

    applying = Applying(ToyServer(is_tree=True, rejected={"p"}), TreeTarget())
    changes = applying.plan({"p": {"name": "p"}, "c": {"name": "c", "parent": "p"}})
    journal: Any = open_journal(tmp_path)
    journal.add(1, Outcome("p", "failed", "rejected"))
    assert applying.apply(changes, open_journal(tmp_path)) == {"p": "failed", "c": "skipped"}
    assert json.loads(next(applying.report.lines()))["key"] == "p"
