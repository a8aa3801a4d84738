"""Timestamps of arguments and of responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from self_hosted.core.timestamps import parse_timestamp, read_timestamp

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T12:00:00Z",
        " 2026-11-24 12:00:00 ",
        "2026-11-24T13:00:00+01:00",
        NOON,
        NOON.replace(tzinfo=None),
        NOON.astimezone(timezone(timedelta(hours=1))),
    ],
    ids=str,
)
def test_a_timestamp_is_in_utc_unless_it_has_another_time_zone(value):
    parsed = parse_timestamp("since", value)
    assert parsed == NOON
    assert parsed.tzinfo is not None


@pytest.mark.parametrize("value", [None, "", "None", "yesterday", 5, "2026-13-01"])
def test_an_invalid_timestamp_is_rejected(value):
    with pytest.raises(ValueError, match="since must be a timestamp in ISO 8601, such as '2026-11-24T18:00:00Z', not "):
        parse_timestamp("since", value)


@pytest.mark.parametrize("value", ["2026-11-24T12:00:00", NOON.replace(tzinfo=None)], ids=str)
def test_a_time_zone_may_be_required(value):
    assert parse_timestamp("since", NOON, needs_timezone=True) == NOON
    with pytest.raises(ValueError, match="since must be a timestamp with a time zone in ISO 8601"):
        parse_timestamp("since", value, needs_timezone=True)


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000000", "2026-11-24T13:00:00+01:00"])
def test_timestamps_of_products_are_read(text):
    assert read_timestamp(text) == NOON
