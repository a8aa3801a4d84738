from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*arguments: str, folder: Path = CHECKOUT, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    # as from a shell, without the variables of the make that runs these tests
    shell = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    if path is not None:  # a folder with programs that are found first
        shell["PATH"] = f"{path}:{shell['PATH']}"
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
    for target in ("demo", "ui", "test", "test-between", "test-oldest", "lint", "bench", "clean"):
        assert f"make {target} " in listed


def test_unsupported_python_is_reported_in_one_sentence(bare, tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("demo", f"PYTHON={old}", folder=bare)
    assert done.returncode == 2
    assert "Airflow 3.3.2 needs Python 3.11 to 3.14 with its venv module" in done.stderr
    assert f"{old} is not one" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("target", "version"), [("test-between", "3.2.2"), ("test-oldest", "3.1.8")])
def test_each_older_airflow_gets_an_environment_of_its_own(bare, target, version):
    planned = make("--dry-run", target, folder=bare).stdout
    assert f"--constraint constraints/airflow-{version}.txt" in planned
    assert f".venv-{target.removeprefix('test-')}/bin/python -m pytest" in planned
    assert ".venv/" not in planned


def test_airflow_gets_the_newest_python_that_it_supports(bare, tmp_path):
    found = {}
    for version in ("3.13", "3.14"):
        python = tmp_path / f"python{version}"
        python.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c "
            f'"import sys; sys.version_info = ({version.replace(".", ", ")}, 0); $2"\n'
        )
        python.chmod(0o755)
    for target in ("test", "test-between", "test-oldest"):
        planned = make("--dry-run", target, folder=bare, path=tmp_path).stdout
        found[target] = re.findall(r"(python3\.\d+) -m venv", planned)
    assert found == {"test": ["python3.14"], "test-between": ["python3.14"], "test-oldest": ["python3.13"]}
