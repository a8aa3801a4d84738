"""Alerts of the stand-in: raised by submissions, looked at, listed and counted. What changes them has its own file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.alert_documents import blank, raised
from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.area import Area, Handler, Row
from self_hosted.sandbox.assemblyline.counting import facet, grouped
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.fields import values
from self_hosted.sandbox.assemblyline.search import Index, index_of, matching, search
from self_hosted.sandbox.stand_in import Table

LEAST_SCORE = 500
COUNTED = {"labels": "label", "priorities": "priority", "statuses": "status"}
STATISTICS = (
    "al.attrib",
    "al.av",
    "al.behavior",
    "al.domain",
    "al.ip",
    "al.yara",
    "file.name",
    "file.md5",
    "owner",
)
NEWEST_FIRST = "reporting_ts desc"
VIEW = "alert_view"


class Alerts(Area):
    """It keeps the alerts by id, when the index has each of them, and how long lists hide the young ones."""

    name: ClassVar[str] = "alerts"

    @classmethod
    def fresh(cls) -> dict[str, Any]:
        """No alerts; lists hide them for five minutes."""
        return {"alerts": {}, "indexed_at": {}, "delay": 300}

    def seed(self, data: Mapping[str, Any]) -> None:
        """Change how long lists hide young alerts, or add alerts.

        :param data: ``delay`` in seconds; ``alerts``: what differs of each from a blank one
        """
        self.kept["delay"] = data.get("delay", self.kept["delay"])
        for one in data.get("alerts", []):
            self._add({**blank(one.get("alert_id") or secrets.token_hex(11)), **one})

    def rows(self) -> Sequence[Row]:
        """The table. All words come before the alert of an id."""
        counts = [Row("GET", f"/alert/{name}/", self._counted(field), VIEW, True) for name, field in COUNTED.items()]
        return [
            Row("GET", "/alert/list/", self.listed, VIEW, True),
            Row("GET", "/alert/grouped/{field}/", self.grouped, VIEW, True),
            Row("GET", "/alert/statistics/", self.statistics, VIEW, True),
            Row("GET", "/alert/related/", self.related, VIEW, True),
            *counts,
            Row("GET", "/alert/{alert_id}/", self.alert, VIEW, True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The alerts that the index has by now."""
        known = self.raised()
        now = time.monotonic()
        return {"alert": [one for key, one in known.items() if now >= self.kept["indexed_at"][key]]}

    def table(self) -> Table:
        """Alerts, newest first."""
        names = ("alert_id", "sid", "label", "priority", "status", "owner")
        return [{**{name: one[name] for name in names}} for one in reversed(self.raised().values())]

    # Looking

    async def alert(self, request: Request, session: Session) -> Any:
        """One alert, however young."""
        found = self.raised().get(request.path_params["alert_id"])
        if not found:
            raise Refusal(404, "This alert does not exists...")
        return found

    async def listed(self, request: Request, session: Session) -> Any:
        """Those that are old enough, unless there is a ``no_delay``, whatever its value."""
        return search(self.documents()["alert"], {**self._asked(request), "fl": "*"}, "alert")

    async def grouped(self, request: Request, session: Session) -> Any:
        """The newest of each group. Of a list it makes none: the server fails on it."""
        field, asked = request.path_params["field"], self._asked(request)
        asked.update(group_sort=asked["sort"], fl="*")
        found = grouped(self.index(), field, asked)
        if any(isinstance(group["items"][0].get(field), list) for group in found["items"]):
            raise Refusal(500, "Internal Server Error")
        owned = {value for one in self.documents()["alert"] if one["owner"] for value in values(one, field)}
        hints = owned if field in {"file.md5", "file.sha1", "file.sha256"} else set()
        items = [
            {**one["items"][0], "group_count": one["total"], "hint_owner": one["value"] in hints}
            for one in found["items"]
        ]
        counted = sum(one["total"] for one in found["items"])
        start = request.query_params.get("tc_start") or self._delayed(request) or moment("now")
        return {**found, "items": items, "counted_total": counted, "tc_start": start}

    async def statistics(self, request: Request, session: Session) -> Any:
        """The most frequent values of some fields."""
        return {field: facet(self.index(), field, self._asked(request)) for field in STATISTICS}

    async def related(self, request: Request, session: Session) -> Any:
        """The ids of all alerts, however young."""
        query, *filters = [request.query_params.get("q"), *request.query_params.getlist("fq")]
        if not query and not filters:
            raise Refusal(400, "You need to at least provide a query to filter the data", [])
        try:
            found = matching(self.index(), {**asked_of(request), "query": query or filters[0]})
        except Refusal:
            raise Refusal(500, "Internal Server Error") from None
        return [one["alert_id"] for one in found]

    def _counted(self, field: str) -> Handler:
        async def handler(request: Request, session: Session) -> Any:
            return facet(self.index(), field, self._asked(request))

        return handler

    # What handlers share

    def index(self) -> Index:
        """What a search goes through."""
        return index_of("alert", self.documents()["alert"])

    def _asked(self, request: Request) -> dict[str, Any]:
        """What a list is asked for, in the words of a search."""
        return asked_of(request, self._delayed(request))

    def _delayed(self, request: Request) -> str | None:
        """Until when a list shows alerts."""
        given = request.query_params.get("tc_start")
        hidden = self.kept["delay"] and "no_delay" not in request.query_params
        return given or (moment(f"now-{self.kept['delay']}s") if hidden else None)

    def raised(self) -> dict[str, dict[str, Any]]:
        """All alerts, with those of submissions that were completed meanwhile, and of ingests they stand for."""
        completed = [one for one in self.product.submissions.values() if one.exists and one.completed]
        reused = [(one.by, one.ingest) for one in self.product.ingester.reused if one.by and one.is_final]
        for submission, handed_in in [*((one, one) for one in completed), *reused]:
            key = handed_in.ingest_id or submission.params["psid"] or submission.sid
            wanted = handed_in.params["generate_alert"] and submission.findings.max_score >= LEAST_SCORE
            if wanted and key not in self.kept["alerts"]:
                self._add(raised(submission, handed_in))
        return self.kept["alerts"]  # type: ignore[no-any-return]

    def _add(self, alert: dict[str, Any]) -> None:
        self.kept["alerts"][alert["alert_id"]] = alert
        self.kept["indexed_at"][alert["alert_id"]] = time.monotonic() + self.product.index_lag


def asked_of(request: Request, until: str | None = None) -> dict[str, Any]:
    """Query, filters, page and order, in the words of a search.

    :param request: with q, fq, tc, tc_start, offset, rows, sort, track_total_hits
    :param until: the moment that counts for ``tc_start``
    """
    given = request.query_params
    start, span = until or given.get("tc_start"), given.get("tc")
    filters = [one for one in given.getlist("fq") if one]
    if span:
        filters.append(f"reporting_ts:[{f'{start}||' if start else 'now'}-{span} TO {start or 'now'}]")
    elif start:
        filters.append(f"reporting_ts:[* TO {start}]")
    return {
        "query": given.get("q") or "alert_id:*",
        "filters": filters,
        "offset": given.get("offset", 0),
        "rows": given.get("rows", 100),
        "sort": ", ".join(one for one in (given.get("sort"), NEWEST_FIRST) if one),
        "track_total_hits": given.get("track_total_hits"),
    }
