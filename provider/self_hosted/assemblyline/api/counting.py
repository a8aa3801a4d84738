"""Searches that count or group what they find, and what fields there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.search_checks import FILTERED, LISTED, check_index, check_search
from self_hosted.core.flow import Flow, Request, url_path

MOST_FACETS = 100


def search_facet(index: str, field: str, wanted: Mapping[str, Any]) -> Flow[dict[str, int]]:
    """How often a field has each of its values, the most frequent first: {value: count}.

    ``POST /api/v4/search/facet/<index>/<field>/``

    :param index: as for `search`
    :param field: its name
    :param wanted: query, filters, mincount (1), size (how many values at most: 10, and 100 at the utmost), timeout,
        use_archive, archive_only; each may be absent
    :raises ValueError: for what the server would ignore or misread
    :raises Invalid: when there is no such field
    """
    size = wanted.get("size", 1)
    if not isinstance(size, int) or not 1 <= size <= MOST_FACETS:
        raise ValueError(f"size must be 1 to {MOST_FACETS}: the server cuts off what is more, without a word")
    return _counted("facet", index, field, wanted, FILTERED | {"mincount", "size"})


def search_histogram(index: str, field: str, wanted: Mapping[str, Any]) -> Flow[dict[str, int]]:
    """How many there are in each step of whole numbers or dates: {where the step begins: count}.

    ``POST /api/v4/search/histogram/<index>/<field>/``

    :param index: as for `search`
    :param field: of whole numbers or dates
    :param wanted: query, filters, start, end, gap (0, 2000 and 100, or "now-1d", "now" and "+1h"; 100 steps at most),
        mincount (1; 0 shows the empty steps as well), timeout, use_archive, archive_only; each may be absent
    :raises ValueError: for what the server would ignore or misread
    :raises Invalid: when there is no such field, or it holds something else
    """
    return _counted("histogram", index, field, wanted, FILTERED | {"start", "end", "gap", "mincount"})


def search_stats(index: str, field: str, wanted: Mapping[str, Any]) -> Flow[dict[str, float | None]]:
    """Statistics of a field of numbers: {count, min, max, avg, sum}; of nothing, min, max and avg are None.

    ``POST /api/v4/search/stats/<index>/<field>/``

    :param index: as for `search`
    :param field: of numbers
    :param wanted: query, filters, timeout, use_archive, archive_only; each may be absent
    :raises ValueError: for what the server would ignore or misread
    :raises Invalid: when there is no such field, or it holds no numbers
    """
    return _counted("stats", index, field, wanted, FILTERED)


def search_grouped(index: str, field: str, wanted: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """What is found by the value of a field: {items: [{value, total, items}], total, offset, rows}.

    ``rows`` counts the groups, ``total`` what is in all of them.

    ``POST /api/v4/search/grouped/<index>/<field>/``

    :param index: as for `search`
    :param field: by whose value; it must hold one value, and no list
    :param wanted: as for `search`, and limit (how many of each group: 1) and group_sort (their order); each may be
        absent
    :raises ValueError: for what the server would ignore or misread
    """
    return _counted("grouped", index, field, wanted, LISTED | {"group_sort", "limit"})


def search_fields(index: str) -> Flow[dict[str, dict[str, Any]]]:
    """The fields of an index: {name: {type, default, indexed, list, stored}}. Does not count toward the daily quota.

    ``stored`` are those that a search answers with unless it is told which (fl).

    ``GET /api/v4/search/fields/<index>/``

    :param index: as for `search`
    """
    check_index(index)
    return asked(Request("GET", f"{API}{url_path('search', 'fields', index)}/"))


def _counted(how: str, index: str, field: str, wanted: Mapping[str, Any], known: frozenset[str]) -> Flow[Any]:
    check_search(index, wanted, known)
    path = f"{API}{url_path('search', how, index, field)}/"
    return asked(Request("POST", path, json=wanted, repeatable=True))
