"""The delimiter of a CSV file: the one that yields the expected columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from self_hosted.core.sync.readers.column_names import Names
from self_hosted.core.sync.readers.table import Place

CANDIDATES: Mapping[str, str] = {";": "';'", ",": "','", "\t": "'tab'", "|": "'|'"}


def choose_delimiter(place: Place, restart: Callable[[], Iterable[str]], expected: Collection[str]) -> str:
    """Return the delimiter of a file. Data are not looked at: a comma in a price would count as one.

    :param place: for messages
    :param restart: returns the lines from the header on
    :param expected: names of the key column and all mapped columns
    :raises ValueError: if none or several of ``; , tab |`` fit: naming them and the argument
    """
    headers = {delimiter: _read_header(restart(), delimiter, expected) for delimiter in CANDIDATES}
    if not any(headers.values()):
        return ","  # the file is empty, or its first quote is not closed
    matches = {delimiter: len(set(expected) & set(columns)) for delimiter, columns in headers.items()}
    most = max(matches.values())
    best = [delimiter for delimiter, count in matches.items() if count == most]
    split = [delimiter for delimiter in best if len(headers[delimiter]) > 1]
    if len(split) != 1:
        raise ValueError(
            f"source: the delimiter of {place.name} is not clear: its header may be split by any of "
            f"{', '.join(CANDIDATES[delimiter] for delimiter in split or CANDIDATES)}. Give delimiter"
        )
    return split[0]


def _read_header(lines: Iterable[str], delimiter: str, expected: Collection[str]) -> Sequence[str]:
    names = Names(expected)
    try:
        cells = next((record for record in csv.reader(lines, delimiter=delimiter, strict=True) if record), [])
    except csv.Error:
        return []
    return [names.find(cell) for cell in cells]
