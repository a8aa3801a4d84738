"""The header Retry-After."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from self_hosted.core.http.retry_after import parse_retry_after

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 12:00:09 -0000", 9.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Jan 2026 12:00:09 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_malformed_values_are_ignored(header, seconds):
    assert parse_retry_after(header, NOON) == seconds


def test_retry_after_as_a_date_is_relative_to_now():
    assert parse_retry_after("Wed, 01 Jan 2020 00:00:00 GMT") == 0
    assert parse_retry_after("Wed, 01 Jan 2200 00:00:00 GMT") == 24 * 3600


@pytest.mark.parametrize("header", ["90000", "1e9", "1700000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_is_a_day_at_most(header):
    assert parse_retry_after(header) == 24 * 3600


@pytest.mark.parametrize("header", ["Mon, 01 Jan 0001 00:00:00 +2359", "1 Jan 1 0:0:0 +99999999999", "nan", "x" * 9999])
def test_a_retry_after_that_is_no_time_is_ignored_or_has_passed(header):
    assert not parse_retry_after(header)
