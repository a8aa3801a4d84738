"""What a search finds of documents: which fit, in which order, and which of their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.comparing import Unparsable, comparable
from self_hosted.sandbox.assemblyline.fields import Field, fields_of, known_fields, picked, values
from self_hosted.sandbox.assemblyline.indexes import IDS, ORDERS
from self_hosted.sandbox.assemblyline.lucene import compiled

Documents = list[dict[str, Any]]
WINDOW, ROWS = 10_000, 25


class Index(NamedTuple):
    """An index, with all that is in it.

    :param name: its name
    :param documents: each has an ``id``
    :param fields: by name
    """

    name: str
    documents: Documents
    fields: Mapping[str, Field]


def index_of(name: str, documents: Sequence[Mapping[str, Any]], *, whole: bool = False) -> Index:
    """An index.

    :param name: its name
    :param documents: what is in it
    :param whole: with the fields that only its documents tell, which takes time
    """
    known = IDS.get(name, "id")
    fields = known_fields(name)
    if whole or not fields:
        fields = fields_of(name, documents)
    return Index(name, [{"id": one.get(known), **one} for one in documents], fields)


def search(
    documents: Sequence[Mapping[str, Any]], asked: Mapping[str, Any], name: str = "submission"
) -> dict[str, Any]:
    """Search documents: submissions newest first unless told otherwise.

    :param documents: all there are
    :param asked: query, filters, offset, rows, fl, sort, track_total_hits
    :param name: the index that they are in
    """
    index = index_of(name, documents)
    found = found_in(index, asked)
    offset, rows = window(asked)
    return {
        "items": [shown(index, one, asked.get("fl")) for one in found[offset : offset + rows]],
        "offset": offset,
        "rows": rows,
        "total": _counted(len(found), asked.get("track_total_hits")),
    }


def found_in(index: Index, asked: Mapping[str, Any]) -> Documents:
    """All that a search finds, in its order.

    :param index: where to look
    :param asked: query, filters, sort
    """
    return ordered(index, matching(index, asked), asked.get("sort") or ORDERS.get(index.name, "id asc"))


def window(asked: Mapping[str, Any]) -> tuple[int, int]:
    """Offset and number of rows of what is answered with.

    :param asked: offset, rows
    """
    try:
        offset, rows = int(asked.get("offset") or 0), int(asked.get("rows", ROWS))
    except (TypeError, ValueError):
        raise Refusal(400, "SearchException: failed to parse [size] or [from]") from None
    if offset < 0 or rows < 0:
        raise Refusal(400, "SearchException: [size] and [from] cannot be negative")
    if offset + rows > WINDOW:
        words = "Result window is too large, from + size must be less than or equal to"
        raise Refusal(400, f"SearchException: {words}: [{WINDOW}] but was [{offset + rows}]")
    return offset, rows


def matching(index: Index, asked: Mapping[str, Any], query: str = "") -> Documents:
    """The documents that a query and all filters find.

    :param index: where to look
    :param asked: query, filters
    :param query: what is looked for where nothing is asked for
    """
    wanted = asked.get("query") or query
    if not wanted:
        raise Refusal(400, "There was no search query.")
    filters = asked.get("filters") or []
    tests = [_test(text, index.fields) for text in (wanted, *([filters] if isinstance(filters, str) else filters))]
    try:
        return [one for one in index.documents if all(test(one) for test in tests)]
    except Unparsable:
        raise _unparsable(wanted) from None


def _test(query: str, fields: Mapping[str, Field]) -> Any:
    try:
        return compiled(query, fields)
    except Unparsable:
        raise _unparsable(query) from None


def _unparsable(query: str) -> Refusal:
    return Refusal(400, f"SearchException: Failed to parse query [{query}]")


def ordered(index: Index, documents: Documents, order: str) -> Documents:
    """Documents in an order; those without a value come last.

    :param index: where they are
    :param documents: what was found
    :param order: ``field asc, other desc``
    """
    found = list(documents)
    for part in reversed(order.split(",")):
        field, _, direction = part.strip().partition(" ")
        if direction not in {"asc", "desc"}:
            raise Refusal(400, f"SearchException: Unknown sort parameter {part.strip()}")
        kind = index.fields[field].kind if field in index.fields else "keyword"
        found = _sorted(found, field, kind, descending=direction == "desc")
    return found


def _sorted(documents: Documents, field: str, kind: str, *, descending: bool) -> Documents:
    best = max if descending else min
    keyed = [([comparable(value, kind) for value in values(one, field)], one) for one in documents]
    with_value = sorted(((best(has), one) for has, one in keyed if has), key=lambda pair: pair[0], reverse=descending)
    return [one for _, one in with_value] + [one for has, one in keyed if not has]


def shown(index: Index, document: dict[str, Any], names: str | None) -> dict[str, Any]:
    """What is answered of a document: the fields that are named, or else those that the index stores.

    :param index: where it is
    :param document: what was found
    :param names: names of fields, with commas between them
    """
    if names == "*":
        return document
    stored = ["id", *(name for name, field in index.fields.items() if field.stored)]
    return picked(document, names.split(",") if names else stored)


def _counted(found: int, track: Any) -> int:
    if str(track).lower() == "true":
        return found
    return min(found, int(track) if str(track).isdigit() else WINDOW)
