"""Dates, and moments: dates with a time, in UTC. Fractions of a second are cut off, because products store none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from self_hosted.core.timestamps import in_utc_by_default

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(?P<offset>[Zz]|[-+]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_SAMPLE = datetime(2026, 11, 23, tzinfo=UTC)
_YEAR_FIRST = "%Y-"


def parse_date(text: str, date_format: str = "") -> str:
    """Return a date as ``YYYY-MM-DD``.

    :param text: ISO 8601, or in the format; a time must be midnight
    :param date_format: directives of ``strptime``; "" = ISO 8601. With another format, ISO 8601 is read, too
    :raises ValueError: for anything else
    """
    moment = _parse(text, date_format, "date")
    if (moment.hour, moment.minute, moment.second) != (0, 0, 0):
        raise ValueError("has a time, but the field holds a date; give the date only")
    return moment.date().isoformat()


def parse_moment(text: str, date_format: str = "", time_zone: str = "UTC") -> str:
    """Return a moment as ``YYYY-MM-DDTHH:MM:SSZ``, in UTC.

    A local time that does not exist, or exists twice, because clocks are changed, is invalid: it would be a guess.

    :param text: ISO 8601, or in the format; a date without a time is midnight
    :param date_format: directives of ``strptime``; "" = ISO 8601. With another format, ISO 8601 is read, too
    :param time_zone: of a text without an offset
    :raises ValueError: for anything else
    """
    moment = _parse(text, date_format, "moment")
    try:
        in_utc = moment.astimezone(UTC) if moment.tzinfo else _localize(moment, _zone(time_zone))
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None
    return _to_text(in_utc)


def read_date(text: str) -> str:
    """Return a date of a server as ``YYYY-MM-DD``.

    :param text: such as "2026-03-01" or "2026-03-01 00:00:00"
    :raises ValueError: if it is malformed
    """
    return _parse(text, "", "date").date().isoformat()


def read_moment(text: str) -> str:
    """Return a moment of a server as ``YYYY-MM-DDTHH:MM:SSZ``.

    :param text: such as "2026-03-01 01:00:00", in UTC unless it has an offset
    :raises ValueError: if it is malformed
    :raises OverflowError: outside the years 1 to 9999
    """
    return _to_text(in_utc_by_default(_parse(text, "", "moment")).astimezone(UTC))


def check_format(date_format: str) -> None:
    """Check that a format names day, month and year, in directives of ``strptime``.

    :param date_format: such as "%d.%m.%Y"
    :raises ValueError: for anything else
    """
    try:
        is_complete = datetime.strptime(_SAMPLE.strftime(date_format), date_format).date() == _SAMPLE.date()
    except (ValueError, re.error):
        is_complete = False
    if not is_complete:
        raise ValueError(f"must name day, month and year, such as '%d.%m.%Y', not {date_format!r}")


def check_zone(time_zone: str) -> None:
    """Check the name of a time zone.

    :param time_zone: such as "Europe/Berlin"
    :raises ValueError: if there is no such zone
    """
    try:
        _zone(time_zone)
    except (OSError, KeyError, ValueError):  # all that `ZoneInfo` may raise
        raise ValueError(f"must be a time zone, such as 'Europe/Berlin', not {time_zone!r}") from None


def _parse(text: str, date_format: str, noun: str) -> datetime:
    stripped = text.strip()
    try:
        if date_format:
            return datetime.strptime(stripped, date_format)
    except ValueError:
        # cells of spreadsheets and databases are ISO 8601 in any case; a format that begins with the year may mean YDM
        if date_format.startswith(_YEAR_FIRST):
            raise ValueError(f"does not match the date_format {date_format}") from None
    return _parse_iso(stripped, date_format, noun)


def _parse_iso(text: str, date_format: str, noun: str) -> datetime:
    found = _ISO.fullmatch(text)
    try:
        if found:
            offset = (found["offset"] or "").upper()
            return datetime.fromisoformat(f"{found['date']}T{found['time'] or '00:00'}{offset}")
    except ValueError as error:
        raise ValueError(f"is not a {noun}; {error}") from None
    if date_format:
        raise ValueError(f"does not match the date_format {date_format}")
    raise ValueError(f"is not a {noun}; write it like {_EXAMPLES[noun]}, or give date_format, such as %d.%m.%Y")


_EXAMPLES = {"date": "2026-03-01", "moment": "2026-03-01T14:30:00Z"}


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _localize(local: datetime, zone: tzinfo) -> datetime:
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"does not exist in {zone}, where clocks are put forward; correct it, or give an offset")
    raise ValueError(f"exists twice in {zone}; give an offset: it is {_to_text(first)} or {_to_text(second)}")


def _to_text(in_utc: datetime) -> str:
    return f"{in_utc.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
