"""The forms in which servers repeat a secret: quoted for URLs, JSON, HTML or Python, once or twice, or in Base64.

A pattern of regular expressions covers all forms of a character, so that they can be mixed. No pattern has a repetition
without a limit: the time to search a text is proportional to its length.
"""

from __future__ import annotations

import base64
import html.entities
import itertools
import json
import re
from collections.abc import Iterator

MIN_SECRET_CHARACTERS = 4  # a shorter text occurs in too many words
BACKSLASH = r"(?:\\|%(?:25){0,3}5[Cc])"
BACKSLASHES = f"{BACKSLASH}{{0,7}}"  # JSON in JSON in JSON
PADDING = "(?:=|%3[Dd]){0,2}"
BASE64_SYMBOLS = {"+": "-", "/": "_"}  # in URLs
# of a text that begins after none, one or two other bytes of a group of three: the digits that depend on these bytes
DEPENDENT_DIGITS = (0, 2, 3)


def find_secret_patterns(value: str) -> set[str]:
    """Return regular expressions that match the forms of a secret.

    :param value: the secret; a header such as "Basic dXNlcjpwYXNz" also without its first word
    """
    values = {value, value.rpartition(" ")[2]}
    return {pattern for text in values if len(text) >= MIN_SECRET_CHARACTERS for pattern in _find_patterns(text)}


def _find_patterns(value: str) -> Iterator[str]:
    yield "".join(_match_run(character, len([*run])) for character, run in itertools.groupby(value))
    for text in {value, json.dumps(value)[1:-1]}:
        yield from _find_base64_patterns(text.encode("utf-8", "replace"))


def _find_base64_patterns(data: bytes) -> Iterator[str]:
    yield "".join(map(_match_digit, base64.b64encode(data).decode().rstrip("="))) + PADDING
    for offset in range(3):
        yield "".join(map(_match_digit, _encode_within(data, offset)))


def _match_run(character: str, length: int) -> str:
    if character != "\\":
        return _match_character(character) * length
    # one repetition for all: several ones in a row could divide a text among them in many ways
    # without the first two forms, which BACKSLASH covers: each text must match in one way only
    forms = "|".join([BACKSLASH, *itertools.islice(_list_forms(character), 2, None)])
    return f"(?:{forms}){{{length},{8 * length}}}"


def _encode_within(value: bytes, offset: int) -> str:
    """Return the Base64 digits of a part of a longer text that depend on nothing but the part.

    :param offset: number of bytes before it, in a group of three
    """
    encoded = base64.b64encode(bytes(offset) + value).decode()
    is_complete = (offset + len(value)) % 3 == 0
    return encoded[DEPENDENT_DIGITS[offset] :] if is_complete else encoded.rstrip("=")[DEPENDENT_DIGITS[offset] : -1]


def _match_digit(digit: str) -> str:
    other = BASE64_SYMBOLS.get(digit)
    return f"(?:{_match_character(digit)}|{other})" if other else digit


def _match_character(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"{BACKSLASHES}(?:{'|'.join(_list_forms(character))})"


def _list_forms(character: str) -> Iterator[str]:
    """Yield regular expressions of the forms of a character that is neither an ASCII letter nor a digit."""
    number = ord(character)
    yield re.escape(character)
    yield "".join(f"%(?:25){{0,3}}{_match_hex(f'{byte:02x}')}" for byte in character.encode("utf-8", "replace"))
    if character == " ":
        yield r"\+"
    if not character.isascii():
        yield re.escape(character.encode("utf-8", "replace").decode("latin-1"))  # read in another encoding
    yield f"{BACKSLASH}{{1,8}}".join(f"u{_match_hex(unit)}" for unit in _list_utf16_units(character))
    if number < 256:
        yield f"x{_match_hex(f'{number:02x}')}"
    yield f"&#0{{0,4}}{number};"
    yield f"&#[xX]0{{0,4}}{_match_hex(f'{number:x}')};"
    if number in html.entities.codepoint2name:
        yield f"&(?:amp;)?{html.entities.codepoint2name[number]};"


def _list_utf16_units(character: str) -> list[str]:
    digits = character.encode("utf-16-be", "replace").hex()
    return [digits[start : start + 4] for start in range(0, len(digits), 4)]


def _match_hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
