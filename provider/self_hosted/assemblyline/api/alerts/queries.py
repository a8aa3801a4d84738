"""Alerts by query: list, group and count them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.alerts.types import AlertDocument
from self_hosted.assemblyline.api.search import checks, lucene
from self_hosted.assemblyline.api.search.documents import read_time
from self_hosted.assemblyline.errors import API_PATH, call, call_object
from self_hosted.core.arguments import parse_choice, parse_int
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.timestamps import parse_timestamp

PAGE_SIZE = 500  # alerts per request; each has some kilobytes
MAX_ALERTS = 10_000  # that the server shows of a list
TIME_SPAN = re.compile(r"\d+[smhdwMy]")
COUNTED_FIELDS = ("labels", "priorities", "statuses")


class AlertQuery(NamedTuple):
    """The alerts that a query of the alert API matches; default: all.

    :param query: a Lucene query, such as ``al.score:>=1000``; quote external values with `lucene.quote`
    :param filters: further queries, all of which must match
    :param tc: only alerts of this time span before ``tc_start``, or else before now: "4d", "12h", "30m"
    :param tc_start: only alerts up to this time; a timestamp in ISO 8601, such as "2026-11-24T06:00:00Z"
    """

    query: str = ""
    filters: Sequence[str] = ()
    tc: str | None = None
    tc_start: str | datetime | None = None

    def validate(self) -> None:
        """Check the times: an update by query ignores times that it cannot read.

        :raises ValueError: if one is malformed
        """
        self._build_times()

    @property
    def matches_all(self) -> bool:
        """Whether the query excludes no alert."""
        return all(checks.matches_all(query, "alert_id") for query in (self.query, *self.filters)) and not self.tc

    def build_parameters(self, no_delay: bool = False) -> dict[str, Any]:
        """Return the query parameters of a request.

        :param no_delay: whether to include the youngest alerts; the server looks at the name only, not at a value
        """
        return {
            "q": self.query or None,
            "fq": list(self.filters),
            **self._build_times(),
            "no_delay": no_delay or None,
        }

    def _build_times(self) -> dict[str, str | None]:
        if self.tc and not TIME_SPAN.fullmatch(self.tc):
            raise ValueError(f"tc must be a number with a unit (s, m, h, d, w, M, y), such as 4d, not {self.tc!r}")
        start = lucene.format_timestamp(parse_timestamp("tc_start", self.tc_start)) if self.tc_start else None
        return {"tc": self.tc or None, "tc_start": start}


ALL_ALERTS = AlertQuery()


class _AlertPage(TypedDict):
    items: list[AlertDocument]
    tc_start: NotRequired[str | None]


class _Total(TypedDict):
    total: int


def build_page_url(base_url: str, alert_query: AlertQuery) -> str:
    """Return the URL of the page that lists alerts in the UI.

    :param base_url: the connection's base URL
    :param alert_query: see `AlertQuery`
    """
    return f"{base_url}{Request('GET', '/alerts', alert_query.build_parameters()).target}"


def search(
    alert_query: AlertQuery = ALL_ALERTS, limit: int = 100, sort: str | None = None, *, no_delay: bool = False
) -> Flow[list[dict[str, Any]]]:
    """Return the full documents of alerts, newest first, read page by page.

    ``GET /api/v4/alert/list/``

    :param alert_query: see `AlertQuery`
    :param limit: largest number of alerts, up to 10,000
    :param sort: a field and asc or desc, such as ``al.score desc``
    :param no_delay: whether to include alerts younger than the server's delay (300 seconds by default)
    :raises ValueError: if the limit is higher
    :raises InvalidRequestError: if the server cannot read the query
    """
    return _read_pages(f"{API_PATH}/alert/list/", alert_query, limit, sort, no_delay)


def list_grouped(
    field: str,
    alert_query: AlertQuery = ALL_ALERTS,
    limit: int = 100,
    sort: str | None = None,
    *,
    no_delay: bool = False,
) -> Flow[list[dict[str, Any]]]:
    """Return the newest alert of each group, with ``group_count`` and ``hint_owner`` (whether one has an owner).

    ``GET /api/v4/alert/grouped/<field>/``

    :param field: a field that the alerts of a group share, such as ``file.sha256``; no list, such as label
    :param alert_query: see `AlertQuery`
    :param limit: largest number of groups, up to 10,000
    :param sort: a field and asc or desc
    :param no_delay: see `search`
    :raises ServerError: if the field is a list
    """
    return _read_pages(f"{API_PATH}{url_path('alert', 'grouped', field)}/", alert_query, limit, sort, no_delay)


def _read_pages(
    path: str, alert_query: AlertQuery, limit: int, sort: str | None, no_delay: bool
) -> Flow[list[dict[str, Any]]]:
    limit = parse_int("limit", limit, minimum=0, maximum=MAX_ALERTS)
    alerts: dict[str, dict[str, Any]] = {}  # by id: alerts that arrive meanwhile move others to the next page
    for offset in range(0, limit, PAGE_SIZE):
        rows = min(PAGE_SIZE, limit - offset)
        parameters = {**alert_query.build_parameters(no_delay), "sort": sort, "offset": offset, "rows": rows}
        page = yield from call_object(Request("GET", path, parameters), _AlertPage)
        alerts.update({alert["alert_id"]: alert for alert in page["items"]})
        if len(page["items"]) < rows:
            break
        if page.get("tc_start"):
            alert_query = alert_query._replace(tc_start=read_time("tc_start", page["tc_start"]))
    return [*alerts.values()]


def count(alert_query: AlertQuery = ALL_ALERTS, *, no_delay: bool = False) -> Flow[int]:
    """Return the number of alerts.

    ``GET /api/v4/alert/list/``

    :param alert_query: see `AlertQuery`
    :param no_delay: see `search`
    """
    parameters = {**alert_query.build_parameters(no_delay), "rows": 0, "track_total_hits": True}
    page = yield from call(Request("GET", f"{API_PATH}/alert/list/", parameters), _Total)
    return page["total"]


def count_by(field: str, alert_query: AlertQuery = ALL_ALERTS, *, no_delay: bool = False) -> Flow[dict[str, int]]:
    """Return the number of alerts by label, priority or status: {value: count}, for the ten most frequent ones.

    ``GET /api/v4/alert/labels/``, ``.../priorities/``, ``.../statuses/``

    :param field: "labels", "priorities" or "statuses"
    :param alert_query: see `AlertQuery`
    :param no_delay: see `search`
    :raises ValueError: for any other field
    """
    parse_choice("field", field, COUNTED_FIELDS)
    parameters = alert_query.build_parameters(no_delay)
    return (yield from call(Request("GET", f"{API_PATH}/alert/{field}/", parameters), dict[str, int]))


def get_statistics(alert_query: AlertQuery = ALL_ALERTS, *, no_delay: bool = False) -> Flow[dict[str, dict[str, int]]]:
    """Return the ten most frequent values of each field: {field: {value: count}}.

    ``GET /api/v4/alert/statistics/``

    :param alert_query: see `AlertQuery`
    :param no_delay: see `search`
    """
    parameters = alert_query.build_parameters(no_delay)
    return call(Request("GET", f"{API_PATH}/alert/statistics/", parameters), dict[str, dict[str, int]])


def list_related_ids(alert_query: AlertQuery) -> Flow[list[str]]:
    """Return the ids of all alerts, without any limit or delay.

    ``GET /api/v4/alert/related/``

    :param alert_query: see `AlertQuery`; query and filters must not both be empty
    :raises InvalidRequestError: if they are
    :raises ServerError: if the server cannot read the query
    """
    return call(Request("GET", f"{API_PATH}/alert/related/", alert_query.build_parameters()), list[str])
