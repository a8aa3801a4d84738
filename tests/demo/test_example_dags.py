from __future__ import annotations

from pathlib import Path

from demo.example_dags import copy_example_dags

EXAMPLES = Path(__file__).parents[2] / "example_dags"


def test_copies_differ_in_the_folder_of_their_files_only(tmp_path):
    copy_example_dags(EXAMPLES, tmp_path / "dags", tmp_path / "srv")
    copies = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "dags").iterdir()}
    assert not any('"/srv' in text for text in copies.values())
    assert any(f'"{tmp_path}/srv/' in text for text in copies.values())
    restored = {name: text.replace(f'"{tmp_path}/srv', '"/srv') for name, text in copies.items()}
    assert restored == {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py")}


def test_former_copies_are_removed(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "renamed.py").write_text("")
    copy_example_dags(EXAMPLES, tmp_path / "dags", tmp_path / "srv")
    assert not (tmp_path / "dags" / "renamed.py").exists()
