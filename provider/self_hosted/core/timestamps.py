"""Timestamps: of arguments, and of responses. One without a time zone is in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def parse_timestamp(argument: str, value: Any, *, needs_timezone: bool = False) -> datetime:
    """Return a timestamp with a time zone.

    :param argument: name of the argument
    :param value: a datetime, or text in ISO 8601; UTC unless it names another time zone
    :param needs_timezone: whether a value without a time zone is invalid
    :raises ValueError: for anything else
    """
    try:
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        parsed = None
    if parsed is None or (needs_timezone and parsed.tzinfo is None):
        zone = " with a time zone" if needs_timezone else ""
        raise ValueError(
            f"{argument} must be a timestamp{zone} in ISO 8601, such as '2026-11-24T18:00:00Z', not {value!r}"
        )
    return in_utc_by_default(parsed)


def read_timestamp(text: str) -> datetime:
    """Return a timestamp of a product's response.

    :param text: ISO 8601, such as "2026-11-24T18:00:00.000000Z"; UTC unless it names another time zone
    :raises ValueError: if it is malformed
    """
    return in_utc_by_default(datetime.fromisoformat(text))


def in_utc_by_default(timestamp: datetime) -> datetime:
    """Return the timestamp, in UTC if it has no time zone.

    :param timestamp: any
    """
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
