"""The types of hook methods according to mypy."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_infers_parameters_and_result_of_a_hook_method():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "tests/typing/hook_methods.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    on_instance, on_class = (line for line in done.stdout.splitlines() if "Revealed type" in line)
    assert 'user: str, limit: int =) -> dict[str, int]"' in on_instance.replace("builtins.", "").replace(" = ...", " =")
    assert 'user: str, limit: int =) -> dict[str, int]"' in on_class.replace("builtins.", "").replace(" = ...", " =")
    assert "Generator" not in done.stdout
