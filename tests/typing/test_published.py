"""What mypy says about published flows."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_a_type_checker_knows_parameters_and_result_of_a_published_flow():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "tests/typing/published.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    on_instance, on_class = (line for line in done.stdout.splitlines() if "Revealed type" in line)
    assert 'user: str, limit: int =) -> dict[str, int]"' in on_instance.replace("builtins.", "").replace(" = ...", " =")
    assert 'user: str, limit: int =) -> dict[str, int]"' in on_class.replace("builtins.", "").replace(" = ...", " =")
    assert "Generator" not in done.stdout
