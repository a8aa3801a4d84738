"""Keys that people take for the same, although products do not: "W-1" and "w-1 ", 123 and "00123".

For detection only: no key is changed, sent or matched in this form.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_NEAR = """
SELECT fold, n, line, key FROM rows
WHERE fold IN (SELECT fold FROM rows WHERE fold IS NOT NULL GROUP BY fold HAVING count(*) > 1)
    AND verdict IS NOT 'skipped'
ORDER BY fold, n
"""
_NUMBER = re.compile(r"0*(\d+?)(?:[.,]0+)?", re.ASCII)


def fold(key: str) -> str:
    """Return a text that near keys have in common.

    They may differ in blanks, case, kinds of dashes, Unicode forms, invisible characters, and numbers also in leading
    zeros and ``.0``. 1.10 and 1.1 are not near: versions differ.

    :param key: the key
    """
    if key.isascii() and key.isprintable():  # most keys; the result is the same
        return _strip_zeros(key.lower().replace(" ", ""))
    plain = unicodedata.normalize("NFKC", _DASHES.sub("-", key))
    visible = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return _strip_zeros(unicodedata.normalize("NFKC", "".join(visible.casefold().split())))


def _strip_zeros(text: str) -> str:
    found = _NUMBER.fullmatch(text)
    return found[1] if found else text


def hash_folded(key: str) -> int:
    """Return 64 bits that near keys have in common, as a signed integer of SQLite.

    :param key: the key
    """
    return int.from_bytes(blake2b(fold(key).encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


class KeyOfRow(NamedTuple):
    """A key of the source.

    :param number: of its row
    :param line: of its row
    :param key: the key
    """

    number: int
    line: int
    key: str


def list_near_groups(connection: sqlite3.Connection) -> Iterator[list[KeyOfRow]]:
    """Yield the rows of each group of near keys that are not equal; equal keys are duplicates.

    :param connection: of the workspace, whose table ``rows`` is complete
    """
    for _, found in groupby(connection.execute(_NEAR), itemgetter(0)):
        by_text = defaultdict[str, list[KeyOfRow]](list)
        for _, *row in found:
            by_text[fold(row[-1])].append(KeyOfRow(*row))
        yield from (group for group in by_text.values() if len({each.key for each in group}) > 1)


def find_near(connection: sqlite3.Connection, key: str) -> list[KeyOfRow]:
    """Return the rows whose keys are near a key of the target, but not equal.

    :param connection: of the workspace, whose table ``rows`` is complete
    :param key: the key
    """
    found = connection.execute("SELECT n, line, key FROM rows WHERE fold = ? AND key != ?", (hash_folded(key), key))
    folded = fold(key)
    return [KeyOfRow(*row) for row in found if fold(row[-1]) == folded]
