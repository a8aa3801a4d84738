"""The little of Lucene that the provider uses: ``field:"value"``, ``field:("a" OR "b")`` and ``*``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.answers import Refusal

TERM = r'"(?:[^"\\]|\\.)*"|[^\s:"()\\]+'
QUERY = re.compile(rf"([\w.]+):(?:({TERM})|\(((?:{TERM})(?:\s+OR\s+(?:{TERM}))*)\))")
WINDOW = 10_000


def search(documents: list[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Search submissions, newest first unless told otherwise.

    :param documents: the submissions
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


def _matching(documents: list[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    if query == "*":
        return documents
    parsed = QUERY.fullmatch(query)
    if not parsed:
        raise Refusal(400, f"SearchException: Failed to parse query [{query}]")
    values = {_unquoted(term) for term in re.findall(TERM, parsed[2] or parsed[3]) if term != "OR"}
    return [document for document in documents if str(_value(document, parsed[1])) in values]


def _unquoted(term: str) -> str:
    return re.sub(r"\\(.)", r"\1", term[1:-1]) if term.startswith('"') else term


def _sorted(documents: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    field, _, direction = order.partition(" ")
    return sorted(documents, key=lambda document: str(_value(document, field)), reverse=direction == "desc")


def _value(document: Mapping[str, Any], field: str) -> Any:
    """A field by its dotted name; metadata keys may hold dots themselves."""
    value: Any = document
    for name in [field.split(".", 1)[0], *field.split(".", 1)[1:]]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _fields(document: dict[str, Any], names: str | None) -> dict[str, Any]:
    return {name: document[name] for name in names.split(",") if name in document} if names else document
