"""What is checked before a search is sent: what the server would ignore, fail on or misread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

INDEXES = (
    "alert",
    "badlist",
    "file",
    "heuristic",
    "result",
    "retrohunt",
    "safelist",
    "signature",
    "submission",
    "workflow",
)
"""What can be searched."""

OF_ADMINISTRATORS = ("apikey", "emptyresult", "error", "user")
"""What can be searched with the role administration; of API keys the server can count and group only some fields."""

WINDOW = 10_000
"""How far into what it finds a search reaches: offset and rows together."""

FILTERED = frozenset({"archive_only", "filters", "query", "timeout", "use_archive"})
LISTED = FILTERED | {"fl", "offset", "rows", "sort"}
NAMES = re.compile(r"[\w.*-]+(?:,[\w.*-]+)*")
ORDER = re.compile(r"[\w.-]+ (?:asc|desc)(?:, *[\w.-]+ (?:asc|desc))*")


def check_search(index: str, wanted: Mapping[str, Any], known: frozenset[str]) -> None:
    """Validate a search.

    :param index: what is searched
    :param wanted: its arguments, by the server's names
    :param known: the arguments it may have
    :raises ValueError: naming the argument
    """
    check_index(index)
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise ValueError(f"wanted: this search takes no {', '.join(unknown)}; it takes {', '.join(sorted(known))}")
    check_query("query", wanted.get("query", "*"))
    filters = wanted.get("filters", [])
    for one in [filters] if isinstance(filters, str) else filters:
        check_query("filters", one)
    for name, pattern, example in (("fl", NAMES, "sid,max_score"), ("sort", ORDER, "times.submitted desc, sid asc")):
        given = wanted.get(name)
        if given is not None and not (isinstance(given, str) and pattern.fullmatch(given)):
            raise ValueError(f"{name} must be text such as {example!r}, not {given!r}")
    _check_window(_whole("offset", wanted.get("offset", 0)), _whole("rows", wanted.get("rows", 25)))


def check_index(index: str) -> None:
    """Validate the name of an index, which the server would take for one that only administrators may search.

    :raises ValueError: naming those there are
    """
    if not isinstance(index, str) or index not in {*INDEXES, *OF_ADMINISTRATORS}:
        there = ", ".join(INDEXES)
        raise ValueError(f"index must be one of {there}, or, for administrators, {', '.join(OF_ADMINISTRATORS)}")


def check_query(argument: str, query: Any) -> None:
    """Validate that there is a query.

    :param argument: what a DAG author calls it
    :param query: in Lucene's language
    :raises ValueError: naming the argument
    """
    if not isinstance(query, str) or not query.strip():
        raise ValueError(f"{argument} must be a Lucene query, '*' for everything, not {query!r}")


def _check_window(offset: int, rows: int) -> None:
    if offset + rows > WINDOW:
        raise ValueError(
            f"offset and rows reach {offset + rows} deep, and the server goes {WINDOW} deep only: "
            "read page by page, with search_page or search_all"
        )


def _whole(argument: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{argument} must be a whole number, 0 or more, not {value!r}")
    return value
