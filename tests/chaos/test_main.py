"""The two commands tell their options, and how many tasks there are unless one says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("chaos", ["--tasks", "(default: 200)", "--seed", "--every", "(default: 20)", "--outage", "(default: 30)"]),
        ("chaos.waits", ["--tasks", "(default: 1000)"]),
    ],
)
def test_help_tells_the_options(program, told):
    command = [sys.executable, "-m", program, "--help"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60)
    assert [word for word in told if word not in done.stdout] == []
