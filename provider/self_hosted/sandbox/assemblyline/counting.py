"""Searches that count what they find instead of listing it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.dates import iso, span, timestamp
from self_hosted.sandbox.assemblyline.fields import NUMBERS, values
from self_hosted.sandbox.assemblyline.indexes import ORDERS
from self_hosted.sandbox.assemblyline.search import Index, matching, ordered, shown, window

ALL = "id:*"
MOST_FACETS, FACETS, MOST_STEPS = 100, 10, 100
TEXTS_LIMIT = "Could not parse histogram ranges."


def facet(index: Index, field: str, asked: Mapping[str, Any]) -> dict[str, int]:
    """How many documents have each of the values, the most frequent first.

    :param index: where to look
    :param field: whose values
    :param asked: query, filters, mincount, size
    """
    _known(index, field)
    counts = Counter(
        value for one in matching(index, asked, ALL) for value in {_key(found) for found in values(one, field)}
    )
    size, least = min(int(asked.get("size", FACETS)), MOST_FACETS), int(asked.get("mincount", 1))
    frequent = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return dict([pair for pair in frequent if pair[1] >= least][:size])


def stats(index: Index, field: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Count, least, greatest, average and sum of numbers.

    :param index: where to look
    :param field: of numbers
    :param asked: query, filters
    """
    if _known(index, field) not in NUMBERS:
        raise Refusal(400, f"Field '{field}' is not a numeric field.")
    numbers = [float(value) for one in matching(index, asked, ALL) for value in values(one, field)]
    return {
        "count": len(numbers),
        "min": min(numbers, default=None),
        "max": max(numbers, default=None),
        "avg": sum(numbers) / len(numbers) if numbers else None,
        "sum": sum(numbers),
    }


def histogram(index: Index, field: str, asked: Mapping[str, Any]) -> dict[Any, int]:
    """How many documents there are in each step of numbers or dates.

    :param index: where to look
    :param field: of whole numbers or dates
    :param asked: query, filters, mincount, start, end, gap
    """
    kind = _known(index, field)
    if kind not in {"integer", "date"}:
        words = f"Field '{field}' is of type '{kind}'. Only 'integer' or 'date' are acceptable."
        raise Refusal(400, words)
    dated = kind == "date"
    start, end, gap = (
        asked.get("start", "now-1d" if dated else 0),
        asked.get("end", "now" if dated else 2000),
        asked.get("gap", "+1h" if dated else 100),
    )
    first, last, step = _range(start, end, gap, dated=dated)
    within = {**asked, "filters": [*_texts(asked.get("filters")), f"{field}:[{start} TO {end}]"]}
    counts: Counter[float] = Counter(
        {at: 0 for at in _steps(first, last, step)} if int(asked.get("mincount", 1)) == 0 else {}
    )
    for one in matching(index, within, ALL):
        number = timestamp if dated else float
        counts.update({_step(number(value), step) for value in values(one, field)})
    return {_shown_step(at, dated=dated): counts[at] for at in sorted(counts)}


def grouped(index: Index, field: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Documents by the value of a field, the first few of each.

    :param index: where to look
    :param field: by whose value
    :param asked: query, filters, offset, rows, sort, fl, limit, group_sort
    """
    offset, rows = window(asked)
    within = {**asked, "filters": [*_texts(asked.get("filters")), f"{field}:*"]}
    found = matching(index, within, ALL)
    groups: dict[Any, list[dict[str, Any]]] = {}
    for one in ordered(index, found, asked.get("sort") or ORDERS[index.name]):
        groups.setdefault(next(values(one, field)), []).append(one)
    limit, order = int(asked.get("limit", 1)), asked.get("group_sort") or "id asc"
    items = [
        {
            "items": [shown(index, one, asked.get("fl")) for one in ordered(index, members, order)[:limit]],
            "total": len(members),
            "value": value,
        }
        for value, members in list(groups.items())[offset : offset + rows]
    ]
    return {"items": items, "offset": offset, "rows": rows, "total": len(found)}


def _known(index: Index, field: str) -> str:
    if field not in index.fields:
        raise Refusal(400, f"Field '{field}' is not a valid field in index: {index.name}")
    return index.fields[field].kind


def _key(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _texts(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given or [])


def _range(start: Any, end: Any, gap: Any, *, dated: bool) -> tuple[float, float, float]:
    try:
        if dated:
            first, last, step = timestamp(str(start)), timestamp(str(end)), span(str(gap))
        else:
            first, last, step = float(start), float(end), float(gap)
    except ValueError:
        raise Refusal(400, f"SearchException: {TEXTS_LIMIT} (start='{start}', end='{end}', gap='{gap}')") from None
    steps = int((last - first) / step)
    if steps > MOST_STEPS:
        words = f"Histograms are limited to a maximum of {MOST_STEPS} steps."
        raise Refusal(400, f"SearchException: {words} Current settings would generate {steps} steps")
    return first, last, step


def _step(number: float, step: float) -> float:
    return math.floor(number / step) * step


def _steps(first: float, last: float, step: float) -> list[float]:
    at, found = _step(first, step), []
    while at <= last:
        found.append(at)
        at += step
    return found


def _shown_step(at: float, *, dated: bool) -> Any:
    return iso(at).replace("Z", ".000Z") if dated else int(at)
