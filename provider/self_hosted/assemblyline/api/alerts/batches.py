"""Updates of all alerts that a query finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.alerts import alerts, queries
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.assemblyline.api.alerts.types import BatchUpdate
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

BATCH_SIZE = 50  # alerts per request, with the ids in its URL; servers accept some 4,000 characters


class _Changed(TypedDict):
    success: bool | int


def update_matching(
    alert_query: AlertQuery,
    changes: AlertChanges,
    max_items: int = 100,
    *,
    allow_match_all: bool = False,
    dry_run: bool = False,
) -> Flow[BatchUpdate]:
    """Make the changes that the alerts of a query do not have yet. Alerts of other owners are not taken.

    The server's own update by query adds an entry to the history of each alert that it finds, changed or not, and also
    finds alerts that arrived since they were counted. So the alerts are read first. Those that lack a change are
    updated by id, as long as the query still finds them. Verdicts have no batch request: each costs one request.

    ``POST /api/v4/alert/all/batch/``, ``GET /api/v4/alert/ownership/batch/``

    :param alert_query: see `AlertQuery`
    :param changes: see `AlertChanges`
    :param max_items: largest number of alerts that the query may find, up to 10,000; if it finds more, none is changed
    :param allow_match_all: whether the query may match all alerts
    :param dry_run: whether to count only
    :return: `BatchUpdate`
    :raises ValueError: if the query finds more alerts, or matches all
    :raises InvalidRequestError: if the server cannot read the query
    """
    changes = changes.parse()
    max_items = check_limits(alert_query, max_items, allow_match_all=allow_match_all)
    found = yield from queries.count(alert_query, no_delay=True)
    if found > max_items:
        raise ValueError(f"max_items is {max_items}, but the query finds {found} alerts; none was changed")
    user = yield from alerts.get_user_name(changes)
    differences = yield from _find_differences(alert_query, changes, user, max_items)
    missed = 0 if dry_run else (yield from _apply(alert_query, changes, user, differences))
    changed = 0 if dry_run else max(0, len(differences) - missed)
    log.info("Alerts: %d match, %d differ, %d were changed", found, len(differences), changed)
    return {"found": found, "to_change": len(differences), "changed": changed}


def check_limits(alert_query: AlertQuery, max_items: int, *, allow_match_all: bool) -> int:
    """Check the reach of an update by query, and return the largest number of alerts.

    :param alert_query: see `AlertQuery`
    :param max_items: largest number of alerts that the query may find
    :param allow_match_all: whether the query may match all alerts
    :raises ValueError: if an argument is invalid
    """
    alert_query.validate()
    max_items = parse_int("max_items", max_items, maximum=queries.MAX_ALERTS)
    if alert_query.matches_all and not allow_match_all:
        raise ValueError(f"query {alert_query.query!r} matches all alerts; to allow this, set allow_match_all=True")
    return max_items


def _find_differences(
    alert_query: AlertQuery, changes: AlertChanges, user: str, max_items: int
) -> Flow[dict[str, AlertChanges]]:
    """Return the changes that alerts lack and can get, by id."""
    differences = {}
    for alert in (yield from queries.search(alert_query, max_items, no_delay=True)):
        missing = changes.difference(alert, user)
        if alert.get("owner"):
            missing = missing._replace(take_ownership=False)
        if any(missing):
            differences[str(alert["alert_id"])] = missing
    return differences


def _apply(
    alert_query: AlertQuery, changes: AlertChanges, user: str, differences: Mapping[str, AlertChanges]
) -> Flow[int]:
    """Make the changes, and return how many alerts the query did not find any more."""
    alert_query = alert_query._replace(tc=None, tc_start=None)  # the ids select the alerts, and time goes on
    batch_changes = _select_batch_changes(changes)
    change = Request("POST", f"{API_PATH}/alert/all/batch/", json=_build_body(batch_changes), long_running=True)
    take = Request("GET", f"{API_PATH}/alert/ownership/batch/", idempotent=False, long_running=True)
    to_change = [alert_id for alert_id, missing in differences.items() if any(_select_batch_changes(missing))]
    to_take = [alert_id for alert_id, missing in differences.items() if missing.take_ownership]
    ownership = AlertChanges(take_ownership=True)
    missed = yield from _send_batches(change, alert_query, batch_changes, user, to_change)
    take_only = [alert_id for alert_id in to_take if alert_id not in to_change]
    missed += yield from _send_batches(take, alert_query, ownership, user, take_only)
    # the query may not find alerts any more that were changed a moment ago
    take_after = [alert_id for alert_id in to_take if alert_id in to_change]
    missed += yield from _send_batches(take, queries.ALL_ALERTS, ownership, user, take_after)
    for alert_id, missing in differences.items():
        if missing.verdict:
            yield from alerts.set_verdict(alert_id, missing.verdict)
    return missed


def _select_batch_changes(changes: AlertChanges) -> AlertChanges:
    """Return the changes that the server makes by one request."""
    return changes._replace(verdict=None, take_ownership=False)


def _build_body(changes: AlertChanges) -> dict[str, Sequence[str] | str | None]:
    return {
        "labels": changes.add_labels,
        "removed_labels": changes.remove_labels,
        "priority": changes.priority,
        "status": changes.status,
    }


def _send_batches(
    request: Request, alert_query: AlertQuery, changes: AlertChanges, user: str, ids: Sequence[str]
) -> Flow[int]:
    """Send a request for a batch of alerts at a time, and return how many it missed."""
    missed = 0
    for start in range(0, len(ids), BATCH_SIZE):
        batch = ids[start : start + BATCH_SIZE]
        batch_query = alert_query._replace(filters=[*alert_query.filters, f"alert_id:{lucene.quote_any(batch)}"])
        send = partial(_send, replace(request, query=batch_query.build_parameters()))
        changed, _ = yield from recovery.read_back(send, partial(_count_if_done, batch, changes, user))
        missed += max(0, len(batch) - changed)
    return missed


def _send(request: Request) -> Flow[int]:
    changed = (yield from call(request, _Changed))["success"]
    if changed is False:
        raise ServerError("the server did not change the alerts and gave no reason", path=request.path)
    return int(changed)


def _count_if_done(ids: Sequence[str], changes: AlertChanges, user: str) -> Flow[int | None]:
    """Return the number of alerts if all of them have the changes, else None."""
    by_id = AlertQuery(f"alert_id:{lucene.quote_any(ids)}")
    found = yield from queries.search(by_id, len(ids), no_delay=True)
    return None if any(any(changes.difference(alert, user)) for alert in found) else len(ids)
