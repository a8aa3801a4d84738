"""Facets, statistics and groups of search results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.search.documents import get_values
from self_hosted.sandbox.assemblyline.search.engine import (
    MATCH_ALL,
    Documents,
    Index,
    list_filters,
    match_documents,
    project,
    read_window,
    sort_documents,
)
from self_hosted.sandbox.assemblyline.search.fields import NUMBER_TYPES
from self_hosted.sandbox.assemblyline.search.indexes import DEFAULT_SORT

MAX_FACETS, DEFAULT_FACETS = 100, 10


def get_field_type(index: Index, field: str) -> str:
    """Return the type of a field.

    :param index: the index
    :param field: name of the field
    :raises ApiError: if the index has no such field
    """
    if field not in index.fields:
        raise ApiError(400, f"Field '{field}' is not a valid field in index: {index.name}")
    return index.fields[field].type


def build_facet(index: Index, field: str, params: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of documents for each value of a field, the most frequent value first.

    :param index: the index
    :param field: name of the field
    :param params: query, filters, mincount, size
    """
    get_field_type(index, field)
    documents = match_documents(index, params, MATCH_ALL)
    counts = Counter(key for item in documents for key in {_build_key(value) for value in get_values(item, field)})
    size, min_count = min(int(params.get("size", DEFAULT_FACETS)), MAX_FACETS), int(params.get("mincount", 1))
    most_frequent = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return dict([pair for pair in most_frequent if pair[1] >= min_count][:size])


def _build_key(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def build_stats(index: Index, field: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return count, minimum, maximum, average and sum of a field.

    :param index: the index
    :param field: name of a field with numbers
    :param params: query, filters
    """
    if get_field_type(index, field) not in NUMBER_TYPES:
        raise ApiError(400, f"Field '{field}' is not a numeric field.")
    documents = match_documents(index, params, MATCH_ALL)
    numbers = [float(value) for item in documents for value in get_values(item, field)]
    return {
        "count": len(numbers),
        "min": min(numbers, default=None),
        "max": max(numbers, default=None),
        "avg": sum(numbers) / len(numbers) if numbers else None,
        "sum": sum(numbers),
    }


def build_groups(index: Index, field: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return documents grouped by the value of a field, with the first documents of each group.

    :param index: the index
    :param field: name of the field
    :param params: query, filters, offset, rows, sort, fl, limit, group_sort
    """
    offset, rows = read_window(params)
    found = match_documents(index, {**params, "filters": [*list_filters(params), f"{field}:*"]}, MATCH_ALL)
    groups: dict[Any, Documents] = {}
    for item in sort_documents(index, found, params.get("sort") or DEFAULT_SORT[index.name]):
        groups.setdefault(next(get_values(item, field)), []).append(item)
    items = [
        {"items": _select_members(index, members, params), "total": len(members), "value": value}
        for value, members in list(groups.items())[offset : offset + rows]
    ]
    return {"items": items, "offset": offset, "rows": rows, "total": len(found)}


def _select_members(index: Index, members: Documents, params: Mapping[str, Any]) -> Documents:
    limit, sort = int(params.get("limit", 1)), params.get("group_sort") or "id asc"
    return [project(index, item, params.get("fl")) for item in sort_documents(index, members, sort)[:limit]]
