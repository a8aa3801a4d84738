"""Core versions at which the API changed."""

from __future__ import annotations

Version = tuple[int, ...]

FIRST: Version = (0,)
V2: Version = (2,)
V2_3: Version = (2, 3)
FEEDS_SINCE: Version = (1, 3, 12)
QUEUE_SINCE: Version = (1, 12)
COUNTERS_SINCE: Version = (1, 12, 14)
NUMBER_SINCE: Version = (2, 0, 28)


def is_in_range(core: Version, since: Version, until: Version | None) -> bool:
    """Return whether a core version lies in a range.

    :param since: the first version of the range
    :param until: the first version after the range; None if the range has no end
    """
    return core >= since and (until is None or core < until)


def get_key_field(core: Version) -> str:
    """Return the name of the field that identifies a product for users."""
    return "number" if core >= NUMBER_SINCE else "sku"
