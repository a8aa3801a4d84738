"""Numbers as people and programs write them: with decimal point or comma, thousands separators, or an exponent.

The canonical form of a whole number is an int, exact at any size; of any other number a float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite

POINT = "."
COMMA = ","
MARKS = (POINT, COMMA)
MAX_DIGITS = 308  # before the decimal mark: a float cannot hold more

_SPACES = " \u00a0\u2007\u2009\u202f"
_APOSTROPHES = "'\u2019"
_SIGNS = "-+\u2212"
_NEGATIVE = {"-", "\u2212"}


def _compile(mark: str, other: str) -> re.Pattern[str]:
    fraction = rf"(?:\{mark}(?P<{{name}}>\d*))?"
    # groups begin with 1 to 9, because 0.123 and 0,123 are fractions
    grouped = rf"[1-9]\d{{0,2}}(?P<separator>[{other}{_APOSTROPHES}{_SPACES}])\d{{3}}(?:(?P=separator)\d{{3}})*"
    plain = rf"(?=\{mark}?\d)(?P<whole>\d*)"
    return re.compile(
        rf"(?P<sign>[{_SIGNS}]?)"
        rf"(?:(?P<grouped>{grouped}){fraction.format(name='grouped_fraction')}"
        rf"|{plain}{fraction.format(name='fraction')}(?:[eE](?P<exponent>[-+]?\d{{1,9}}))?)",
        re.ASCII,
    )


_PATTERNS: Mapping[str, re.Pattern[str]] = {POINT: _compile(POINT, COMMA), COMMA: _compile(COMMA, POINT)}


def parse_number(text: str, decimal: str = "") -> int | float:
    """Return the number that a text shows.

    :param text: such as "1234.5", "1.234,50", "1'234.50", "1 234,50" or "1E5"
    :param decimal: the decimal mark; "" = any, if the text has the same meaning with both
    :raises ValueError: if it shows no number, one that is too large, or two numbers, depending on the mark
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= MAX_DIGITS:
        return int(stripped)
    readings = read_number(stripped, decimal or MARKS)
    if not readings:
        raise ValueError(f"is not a number; write it like {_EXAMPLES[decimal]}")
    if len(set(readings.values())) > 1:
        raise ValueError("is ambiguous; give decimal, the decimal mark: '.' or ','")
    return next(iter(readings.values()))


_EXAMPLES: Mapping[str, str] = {POINT: "1234.5", COMMA: "1234,5", "": "1234.5 or 1234,5"}


def read_number(text: str, marks: str | tuple[str, ...] = MARKS) -> dict[str, int | float]:
    """Return the number that a text shows with each decimal mark; marks with which it shows none are absent.

    :param text: without surrounding blanks
    :param marks: the decimal marks
    :raises ValueError: if a number is too large
    """
    matches = {mark: _PATTERNS[mark].fullmatch(text) for mark in marks}
    return {mark: _to_number(match) for mark, match in matches.items() if match}


def _to_number(match: re.Match[str]) -> int | float:
    found = match.groupdict(default="")
    whole = found["grouped"].replace(found["separator"], "") or found["whole"]
    sign = "-" if found["sign"] in _NEGATIVE else ""
    fraction = found["grouped_fraction"] or found["fraction"]
    return normalize(Decimal(f"{sign}{whole or 0}.{fraction}E{found['exponent'] or 0}"))


def normalize(number: float | Decimal) -> int | float:
    """Return the canonical form of a number.

    :param number: any
    :raises ValueError: for NaN, infinity, and numbers that are too large
    """
    if not (number.is_finite() if isinstance(number, Decimal) else isinstance(number, int) or isfinite(number)):
        raise ValueError("is not a finite number; leave the cell empty")
    if number and ((number.adjusted() >= MAX_DIGITS) if isinstance(number, Decimal) else abs(number) >= _LIMIT):
        raise ValueError(f"is too large; numbers have at most {MAX_DIGITS} digits")
    whole = int(number)
    return whole if whole == number else _to_float(number)


_LIMIT = 10**MAX_DIGITS


def _to_float(number: float | Decimal) -> int | float:
    """Return the nearest float; beyond 2**53 it is a whole number."""
    nearest = float(number)
    return int(nearest) if nearest.is_integer() else nearest
