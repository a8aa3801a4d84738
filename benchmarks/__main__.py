"""``python -m benchmarks``: run all benchmarks; the exit status is 0 only if all stay within their limits."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "import_time",
    "per_call",
    "sandbox_speed",
    "assemblyline_upload",
    "assemblyline_submit_many",
    "atrocore_sync",
    "atrocore_memory",
    "waiting",
)


def main() -> int:
    """Run each benchmark in a process of its own, so that none inherits the memory and the imports of another."""
    failed = []
    for name in NAMES:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    print(f"\nFAIL  {', '.join(failed)}" if failed else "\nPASS  all benchmarks")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
