"""What is new: alerts that were raised and submissions that were completed, in the order in which they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from self_hosted.assemblyline.api.searching import search
from self_hosted.assemblyline.api.submissions import OUTCOME, is_ghost
from self_hosted.assemblyline.api.verdicts import VERDICTS, verdict_bands, verdict_of
from self_hosted.core.feed import Item, moment
from self_hosted.core.flow import Flow, url_path

# An alert's own ``ts`` is when its file was handed in; ``reporting_ts`` when it was raised, or updated last.
RAISED, COMPLETED = "reporting_ts", "times.completed"
ALERT = "alert_id,sid,type,priority,status,label,extended_scan,al.score,file.name,file.sha256"


def alert_url(base_url: str, alert_id: str) -> str:
    """The page of an alert.

    :param base_url: the connection's base URL
    :param alert_id: its id
    """
    return f"{base_url}{url_path('alerts', alert_id)}"


def raised_alerts(start: datetime, offset: int, rows: int, query: str) -> Flow[list[Item]]:
    """Alerts that were raised or updated then or later, oldest first.

    ``POST /api/v4/search/alert/``, which unlike ``alert/list`` shows the youngest, too

    :param start: a moment
    :param offset: how many to pass over
    :param rows: how many at most
    :param query: a Lucene query
    """
    page = {"offset": offset, "rows": rows, "fl": f"{ALERT},{RAISED}", "sort": f"{RAISED} asc"}
    found = yield from search("alert", {"query": query, "filters": [_since(RAISED, start)], **page})
    return [Item(one["alert_id"], moment(one[RAISED]), _alert(one)) for one in found]


def newest_alert(query: str) -> Flow[datetime | None]:
    """When the newest alert was raised or updated, if there is any.

    :param query: a Lucene query
    """
    found = yield from search("alert", {"query": query, "rows": 1, "fl": RAISED, "sort": f"{RAISED} desc"})
    return moment(found[0][RAISED]) if found else None


def completed_submissions(
    start: datetime, offset: int, rows: int, query: str, verdict: str | None, min_score: int | None
) -> Flow[list[Item]]:
    """Submissions that were completed then or later, oldest first.

    ``POST /api/v4/search/submission/``

    :param start: a moment
    :param offset: how many to pass over
    :param rows: how many at most
    :param query: a Lucene query
    :param verdict: the mildest verdict of those that are wanted; any if None
    :param min_score: the least ``max_score`` of those that are wanted; any if None
    """
    fields = f"{OUTCOME},{COMPLETED},files.name,files.sha256"
    page = {"offset": offset, "rows": rows, "fl": fields, "sort": f"{COMPLETED} asc"}
    bands = yield from verdict_bands()
    filters = [*_finished(bands, verdict, min_score), _since(COMPLETED, start)]
    found = yield from search("submission", {"query": query, "filters": filters, **page})
    return [Item(one["sid"], moment(one["times"]["completed"]), _submission(one, bands)) for one in found]


def newest_submission(query: str, verdict: str | None, min_score: int | None) -> Flow[datetime | None]:
    """When the newest submission was completed, if there is any.

    :param query: a Lucene query
    :param verdict: as for `completed_submissions`
    :param min_score: as for `completed_submissions`
    """
    filters = _finished((yield from verdict_bands()), verdict, min_score)
    newest = {"rows": 1, "fl": COMPLETED, "sort": f"{COMPLETED} desc"}
    found = yield from search("submission", {"query": query, "filters": filters, **newest})
    return moment(found[0]["times"]["completed"]) if found else None


def check_watched(query: Any, verdict: Any = None, min_score: Any = None) -> None:
    """Validate what is to be watched for.

    :param query: a Lucene query
    :param verdict: a verdict worse than safe, or None
    :param min_score: a whole number, or None
    :raises ValueError: naming the argument
    """
    if not isinstance(query, str) or not query.strip():
        raise ValueError(f"query must be a Lucene query, '*' for all, not {query!r}")
    if verdict is not None and verdict not in VERDICTS:
        raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, or None, not {verdict!r}")
    if min_score is not None and (not isinstance(min_score, int) or isinstance(min_score, bool)):
        raise ValueError(f"min_score must be a whole number, such as 500, or None, not {min_score!r}")


def _finished(bands: Mapping[str, int], verdict: str | None, min_score: int | None) -> Sequence[str]:
    least = [score for score in (bands[verdict] if verdict else None, min_score) if score is not None]
    return ["state:completed", *([f"max_score:[{max(least)} TO *]"] if least else [])]


def _since(field: str, start: datetime) -> str:
    return f"{field}:[{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ} TO *]"


def _alert(found: Mapping[str, Any]) -> dict[str, Any]:
    """What an event tells of an alert; what the alert does not have the search leaves out."""
    names = ("alert_id", "sid", "type", "priority", "status", "extended_scan", RAISED)
    file, al = found.get("file", {}), found.get("al", {})
    return {
        **{name: found.get(name) for name in names},
        "name": file.get("name"),
        "sha256": file.get("sha256"),
        "score": al.get("score"),
        "labels": found.get("label", []),
    }


def _submission(found: Mapping[str, Any], bands: Mapping[str, int]) -> dict[str, Any] | None:
    """What an event tells of a submission; nothing of one that was cancelled and came back."""
    if is_ghost(found):
        return None
    names = ("sid", "state", "max_score", "file_count", "error_count")
    verdict = verdict_of(found["max_score"], bands)
    return {**{name: found[name] for name in names}, "verdict": verdict, "files": found["files"]}
