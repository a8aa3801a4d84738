r"""The little of Lucene that the provider uses: ``*``, or clauses with AND between them.

A clause is ``field:"value"``, ``field:("a" OR "b")``, ``field:*`` (has any) or ``field:[now-1d TO *]`` (dates).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from self_hosted.sandbox.assemblyline.answers import Refusal

TERM = r'"(?:[^"\\]|\\.)*"|[^\s:"()\[\]\\]+'
MOMENT = r"\*|now(?:-\d+[smhd])?"
CLAUSE = rf"[\w.]+:(?:\[(?:{MOMENT}) TO (?:{MOMENT})\]|\((?:{TERM})(?:\s+OR\s+(?:{TERM}))*\)|{TERM})"
QUERY = re.compile(rf"{CLAUSE}(?:\s+AND\s+{CLAUSE})*")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WINDOW = 10_000


def search(documents: list[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Search documents: submissions newest first unless told otherwise.

    :param documents: all there are
    :param asked: query, offset, rows, fl, sort
    """
    if not asked.get("query"):
        raise Refusal(400, "There was no search query.")
    offset, rows = int(asked.get("offset", 0)), int(asked.get("rows", 25))
    if offset + rows > WINDOW:
        raise Refusal(400, "SearchException: Result window is too large, from + size must be less than or equal to")
    found = _sorted(_matching(documents, asked["query"]), asked.get("sort", "times.submitted desc"))
    items = [_fields(document, asked.get("fl")) for document in found[offset : offset + rows]]
    return {"items": items, "offset": offset, "rows": rows, "total": min(len(found), WINDOW)}


def moment(text: str) -> str:
    """A date of a query, as documents have it: ``now`` or ``now-1d``.

    :param text: the date
    """
    _, _, ago = text.partition("-")
    past = timedelta(**{UNITS[ago[-1]]: int(ago[:-1])}) if ago else timedelta()
    return (datetime.now(UTC) - past).isoformat().replace("+00:00", "Z")


def _matching(documents: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    if query == "*":
        return documents
    if not QUERY.fullmatch(query):
        raise Refusal(400, f"SearchException: Failed to parse query [{query}]")
    for clause in re.findall(CLAUSE, query):
        field, _, wanted = clause.partition(":")
        fits = _test(wanted)
        documents = [document for document in documents if any(map(fits, _values(document, field)))]
    return documents


def _test(wanted: str) -> Callable[[Any], bool]:
    """Whether a value is what a clause wants; made once for all documents."""
    if wanted == "*":
        return lambda value: True
    if wanted.startswith("["):
        first, last = (None if text == "*" else moment(text) for text in wanted[1:-1].split(" TO "))
        return lambda value: (first is None or value >= first) and (last is None or value <= last)
    terms = {_unquoted(term) for term in re.findall(TERM, wanted) if term != "OR"}
    return lambda value: str(value) in terms


def _unquoted(term: str) -> str:
    return re.sub(r"\\(.)", r"\1", term[1:-1]) if term.startswith('"') else term


def _sorted(documents: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    field, _, direction = order.partition(" ")
    return sorted(documents, key=lambda document: [*map(str, _values(document, field))], reverse=direction == "desc")


def _values(document: Mapping[str, Any], field: str) -> Iterator[Any]:
    """What a document has under a dotted name, for each member of lists; metadata keys may hold dots themselves."""
    name, _, rest = field.partition(".")
    value = document.get(field, document.get(name))
    if field in document or not rest:
        yield from value if isinstance(value, list) else [] if value is None else [value]
        return
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, Mapping):
            yield from _values(part, rest)


def _fields(document: dict[str, Any], names: str | None) -> dict[str, Any]:
    """The document, or those of its fields that are named and have a value."""
    if not names:
        return document
    found: dict[str, Any] = {}
    for name in names.split(","):
        top, _, rest = name.partition(".")
        value = document.get(top)
        if isinstance(value, list) and rest:
            found[top] = [_fields(part, rest) for part in value]
        elif isinstance(value, dict) and rest:
            found.setdefault(top, {}).update({rest: value[rest]} if value.get(rest) is not None else {})
        elif value is not None:
            found[top] = value
    return {name: value for name, value in found.items() if value != {}}
