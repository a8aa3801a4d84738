"""Parameters of requests for alerts, converted to parameters of searches."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

DEFAULT_QUERY, DEFAULT_ROWS, NEWEST_FIRST = "alert_id:*", 100, "reporting_ts desc"


def build_search_params(request: Request, until: str | None = None) -> dict[str, Any]:
    """Return the query, filters, window and sort order of a search.

    :param request: with the query parameters q, fq, tc, tc_start, offset, rows, sort, track_total_hits
    :param until: date that replaces ``tc_start``
    """
    query = request.query_params
    return {
        "query": query.get("q") or DEFAULT_QUERY,
        "filters": [
            *filter(None, query.getlist("fq")),
            *_build_time_filter(query.get("tc"), until or query.get("tc_start")),
        ],
        "offset": query.get("offset", 0),
        "rows": query.get("rows", DEFAULT_ROWS),
        "sort": ", ".join(filter(None, (query.get("sort"), NEWEST_FIRST))),
        "track_total_hits": query.get("track_total_hits"),
    }


def _build_time_filter(interval: str | None, end: str | None) -> list[str]:
    if interval:
        return [f"reporting_ts:[{f'{end}||' if end else 'now'}-{interval} TO {end or 'now'}]"]
    return [f"reporting_ts:[* TO {end}]"] if end else []
