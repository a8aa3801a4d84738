from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*arguments: str, folder: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    # as from a shell, without the variables of the make that runs these tests
    shell = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    command = ["make", *arguments]
    return subprocess.run(command, check=False, cwd=folder, env=shell, capture_output=True, text=True, timeout=300)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout without an installation."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    shutil.copytree(CHECKOUT / "constraints", tmp_path / "constraints")
    return tmp_path


def test_help_lists_every_target():
    listed = make("help").stdout
    for target in ("demo", "ui", "test", "test-oldest", "lint", "bench", "clean"):
        assert f"make {target} " in listed


def test_unsupported_python_is_reported_in_one_sentence(bare, tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("demo", f"PYTHON={old}", folder=bare)
    assert done.returncode == 2
    assert "this needs Python 3.11, 3.12 or 3.13 with its venv module" in done.stderr
    assert f"{old} is not one" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_oldest_airflow_gets_an_environment_of_its_own(bare):
    planned = make("--dry-run", "test-oldest", folder=bare).stdout
    assert "--constraint constraints/airflow-3.1.8.txt" in planned
    assert ".venv-oldest/bin/python -m pytest" in planned
    assert ".venv/" not in planned
