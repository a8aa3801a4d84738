"""Searches: filters, sorting, paging, and selection of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.search.documents import get_values, select_fields
from self_hosted.sandbox.assemblyline.search.fields import Field, collect_fields, get_defined_fields
from self_hosted.sandbox.assemblyline.search.indexes import DEFAULT_SORT, ID_FIELDS
from self_hosted.sandbox.assemblyline.search.query import Predicate, compile_query
from self_hosted.sandbox.assemblyline.search.values import QueryError, convert_value

Documents = list[dict[str, Any]]
MAX_WINDOW, DEFAULT_ROWS = 10_000, 25
MATCH_ALL = "id:*"


class Index(NamedTuple):
    """An index and its documents.

    :param name: name of the index
    :param documents: documents, each with an ``id``
    :param fields: fields by name
    """

    name: str
    documents: Documents
    fields: Mapping[str, Field]


def build_index(name: str, documents: Sequence[Mapping[str, Any]], *, with_added_fields: bool = False) -> Index:
    """Return an index.

    :param name: name of the index
    :param documents: its documents
    :param with_added_fields: whether to include the fields that only documents have, which is slower
    """
    fields = get_defined_fields(name)
    if with_added_fields or not fields:
        fields = collect_fields(name, documents)
    id_field = ID_FIELDS.get(name, "id")
    return Index(name, [{"id": document.get(id_field), **document} for document in documents], fields)


def search(
    documents: Sequence[Mapping[str, Any]], params: Mapping[str, Any], name: str = "submission"
) -> dict[str, Any]:
    """Return the page of search results as the API returns it.

    :param documents: documents of the index
    :param params: query, filters, offset, rows, fl, sort, track_total_hits
    :param name: name of the index
    """
    index = build_index(name, documents)
    found = find_documents(index, params)
    offset, rows = read_window(params)
    return {
        "items": [project(index, document, params.get("fl")) for document in found[offset : offset + rows]],
        "offset": offset,
        "rows": rows,
        "total": _limit_total(len(found), params.get("track_total_hits")),
    }


def find_documents(index: Index, params: Mapping[str, Any]) -> Documents:
    """Return all matching documents in the requested or the default order.

    :param index: the index
    :param params: query, filters, sort
    """
    sort = params.get("sort") or DEFAULT_SORT.get(index.name, "id asc")
    return sort_documents(index, match_documents(index, params), sort)


def match_documents(index: Index, params: Mapping[str, Any], default_query: str = "") -> Documents:
    """Return the documents that match the query and all filters.

    :param index: the index
    :param params: query, filters
    :param default_query: query if there is none in the parameters
    """
    query = params.get("query") or default_query
    if not query:
        raise ApiError(400, "There was no search query.")
    predicates = [_compile(text, index.fields) for text in (query, *list_filters(params))]
    try:
        return [document for document in index.documents if all(predicate(document) for predicate in predicates)]
    except QueryError:
        raise _parse_error(query) from None


def list_filters(params: Mapping[str, Any]) -> list[str]:
    """Return the filters as a list.

    :param params: filters: a list, a text, or None
    """
    filters = params.get("filters") or []
    return [filters] if isinstance(filters, str) else list(filters)


def _compile(query: str, fields: Mapping[str, Field]) -> Predicate:
    try:
        return compile_query(query, fields)
    except QueryError:
        raise _parse_error(query) from None


def _parse_error(query: str) -> ApiError:
    return ApiError(400, f"SearchException: Failed to parse query [{query}]")


def read_window(params: Mapping[str, Any]) -> tuple[int, int]:
    """Return the offset and the number of rows.

    :param params: offset, rows
    """
    try:
        offset, rows = int(params.get("offset") or 0), int(params.get("rows", DEFAULT_ROWS))
    except (TypeError, ValueError):
        raise ApiError(400, "SearchException: failed to parse [size] or [from]") from None
    if offset < 0 or rows < 0:
        raise ApiError(400, "SearchException: [size] and [from] cannot be negative")
    if offset + rows > MAX_WINDOW:
        reason = "Result window is too large, from + size must be less than or equal to"
        raise ApiError(400, f"SearchException: {reason}: [{MAX_WINDOW}] but was [{offset + rows}]")
    return offset, rows


def sort_documents(index: Index, documents: Documents, sort: str) -> Documents:
    """Return documents in an order; those without a value are last.

    :param index: index of the documents
    :param documents: documents
    :param sort: such as ``field asc, other desc``
    """
    result = list(documents)
    for part in reversed(sort.split(",")):
        field, _, direction = part.strip().partition(" ")
        if direction not in {"asc", "desc"}:
            raise ApiError(400, f"SearchException: Unknown sort parameter {part.strip()}")
        field_type = index.fields[field].type if field in index.fields else "keyword"
        result = _sort_by_field(result, field, field_type, is_descending=direction == "desc")
    return result


def _sort_by_field(documents: Documents, field: str, field_type: str, *, is_descending: bool) -> Documents:
    select = max if is_descending else min
    keyed = [([convert_value(value, field_type) for value in get_values(item, field)], item) for item in documents]
    with_value = [(select(values), item) for values, item in keyed if values]
    with_value.sort(key=lambda pair: pair[0], reverse=is_descending)
    return [item for _, item in with_value] + [item for values, item in keyed if not values]


def project(index: Index, document: dict[str, Any], names: str | None) -> dict[str, Any]:
    """Return the requested fields of a document, by default those that the index stores.

    :param index: index of the document
    :param document: the document
    :param names: comma-separated names of fields, or ``*`` for all
    """
    if names == "*":
        return document
    stored = ["id", *(name for name, field in index.fields.items() if field.is_stored)]
    return select_fields(document, names.split(",") if names else stored)


def _limit_total(count: int, track_total_hits: Any) -> int:
    if str(track_total_hits).lower() == "true":
        return count
    return min(count, int(track_total_hits) if str(track_total_hits).isdigit() else MAX_WINDOW)
