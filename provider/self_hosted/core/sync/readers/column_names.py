"""Names of columns: normalized, in the spelling that the sync expects, and none missing."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.readers.table import Place

MAX_SHOWN_COLUMNS = 20


def normalize_column(name: Any) -> str:
    """Return the name of a column without line breaks, double, leading and trailing blanks; NBSP is a blank, too.

    :param name: as the source has it; None = no name
    """
    text = "" if name is None else str(name).replace("\ufeff", "").replace("\u200b", "")
    return " ".join(unicodedata.normalize("NFC", text).split())


class Names:
    """Finds the name of a column: the spelling that the sync expects, if only blanks or accents' encoding differ.

    :param expected: the names that the declarations use
    """

    def __init__(self, expected: Collection[str]) -> None:
        self._expected = {normalize_column(name): name for name in expected}

    def find(self, name: Any) -> str:
        """Return the name of a column; "" if it has none.

        :param name: as the source has it
        """
        normalized = normalize_column(name)
        return self._expected.get(normalized, normalized)


def check_columns(place: Place, columns: Sequence[str], expected: Collection[str]) -> None:
    """Check that a source has the columns that the sync needs.

    :param place: where the rows are
    :param columns: its columns
    :param expected: names of the key column and all mapped columns
    :raises ValueError: naming the missing ones, and similar ones
    """
    missing = [name for name in expected if name not in columns]
    if missing:
        names = ", ".join(map(repr, missing[:MAX_SHOWN_COLUMNS]))
        similar = _find_similar(missing, columns)
        hint = f"; similar: {', '.join(map(repr, similar))}" if similar else ""
        raise ValueError(f"source: {place.name} has no column {names}{hint}. It has {list_names(columns)}")


def _find_similar(missing: Sequence[str], columns: Sequence[str]) -> list[str]:
    folded = {name.casefold(): name for name in columns}
    close = (difflib.get_close_matches(name.casefold(), folded, n=1) for name in missing[:MAX_SHOWN_COLUMNS])
    return [folded[found] for names in close for found in names]


def list_names(columns: Sequence[str]) -> str:
    """Return the names of columns for a message, up to 20 of them.

    :param columns: the names
    """
    more = f" and {len(columns) - MAX_SHOWN_COLUMNS} more" if len(columns) > MAX_SHOWN_COLUMNS else ""
    return (", ".join(map(shorten, columns[:MAX_SHOWN_COLUMNS])) or "none") + more
