"""Dates in the syntax of Elasticsearch."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.assemblyline.dates import evaluate_date, parse_date, parse_interval


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.678Z||-1d/h", "2026-01-01T03:00:00Z"),
        ("2026-01-02||+1w/d", "2026-01-09T00:00:00Z"),
    ],
)
def test_date_math_adds_and_rounds(text, date):
    assert evaluate_date(text) == date


def test_now_is_the_current_time():
    assert 3599 < parse_date("now") - parse_date("now-1h") < 3601


def test_an_interval_is_converted_to_seconds():
    assert parse_interval("+2d") == 172_800


def test_an_unknown_unit_is_rejected():
    with pytest.raises(ValueError, match="now-1y"):
        parse_date("now-1y")
