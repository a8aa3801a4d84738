"""Whether some failures among many fail a task."""

from __future__ import annotations

from collections.abc import Mapping

FAIL_ON: Mapping[float | str, float] = {"any": 0.0, "never": 1.0}


def tolerated(fail_on: float | str) -> float:
    """The share of what was done that may fail.

    :param fail_on: "any", "never", or the share itself, from 0 to 1
    :raises ValueError: for anything else
    """
    try:
        share = float(FAIL_ON.get(fail_on, fail_on))
    except (TypeError, ValueError):
        share = -1
    if not 0 <= share <= 1:
        raise ValueError(f"fail_on: must be any, never, or a share from 0 to 1, not {fail_on!r}")
    return share
