"""The help of both commands lists their options with the default values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
OPTIONS = [
    "--tasks",
    "(default: 200)",
    "--seed",
    "--restart-interval",
    "(default: 20)",
    "--outage",
    "(default: 30)",
]


@pytest.mark.parametrize(("program", "expected"), [("chaos", OPTIONS), ("chaos.waits", ["--tasks", "(default: 1000)"])])
def test_help_lists_the_options(program, expected):
    command = [sys.executable, "-m", program, "--help"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=300)
    output = " ".join(done.stdout.split())
    assert [text for text in expected if text not in output] == []
