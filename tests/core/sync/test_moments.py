"""Dates and moments: read in ISO 8601 or in a given format, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync.moments import check_format, check_zone, parse_date, parse_moment, read_date, read_moment

BERLIN = "Europe/Berlin"
GERMAN = "%d.%m.%Y"


class TestDates:
    @pytest.mark.parametrize(
        ("text", "date_format", "date"),
        [
            ("2026-03-01", "", "2026-03-01"),
            (" 2026-03-01 ", "", "2026-03-01"),
            ("2026-03-01T00:00:00", "", "2026-03-01"),  # a cell of a spreadsheet
            ("2026-03-01 00:00", "", "2026-03-01"),
            ("2026-03-01T00:00:00+02:00", "", "2026-03-01"),  # as it is written
            ("01.03.2026", GERMAN, "2026-03-01"),
            ("1.3.2026", GERMAN, "2026-03-01"),
            ("2026-03-01", GERMAN, "2026-03-01"),  # a date of a spreadsheet, in a column with texts
            ("03/01/26", "%m/%d/%y", "2026-03-01"),
            ("0999-12-31", "", "0999-12-31"),
            ("2026-01-03", "%Y-%d-%m", "2026-03-01"),
        ],
    )
    def test_a_date_is_read(self, text, date_format, date):
        assert parse_date(text, date_format) == date

    @pytest.mark.parametrize("text", ["01.03.2026", "3/1/2026", "20260301", "2026-W09-7", "2026-3-1", "x", ""])
    def test_a_date_in_another_format_is_refused(self, text):
        with pytest.raises(ValueError, match=r"is not a date; write it like 2026-03-01, or give date_format"):
            parse_date(text)

    def test_a_day_that_does_not_exist_is_refused(self):
        with pytest.raises(ValueError, match="is not a date; day is out of range"):
            parse_date("2026-02-30")

    @pytest.mark.parametrize(("text", "date_format"), [("03/01/2026", GERMAN), ("2026-03-13", "%Y-%d-%m")])
    def test_a_text_that_contradicts_the_format_is_refused(self, text, date_format):
        with pytest.raises(ValueError, match=f"does not match the date_format {date_format}"):
            parse_date(text, date_format)

    def test_a_time_is_not_dropped_from_a_date(self):
        with pytest.raises(ValueError, match="has a time"):
            parse_date("2026-03-01T14:30:00")


class TestMoments:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-03-01T14:30:00Z", "2026-03-01T14:30:00Z"),
            ("2026-03-01t14:30:00z", "2026-03-01T14:30:00Z"),
            ("2026-03-01 14:30", "2026-03-01T14:30:00Z"),
            ("2026-03-01T01:00:00+02:00", "2026-02-28T23:00:00Z"),
            ("2026-03-01T01:00:00 +0200", "2026-02-28T23:00:00Z"),
            ("2026-03-01T01:00:00-03", "2026-03-01T04:00:00Z"),
            ("2026-03-01T14:30:00.999999", "2026-03-01T14:30:00Z"),
            ("2026-03-01T14:30:00,123456789Z", "2026-03-01T14:30:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
        ],
    )
    def test_iso_8601_becomes_utc(self, text, moment):
        assert parse_moment(text) == moment

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-03-01 14:30:00", "2026-03-01T13:30:00Z"),
            ("2026-07-01 14:30:00", "2026-07-01T12:30:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("2026-07-01 14:30:00Z", "2026-07-01T14:30:00Z"),
        ],
    )
    def test_a_time_without_an_offset_is_in_the_given_zone(self, text, moment):
        assert parse_moment(text, time_zone=BERLIN) == moment

    @pytest.mark.parametrize(
        ("text", "date_format", "moment"),
        [
            ("01.03.2026 14:30", "%d.%m.%Y %H:%M", "2026-03-01T13:30:00Z"),
            ("01.03.2026", GERMAN, "2026-02-28T23:00:00Z"),
            ("01.03.2026 14:30 +0000", "%d.%m.%Y %H:%M %z", "2026-03-01T14:30:00Z"),
        ],
    )
    def test_a_format_is_used(self, text, date_format, moment):
        assert parse_moment(text, date_format, BERLIN) == moment

    def test_a_german_date_without_a_format_is_refused(self):
        with pytest.raises(ValueError, match=r"is not a moment; .*give date_format"):
            parse_moment("01.03.2026")

    def test_a_local_time_that_exists_twice_is_refused_with_both_moments(self):
        with pytest.raises(
            ValueError,
            match="exists twice in Europe/Berlin; give an offset: it is 2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z",
        ):
            parse_moment("2026-10-25 02:30", time_zone=BERLIN)

    def test_a_local_time_that_does_not_exist_is_refused(self):
        with pytest.raises(ValueError, match="does not exist in Europe/Berlin"):
            parse_moment("2026-03-29 02:30", time_zone=BERLIN)

    def test_an_offset_decides_a_local_time_that_exists_twice(self):
        assert parse_moment("2026-10-25 02:30+02:00", time_zone=BERLIN) == "2026-10-25T00:30:00Z"

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
    def test_a_moment_outside_the_calendar_is_refused(self, text):
        with pytest.raises(ValueError, match="is outside the years 1 to 9999"):
            parse_moment(text)

    @given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2090, 1, 1)), st.integers(-840, 840))
    def test_the_same_moment_in_any_offset_has_one_form(self, naive, minutes):
        moment = naive.replace(tzinfo=UTC)
        elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
        assert parse_moment(elsewhere.isoformat()) == parse_moment(moment.isoformat()) == read_moment(str(naive))

    @given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2037, 1, 1)))
    def test_a_local_time_is_converted_exactly_or_refused(self, naive):
        local = naive.replace(microsecond=0)
        try:
            moment = datetime.fromisoformat(parse_moment(local.isoformat(), time_zone=BERLIN))
        except ValueError:
            folds = [local.replace(tzinfo=ZoneInfo(BERLIN), fold=fold).astimezone(UTC) for fold in (0, 1)]
            assert folds[0] != folds[1]
        else:
            assert moment.astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None) == local


class TestStored:
    def test_a_moment_of_a_server_is_in_utc(self):
        assert read_moment("2026-03-01 01:00:00") == "2026-03-01T01:00:00Z"
        assert read_moment("2026-03-01T01:00:00+02:00") == "2026-02-28T23:00:00Z"

    def test_a_date_of_a_server_is_read_without_its_time(self):
        assert read_date("2026-03-01 12:00:00") == "2026-03-01"

    def test_a_malformed_one_is_refused(self):
        with pytest.raises(ValueError, match="is not a moment"):
            read_moment("0000-00-00 00:00:00")


class TestArguments:
    @pytest.mark.parametrize("date_format", [GERMAN, "%m/%d/%y", "%Y-%m-%dT%H:%M:%S", "%d. %B %Y", "%Y%j"])
    def test_a_format_that_names_day_month_and_year_is_accepted(self, date_format):
        check_format(date_format)

    @pytest.mark.parametrize("date_format", ["%d.%m.", "%H:%M", "dd.mm.yyyy", "%Q", "%", "%d.%m.%Y %m"])
    def test_another_one_is_refused(self, date_format):
        with pytest.raises(ValueError, match="must name day, month and year"):
            check_format(date_format)

    @pytest.mark.parametrize("zone", ["UTC", BERLIN])
    def test_a_zone_is_accepted(self, zone):
        check_zone(zone)

    @pytest.mark.parametrize("zone", ["Berlin", "../etc/passwd", "", "/etc/passwd", "Europe", "a\0b"])
    def test_an_unknown_zone_is_refused(self, zone):
        with pytest.raises(ValueError, match="must be a time zone"):
            check_zone(zone)
