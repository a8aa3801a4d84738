"""Aggregating searches: counts, statistics and groups by a field; and the fields of an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.search.checks import FILTER_ARGUMENTS, LIST_ARGUMENTS, check_index, parse_arguments
from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject

T = TypeVar("T")
MAX_FACETS = 100  # the server cuts off further ones without saying so


class Group(TypedDict):
    """The documents with one value of a field.

    :param value: the value
    :param total: how many documents have it
    :param items: some of them
    """

    value: Any
    total: int
    items: list[JsonObject]


class Groups(TypedDict):
    """Documents grouped by the value of a field.

    :param items: `Group` each
    :param total: number of documents in all groups
    :param offset: index of the first group
    :param rows: largest number of groups
    """

    items: list[Group]
    total: int
    offset: int
    rows: int


class FieldStats(TypedDict):
    """Statistics of a numeric field.

    :param count: number of values
    :param min: lowest value; None without values
    :param max: highest value; None without values
    :param avg: mean; None without values
    :param sum: sum
    """

    count: int
    min: float | None
    max: float | None
    avg: float | None
    sum: float


def get_facet(index: str, field: str, arguments: Mapping[str, Any]) -> Flow[dict[str, int]]:
    """Return how often a field has each of its values, the most frequent ones first: {value: count}.

    ``POST /api/v4/search/facet/<index>/<field>/``

    :param index: see `search.find`
    :param field: name of the field
    :param arguments: all optional: query, filters, mincount (1), size (number of values: 10, at most 100), timeout,
        use_archive, archive_only
    :raises ValueError: for arguments that the server would ignore or misread
    :raises InvalidRequestError: if the field does not exist
    """
    size = {"size": parse_int("size", arguments["size"], maximum=MAX_FACETS)} if "size" in arguments else {}
    return _aggregate(
        "facet", index, field, {**arguments, **size}, FILTER_ARGUMENTS | {"mincount", "size"}, dict[str, int]
    )


def get_histogram(index: str, field: str, arguments: Mapping[str, Any]) -> Flow[dict[str, int]]:
    """Return how many documents lie in each step of whole numbers or dates: {start of the step: count}.

    ``POST /api/v4/search/histogram/<index>/<field>/``

    :param index: see `search.find`
    :param field: a field of whole numbers or dates
    :param arguments: all optional: query, filters, start, end, gap (0, 2000 and 100, or "now-1d", "now" and "+1h"; at
        most 100 steps), mincount (1; 0 includes empty steps), timeout, use_archive, archive_only
    :raises ValueError: for arguments that the server would ignore or misread
    :raises InvalidRequestError: if the field does not exist, or has another type
    """
    valid = FILTER_ARGUMENTS | {"start", "end", "gap", "mincount"}
    return _aggregate("histogram", index, field, arguments, valid, dict[str, int])


def get_stats(index: str, field: str, arguments: Mapping[str, Any]) -> Flow[FieldStats]:
    """Return statistics of a numeric field.

    ``POST /api/v4/search/stats/<index>/<field>/``

    :param index: see `search.find`
    :param field: a numeric field
    :param arguments: all optional: query, filters, timeout, use_archive, archive_only
    :return: `FieldStats`
    :raises ValueError: for arguments that the server would ignore or misread
    :raises InvalidRequestError: if the field does not exist, or is not numeric
    """
    return _aggregate("stats", index, field, arguments, FILTER_ARGUMENTS, FieldStats)


def get_groups(index: str, field: str, arguments: Mapping[str, Any]) -> Flow[Groups]:
    """Return documents grouped by the value of a field.

    ``POST /api/v4/search/grouped/<index>/<field>/``

    :param index: see `search.find`
    :param field: a field with a single value
    :param arguments: see `search.find`; also limit (documents per group: 1) and group_sort (their order)
    :return: `Groups`
    :raises ValueError: for arguments that the server would ignore or misread
    """
    valid = LIST_ARGUMENTS | {"group_sort", "limit"}
    return (yield from _aggregate("grouped", index, field, arguments, valid, Groups))


def list_fields(index: str) -> Flow[dict[str, dict[str, Any]]]:
    """Return the fields of an index: {name: {type, default, indexed, list, stored}}.

    Stored fields are in the results of a search without ``fl``. Does not count toward the daily quota.

    ``GET /api/v4/search/fields/<index>/``

    :param index: see `search.find`
    :raises ValueError: if the index is unknown
    """
    check_index(index)
    return call(Request("GET", f"{API_PATH}{url_path('search', 'fields', index)}/"), dict[str, JsonObject])


def _aggregate(
    kind: str, index: str, field: str, arguments: Mapping[str, Any], valid: frozenset[str], shape: type[T]
) -> Flow[T]:
    parsed = parse_arguments(index, arguments, valid)
    path = f"{API_PATH}{url_path('search', kind, index, field)}/"
    return call(Request("POST", path, json=parsed, idempotent=True), shape)
