"""Dates as queries have them: ISO, or reckoned from a moment, such as ``now-1d/d``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "H": "hours", "d": "days", "w": "weeks"}
STEP = re.compile(r"([+-])(\d+)([smhHdw])|/([smhHd])")
SPAN = re.compile(r"\+?(\d+)([smhHdw])")


def timestamp(text: str) -> float:
    """Seconds since 1970 of a date.

    :param text: ``2026-11-24T18:00:00Z``, ``2026-11-24``, ``now-1d``, ``now/d``, ``2026-11-24||+1h``
    :raises ValueError: when it is none
    """
    start, reckoned = ("now", text[3:]) if text.startswith("now") else text.partition("||")[::2]
    if STEP.sub("", reckoned):
        raise ValueError(text)
    found = datetime.now(UTC) if start == "now" else datetime.fromisoformat(start)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    for sign, number, unit, rounded in STEP.findall(reckoned):
        if rounded:
            found = _rounded(found, rounded)
        else:
            found += timedelta(**{UNITS[unit]: int(f"{sign}{number}")})
    return found.timestamp()


def moment(text: str) -> str:
    """A date as documents have it.

    :param text: see `timestamp`
    """
    return iso(timestamp(text))


def iso(seconds: float) -> str:
    """A date as documents have it.

    :param seconds: since 1970
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def span(text: str) -> float:
    """Seconds of a span of time, such as ``+1h``.

    :param text: a number and a unit
    :raises ValueError: when it is none
    """
    found = SPAN.fullmatch(text)
    if not found:
        raise ValueError(text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}).total_seconds()


def _rounded(moment: datetime, unit: str) -> datetime:
    parts = {"microsecond": 0, "second": 0, "minute": 0, "hour": 0}
    kept = {"s": ("microsecond",), "m": ("microsecond", "second"), "d": tuple(parts)}
    return moment.replace(**{name: 0 for name in kept.get(unit, ("microsecond", "second", "minute"))})  # type: ignore[arg-type]
