"""The peak memory of a process. Linux only."""

from __future__ import annotations

from pathlib import Path


def forget_peak() -> None:
    """Let this process's peak begin anew, so that what importing took does not hide what working takes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak(process: int | str = "self") -> float:
    """The most memory a process had since then, in MiB; 0 once it has ended.

    :param process: its id; by default this one
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)
