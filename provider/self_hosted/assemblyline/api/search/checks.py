"""Checks of search arguments: the server ignores unknown ones, and fails on invalid ones or misreads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from self_hosted.core.arguments import parse_int

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
"""The indexes that every user may search."""

ADMIN_INDEXES = ("apikey", "emptyresult", "error", "user")
"""The indexes that require the role administration; in apikey, only some fields can be counted and grouped."""

MAX_WINDOW = 10_000
"""How far a search reaches into its results: offset and rows together."""

FILTER_ARGUMENTS = frozenset({"archive_only", "filters", "query", "timeout", "use_archive"})
LIST_ARGUMENTS = FILTER_ARGUMENTS | {"fl", "offset", "rows", "sort"}
FIELD_NAMES = re.compile(r"[\w.*-]+(?:,[\w.*-]+)*")
SORT_ORDER = re.compile(r"[\w.-]+ (?:asc|desc)(?:, *[\w.-]+ (?:asc|desc))*")


def parse_arguments(index: str, arguments: Mapping[str, Any], valid: frozenset[str]) -> dict[str, Any]:
    """Return the arguments of a search, checked; numbers may be text.

    :param index: name of an index
    :param arguments: by the server's names
    :param valid: names that this kind of search accepts
    :raises ValueError: if an argument is unknown or invalid
    """
    check_index(index)
    unknown = sorted(set(arguments) - valid)
    if unknown:
        raise ValueError(f"arguments: unknown {', '.join(unknown)}; this search accepts {', '.join(sorted(valid))}")
    check_query("query", arguments.get("query", "*"))
    filters = arguments.get("filters", [])
    for query in [filters] if isinstance(filters, str) else filters:
        check_query("filters", query)
    _check_text("fl", arguments.get("fl"), FIELD_NAMES, "sid,max_score")
    _check_text("sort", arguments.get("sort"), SORT_ORDER, "times.submitted desc, sid asc")
    window = {name: parse_int(name, arguments.get(name, 0), minimum=0) for name in ("offset", "rows")}
    _check_window(window["offset"], window["rows"] if "rows" in arguments else 25)
    return {**arguments, **{name: number for name, number in window.items() if name in arguments}}


def check_index(index: str) -> None:
    """Check the name of an index: the server takes an unknown name for an index of administrators.

    :param index: its name
    :raises ValueError: if it is unknown
    """
    if not isinstance(index, str) or index not in {*INDEXES, *ADMIN_INDEXES}:
        valid = f"{', '.join(INDEXES)} or, for administrators, {', '.join(ADMIN_INDEXES)}"
        raise ValueError(f"index must be one of {valid}, not {index!r}")


def check_query(argument: str, query: Any) -> None:
    """Check that a query is not empty.

    :param argument: name of the argument
    :param query: a Lucene query
    :raises ValueError: if it is empty, or no text
    """
    if not isinstance(query, str) or not query.strip():
        raise ValueError(f"{argument} must be a Lucene query, '*' for everything, not {query!r}")


def matches_all(query: str, id_field: str) -> bool:
    """Return whether a query matches every document of an index.

    :param query: a Lucene query
    :param id_field: name of the field that every document has
    """
    return query.strip() in {"", "*", "*:*", f"{id_field}:*"}


def _check_text(argument: str, value: Any, pattern: re.Pattern[str], example: str) -> None:
    if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
        raise ValueError(f"{argument} must be text such as {example!r}, not {value!r}")


def _check_window(offset: int, rows: int) -> None:
    if offset + rows > MAX_WINDOW:
        raise ValueError(
            f"offset and rows reach {offset + rows}, the server's maximum is {MAX_WINDOW}: "
            "read pages with search_page or search_all"
        )
