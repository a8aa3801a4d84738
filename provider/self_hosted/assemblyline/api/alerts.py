"""Alerts: find them, look at them, count them.

https://cybercentrecanada.github.io/assemblyline4_docs/user_manual/alerts/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path

PAGE = 500  # alerts of one request; each has some kilobytes
WINDOW = 10_000  # what the server shows of a list, at most
SPAN = re.compile(r"\d+[smhdwMy]")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:\d\d)?)?")
COUNTED = ("labels", "priorities", "statuses")


class AlertQuery(NamedTuple):
    """Which alerts, in the terms of the server's lists of them; by default all.

    :param query: a Lucene query, such as ``al.score:>=1000``; put what comes from outside through `phrase`
    :param filters: more queries, all of which must fit
    :param tc: only alerts of the last such span, counted back from ``tc_start``, or else from now: "4d", "12h", "30m"
    :param tc_start: only alerts until this moment, such as "2026-11-24T06:00:00Z"
    """

    query: str = ""
    filters: Sequence[str] = ()
    tc: str | None = None
    tc_start: str | None = None

    def check(self) -> None:
        """Validate the moments: a change of many alerts does not tell what it cannot read.

        :raises ValueError: naming the argument
        """
        if self.tc and not SPAN.fullmatch(self.tc):
            raise ValueError(f"tc must be a number with a unit (s, m, h, d, w, M, y), such as 4d, not {self.tc!r}")
        if self.tc_start and not MOMENT.fullmatch(self.tc_start):
            raise ValueError(f"tc_start must be a moment such as 2026-11-24T06:00:00Z, not {self.tc_start!r}")

    @property
    def takes_all(self) -> bool:
        """Whether nothing keeps any alert out."""
        queries = {self.query.strip(), *(one.strip() for one in self.filters)}
        return queries <= {"", "*", "*:*", "alert_id:*"} and not self.tc

    def arguments(self, no_delay: bool = False) -> dict[str, Any]:
        """The query of a request.

        :param no_delay: whether to see the youngest alerts, too; the server looks at the name only, not at a value
        """
        self.check()
        # a template makes a text of a moment in which there is a blank, and no query has one there
        moments = {"tc": self.tc or None, "tc_start": (self.tc_start or "").replace(" ", "T") or None}
        return {"q": self.query or None, "fq": list(self.filters), **moments, "no_delay": no_delay or None}


ALL = AlertQuery()


def alerts_url(base_url: str, which: AlertQuery) -> str:
    """The page that lists alerts.

    :param base_url: the connection's base URL
    :param which: see `AlertQuery`
    """
    return f"{base_url}{Request('GET', '/alerts', which.arguments()).target}"


def alert(alert_id: str) -> Flow[dict[str, Any]]:
    """One alert, always up to date, however young.

    ``GET /api/v4/alert/<id>/``

    :param alert_id: its id: that of the ingest it was raised for, or else of the submission
    :raises NotFound: also when the credential may not see it
    """
    return asked(Request("GET", f"{API}{url_path('alert', alert_id)}/"))


def alerts(
    which: AlertQuery = ALL, limit: int = 100, sort: str | None = None, *, no_delay: bool = False
) -> Flow[list[dict[str, Any]]]:
    """Alerts in full, newest first, read page by page.

    ``GET /api/v4/alert/list/``

    :param which: see `AlertQuery`
    :param limit: how many at most, up to 10,000
    :param sort: a field and asc or desc, such as ``al.score desc``
    :param no_delay: also those that are younger than the server shows (300 seconds, by default)
    :raises ValueError: for a limit that the server has no pages for
    :raises Invalid: when the server cannot read the query
    """
    return _read(f"{API}/alert/list/", which, limit, {"sort": sort}, no_delay)


def grouped_alerts(
    field: str, which: AlertQuery = ALL, limit: int = 100, sort: str | None = None, *, no_delay: bool = False
) -> Flow[list[dict[str, Any]]]:
    """The newest alert of each group, with ``group_count`` and ``hint_owner`` (whether somebody owned one of the same).

    ``GET /api/v4/alert/grouped/<field>/``

    :param field: what those of a group have in common, such as ``file.sha256``; of lists, such as label, the server
        makes no groups
    :param which: see `AlertQuery`
    :param limit: how many groups at most, up to 10,000
    :param sort: a field and asc or desc
    :param no_delay: as for `alerts`
    :raises Broken: for a field that is a list
    """
    return _read(f"{API}{url_path('alert', 'grouped', field)}/", which, limit, {"sort": sort}, no_delay)


def _read(
    path: str, which: AlertQuery, limit: int, wanted: dict[str, Any], no_delay: bool
) -> Flow[list[dict[str, Any]]]:
    if not 0 <= limit <= WINDOW:
        raise ValueError(f"limit must be at most {WINDOW}, which is all that Assemblyline shows of a list, not {limit}")
    found: dict[str, dict[str, Any]] = {}  # by id: alerts that come in meanwhile move others to the next page
    for offset in range(0, limit, PAGE):
        rows = min(PAGE, limit - offset)
        query = {**which.arguments(no_delay), **wanted, "offset": offset, "rows": rows}
        page = yield from asked(Request("GET", path, query))
        found.update({one["alert_id"]: one for one in page["items"]})
        if len(page["items"]) < rows:
            break
        which = which._replace(tc_start=page.get("tc_start", which.tc_start))
    return [*found.values()]


def alert_count(which: AlertQuery = ALL, *, no_delay: bool = False) -> Flow[int]:
    """How many alerts there are.

    ``GET /api/v4/alert/list/``

    :param which: see `AlertQuery`
    :param no_delay: as for `alerts`
    """
    query = {**which.arguments(no_delay), "rows": 0, "track_total_hits": True}
    found = yield from asked(Request("GET", f"{API}/alert/list/", query))
    return int(found["total"])


def alert_counts(of: str, which: AlertQuery = ALL, *, no_delay: bool = False) -> Flow[dict[str, int]]:
    """How many alerts have each label, priority or status: {value: count}, of the ten most frequent.

    ``GET /api/v4/alert/labels/``, ``.../priorities/``, ``.../statuses/``

    :param of: "labels", "priorities" or "statuses"
    :param which: see `AlertQuery`
    :param no_delay: as for `alerts`
    :raises ValueError: when there is no such count
    """
    if of not in COUNTED:
        raise ValueError(f"of must be one of {', '.join(COUNTED)}, not {of!r}")
    found: dict[str, int] = yield from asked(Request("GET", f"{API}/alert/{of}/", which.arguments(no_delay)))
    return found


def alert_statistics(which: AlertQuery = ALL, *, no_delay: bool = False) -> Flow[dict[str, dict[str, int]]]:
    """What alerts have in common: {field: {value: count}}, of the ten most frequent values of each field.

    ``GET /api/v4/alert/statistics/``

    :param which: see `AlertQuery`
    :param no_delay: as for `alerts`
    """
    return asked(Request("GET", f"{API}/alert/statistics/", which.arguments(no_delay)))


def related_alerts(which: AlertQuery) -> Flow[list[str]]:
    """The ids of all alerts that a query finds, however many and however young they are.

    ``GET /api/v4/alert/related/``

    :param which: see `AlertQuery`; query and filters must not both be empty
    :raises Invalid: when they are
    :raises Broken: when the server cannot read the query
    """
    return asked(Request("GET", f"{API}/alert/related/", which.arguments()))
