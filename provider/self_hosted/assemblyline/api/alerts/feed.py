"""The feed of raised alerts, in the order in which they were raised."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.alerts.types import AlertPayload
from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.assemblyline.api.search.documents import read_time
from self_hosted.core.events.feed import Item
from self_hosted.core.http.flow import Flow

TIME_FIELD = "reporting_ts"  # when an alert was raised or last updated; its ``ts`` is when its file was submitted
FIELDS = f"alert_id,sid,type,priority,status,label,extended_scan,al.score,file.name,file.sha256,{TIME_FIELD}"


class _File(TypedDict):
    name: NotRequired[str | None]
    sha256: NotRequired[str | None]


class _Analysis(TypedDict):
    score: NotRequired[int | None]


class _Time(TypedDict):
    reporting_ts: str


class _Alert(_Time):
    alert_id: str
    sid: NotRequired[str | None]
    type: NotRequired[str | None]
    priority: NotRequired[str | None]
    status: NotRequired[str | None]
    extended_scan: NotRequired[str | None]
    label: NotRequired[list[str] | None]
    file: NotRequired[_File]
    al: NotRequired[_Analysis]


def read_page(start: datetime, offset: int, rows: int, query: str) -> Flow[list[Item]]:
    """Return alerts that were raised or updated since a time, oldest first.

    ``POST /api/v4/search/alert/``, which has no delay, unlike ``alert/list``

    :param start: a time with a time zone
    :param offset: number of alerts to skip
    :param rows: largest number of alerts
    :param query: a Lucene query
    """
    window = {"offset": offset, "rows": rows, "fl": FIELDS, "sort": f"{TIME_FIELD} asc"}
    filters = [lucene.since(TIME_FIELD, start)]
    documents = yield from search.find_shaped("alert", {"query": query, "filters": filters, **window}, _Alert)
    return [
        Item(document["alert_id"], read_time(TIME_FIELD, document["reporting_ts"]), _build_payload(document))
        for document in documents
    ]


def get_newest_time(query: str) -> Flow[datetime | None]:
    """Return the time when the newest alert was raised or updated, or None if there is none.

    :param query: a Lucene query
    """
    arguments = {"query": query, "rows": 1, "fl": TIME_FIELD, "sort": f"{TIME_FIELD} desc"}
    documents = yield from search.find_shaped("alert", arguments, _Time)
    return read_time(TIME_FIELD, documents[0]["reporting_ts"]) if documents else None


def _build_payload(document: _Alert) -> AlertPayload:
    """Return the content of an event; a search leaves out fields that the alert does not have."""
    file: _File = document.get("file", {})
    return AlertPayload(
        alert_id=document["alert_id"],
        sid=document.get("sid"),
        type=document.get("type"),
        priority=document.get("priority"),
        status=document.get("status"),
        extended_scan=document.get("extended_scan"),
        reporting_ts=document["reporting_ts"],
        name=file.get("name"),
        sha256=file.get("sha256"),
        score=document.get("al", {}).get("score"),
        labels=document.get("label") or [],
    )
