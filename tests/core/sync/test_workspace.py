"""The temporary database of a sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from self_hosted.core.sync.workspace import Workspace


def fill_and_fail(folders):
    with Workspace() as workspace:
        workspace.connection.execute("CREATE TABLE a (x)")
        (workspace.folder / "other").write_text("x")
        folders.append(workspace.folder)
        raise RuntimeError


def test_the_database_and_its_folder_are_removed_at_the_end():
    folders: list[Path] = []
    with pytest.raises(RuntimeError):
        fill_and_fail(folders)
    assert not folders[0].exists()


def test_the_database_is_a_file_that_takes_little_memory():
    with Workspace() as workspace:
        pragma = {
            name: workspace.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "cache_size", "temp_store")
        }
        assert pragma == {"journal_mode": "off", "synchronous": 0, "cache_size": -8000, "temp_store": 1}
        workspace.connection.execute("CREATE TABLE a (x)")
        workspace.connection.executemany("INSERT INTO a VALUES (?)", (("x" * 1000,) for _ in range(20_000)))
        assert (workspace.folder / "sync.sqlite").stat().st_size > 10_000_000


def test_rows_can_be_read_while_others_are_inserted():
    with Workspace() as workspace:
        workspace.connection.execute("CREATE TABLE a (x)")
        workspace.connection.execute("CREATE TABLE b (x)")
        workspace.connection.executemany("INSERT INTO a VALUES (?)", ((number,) for number in range(1000)))
        for row in workspace.connection.execute("SELECT x FROM a"):
            workspace.connection.execute("INSERT INTO b VALUES (?)", row)
        assert workspace.connection.execute("SELECT count(*) FROM b").fetchone() == (1000,)
