"""Timestamps as AtroCore writes them: UTC, without a time zone."""

from __future__ import annotations

from datetime import UTC, datetime

from self_hosted.core.timestamps import in_utc_by_default

FORMAT = "%Y-%m-%d %H:%M:%S"


def to_text(timestamp: datetime) -> str:
    """Return a timestamp as AtroCore writes it.

    :param timestamp: in any time zone; UTC if it has none

    >>> to_text(datetime(2026, 6, 1, 12, 30))
    '2026-06-01 12:30:00'
    """
    return in_utc_by_default(timestamp).astimezone(UTC).strftime(FORMAT)
