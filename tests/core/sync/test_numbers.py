"""Numbers: any notation becomes the number that it shows, or is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from self_hosted.core.sync.numbers import COMMA, POINT, normalize, parse_number, read_number

NBSP, NARROW = "\u00a0", "\u202f"
STYLES = {  # thousands separator and decimal mark
    "German": (".", COMMA),
    "English": (",", POINT),
    "Swiss": ("'", POINT),
    "Swiss typographic": ("\u2019", POINT),
    "French": (NARROW, COMMA),
    "blanks": (" ", COMMA),
    "protected blanks": (NBSP, COMMA),
    "plain": ("", POINT),
    "plain comma": ("", COMMA),
}


def write(number: Decimal, separator: str, mark: str) -> str:
    whole, _, fraction = f"{number:,f}".partition(".")
    return whole.replace(",", separator) + (mark + fraction if fraction else "")


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4),
    st.sampled_from(sorted(STYLES)),
)
def test_a_number_is_read_back_from_any_style(number, style):
    separator, mark = STYLES[style]
    assert parse_number(write(number, separator, mark), mark) == normalize(number)


@given(st.integers(min_value=-(10**300), max_value=10**300), st.sampled_from(sorted(STYLES)))
def test_whole_numbers_of_any_size_are_exact(number, style):
    separator, mark = STYLES[style]
    read = parse_number(write(Decimal(number), separator, mark) if separator else str(number), mark)
    assert (read, type(read)) == (number, int)


@given(st.text())
def test_any_text_is_a_number_or_refused(text):
    try:
        number = parse_number(text)
    except ValueError:
        return
    assert isinstance(number, int | float)
    assert not isinstance(number, bool)


@given(st.text(alphabet="0123456789.,' -+eE" + NBSP, max_size=12))
def test_a_text_without_a_mark_is_never_guessed(text):
    try:
        readings = set(read_number(text.strip()).values())
    except ValueError:
        readings = set()
    if len(readings) == 1:
        assert parse_number(text) in readings
    else:
        with pytest.raises(ValueError, match=r"is not a number|is ambiguous|is too large"):
            parse_number(text)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("4,5", ",", 4.5),
        ("4.5", ".", 4.5),
        ("1.234,50", ",", 1234.5),
        ("1,234.50", ".", 1234.5),
        ("1'234.50", ".", 1234.5),
        ("1 234,50", ",", 1234.5),
        ("12.345.678", ",", 12345678),
        ("12.345.678", "", 12345678),
        ("1.234,50", "", 1234.5),
        ("1.234", ".", 1.234),
        ("1.234", ",", 1234),
        ("0.123", "", 0.123),
        ("0,123", "", 0.123),
        ("1234.567", "", 1234.567),
        ("9007199254740993", "", 9007199254740993),
        ("9007199254740993.0", "", 9007199254740993),
        ("1E5", "", 100000),
        ("1.5e-3", ".", 0.0015),
        ("+7", "", 7),
        ("-7", "", -7),
        ("\u22127,5", ",", -7.5),
        (" 7 ", "", 7),
        (".5", "", 0.5),
        ("5,", "", 5),
        ("007", "", 7),
        ("1e-400", "", 0),
        ("0E999", "", 0),
    ],
)
def test_notations(text, decimal, number):
    read = parse_number(text, decimal)
    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        *((text, "") for text in ("", "x", "nan", "inf", "-", ".", "1_000", "0x10", "12,34,567", "1.2.3", "1,2,3")),
        *(
            (text, "")
            for text in ("4,50 \u20ac", "1e", "1.234.56", "\u0661", "1 2", "1.234 567", "- 7", "1e9999999999")
        ),
        *(("4.5", ","), ("4,5", "."), ("0.123", ","), ("1.234E5", ",")),
    ],
)
def test_other_texts_are_refused(text, decimal):
    with pytest.raises(ValueError, match="is not a number"):
        parse_number(text, decimal)


def test_the_error_shows_the_expected_notation():
    with pytest.raises(ValueError, match=r"^is not a number; write it like 1234,5$"):
        parse_number("4.5", ",")


def test_an_ambiguous_number_is_refused():
    with pytest.raises(ValueError, match="is ambiguous; give decimal"):
        parse_number("1.234")


@pytest.mark.parametrize("text", ["9" * 309, "1" * 309 + ",5", "1e308", "1e999999999", "1.0e400"])
def test_a_number_that_no_product_can_store_is_refused(text):
    with pytest.raises(ValueError, match="is too large"):
        parse_number(text)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(5.0, 5), (5.5, 5.5), (-0.0, 0), (2**60, 2**60), (1e22, 10**22), (Decimal("12.50"), 12.5)],
)
def test_the_canonical_form_of_a_whole_number_is_an_int(number, expected):
    normal = normalize(number)
    assert (normal, type(normal)) == (expected, type(expected))


def test_a_decimal_beyond_the_precision_of_a_float_that_becomes_whole_is_an_int():
    assert type(normalize(Decimal("9007199254740993.5"))) is int


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("nan"), Decimal("-inf")])
def test_nan_and_infinity_are_refused(number):
    with pytest.raises(ValueError, match="is not a finite number"):
        normalize(number)


@pytest.mark.parametrize("number", [10**308, -(10**308), 1e308, Decimal("1e308")])
def test_numbers_that_are_too_large_are_refused(number):
    with pytest.raises(ValueError, match="is too large"):
        normalize(number)
