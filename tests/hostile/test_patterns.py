"""No regular expression takes quadratic time on texts of servers or of DAG authors.

The work is bounded by CPU time, many times what is needed, so that a busy machine does not matter.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.hostile import patterns_run

ROOT = Path(__file__).parents[2]
# patterns that are built where they are used: `patterns_run.list_functions` calls these
INLINE = {
    "assemblyline/api/files/hash_kinds.py": 1,
    "assemblyline/api/lists/lists.py": 1,
    "assemblyline/api/submissions/contents.py": 1,
    "assemblyline/hook.py": 1,
    "core/arguments.py": 1,
    "core/connection/base_url.py": 1,
    "core/tasks/api_operator.py": 1,
    "rudder/errors.py": 1,
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.hostile.patterns_run", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


def test_every_pattern_is_linear() -> None:
    finished = run()
    *_, last = finished.stdout.splitlines()
    assert finished.returncode == 0, f"{last} takes too long, or fails: {finished.stderr[-2000:]}"
    cases = re.fullmatch(r"(\d+) cases are done", last)
    assert cases
    assert int(cases[1]) > 70


def test_a_quadratic_pattern_is_found() -> None:
    finished = run("quadratic")
    assert finished.returncode == -signal.SIGXCPU
    assert finished.stdout == "quadratic\n"


def test_patterns_that_are_built_where_they_are_used_are_known() -> None:
    package = ROOT / "provider" / "self_hosted"
    found = {
        str(path.relative_to(package)): len(calls)
        for path in package.rglob("*.py")
        if "sandbox" not in path.parts
        and (calls := re.findall(rf"\bre\.(?:{'|'.join(patterns_run.METHODS)})\(", path.read_text(encoding="utf-8")))
    }
    assert found == INLINE
