"""Dates in the syntax of Elasticsearch: ISO 8601 or date math such as ``now-1d/d``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "H": "hours", "d": "days", "w": "weeks"}
OPERATION = re.compile(r"([+-])(\d+)([smhHdw])|/([smhHd])")
INTERVAL = re.compile(r"\+?(\d+)([smhHdw])")
SMALLER_PARTS = {
    "s": ("microsecond",),
    "m": ("microsecond", "second"),
    "h": ("microsecond", "second", "minute"),
    "H": ("microsecond", "second", "minute"),
    "d": ("microsecond", "second", "minute", "hour"),
}


def parse_date(text: str) -> float:
    """Return a date in seconds since 1970.

    :param text: ``2026-11-24T18:00:00Z``, ``2026-11-24``, ``now-1d``, ``now/d``, ``2026-11-24||+1h``
    :raises ValueError: if it is not a date
    """
    start, operations = ("now", text[3:]) if text.startswith("now") else text.partition("||")[::2]
    if OPERATION.sub("", operations):
        raise ValueError(text)
    date = datetime.now(UTC) if start == "now" else datetime.fromisoformat(start)
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    for sign, number, unit, rounding_unit in OPERATION.findall(operations):
        if rounding_unit:
            date = date.replace(**dict.fromkeys(SMALLER_PARTS[rounding_unit], 0))  # type: ignore[arg-type]
        else:
            date += timedelta(**{UNITS[unit]: int(f"{sign}{number}")})
    return date.timestamp()


def evaluate_date(text: str) -> str:
    """Return a date as documents contain it.

    :param text: see `parse_date`
    """
    return format_date(parse_date(text))


def get_current_time() -> str:
    """Return the current time as documents contain it."""
    return evaluate_date("now")


def format_date(seconds: float) -> str:
    """Return a date as documents contain it.

    :param seconds: seconds since 1970
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def parse_interval(text: str) -> float:
    """Return the seconds of an interval.

    :param text: number and unit, such as ``+1h``
    :raises ValueError: if it is not an interval
    """
    found = INTERVAL.fullmatch(text)
    if not found:
        raise ValueError(text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}).total_seconds()
