"""The peak memory of a process. Linux only."""

from __future__ import annotations

from pathlib import Path


def reset_peak_memory() -> None:
    """Reset the peak of this process, so that the memory for imports does not hide the memory for the work."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def get_peak_memory(process: int | str = "self") -> float:
    """Return the peak memory of a process since the reset, in MiB; 0 after its end.

    :param process: its id; this process by default
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)
