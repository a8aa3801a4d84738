"""The failure threshold: the share of failed items above which a task fails."""

from __future__ import annotations

import math
from collections.abc import Mapping

from self_hosted.core.arguments import parse_float

SHARES: Mapping[str, float] = {"any": 0.0, "never": 1.0}


def parse(fail_on: float | str) -> float:
    """Return the share of items that may fail.

    :param fail_on: "any", "never", or the share itself, from 0 to 1
    :raises ValueError: for anything else
    """
    try:
        share = parse_float("fail_on", SHARES.get(str(fail_on), fail_on), above=-math.inf, maximum=1)
    except ValueError:
        share = -1
    if share < 0:
        raise ValueError(f"fail_on must be 'any', 'never' or a share from 0 to 1, not {fail_on!r}")
    return share
