"""Changing all alerts that a query finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from self_hosted.assemblyline.api.alert_changes import AlertChanges
from self_hosted.assemblyline.api.alert_updates import set_alert_verdict, user_of
from self_hosted.assemblyline.api.alerts import ALL, WINDOW, AlertQuery, alert_count, alerts
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.searching import any_of
from self_hosted.assemblyline.api.tagging import read_back
from self_hosted.core.errors import Broken
from self_hosted.core.flow import Flow, Request

TOGETHER = 50  # alerts of one request, whose ids are in its URL; servers take some 4,000 characters


def update_alerts(
    which: AlertQuery,
    changes: AlertChanges,
    at_most: int = 100,
    *,
    everything: bool = False,
    dry_run: bool = False,
) -> Flow[dict[str, int]]:
    """Change of all alerts that a query finds what differs: {found, to_change, changed}.

    The server's changes by query leave an entry in the history of each alert they find, whether it changes or not, and
    find those, too, that came in since the alerts were counted. So the alerts are looked at first, and those that lack
    something are changed by their ids, as long as the query still finds them. What others own is not taken. A verdict
    has no batch form, and costs a request for each alert.

    ``POST /api/v4/alert/all/batch/``, ``GET /api/v4/alert/ownership/batch/``

    :param which: see `AlertQuery`
    :param changes: see `AlertChanges`
    :param at_most: how many alerts the query may find, up to 10,000; when it finds more, nothing is changed
    :param everything: whether the query may be one that keeps no alert out
    :param dry_run: whether to count only
    :raises ValueError: when the query finds more, or takes all
    :raises Invalid: when the server cannot read the query
    """
    changes = changes.checked()
    check_reach(which, at_most, everything=everything)
    found = yield from alert_count(which, no_delay=True)
    if found > at_most:
        raise ValueError(f"at_most is {at_most}, and the query finds {found} alerts: none was changed")
    user = yield from user_of(changes)
    due = yield from _due(which, changes, user, at_most)
    missed = 0 if dry_run else (yield from _changed(which, changes, user, due))
    return {"found": found, "to_change": len(due), "changed": 0 if dry_run else max(0, len(due) - missed)}


def check_reach(which: AlertQuery, at_most: int, *, everything: bool) -> None:
    """Validate how many alerts may be changed.

    :param which: see `AlertQuery`
    :param at_most: how many the query may find
    :param everything: whether it may be one that keeps no alert out
    :raises ValueError: naming the argument
    """
    which.check()
    if not 1 <= at_most <= WINDOW:
        raise ValueError(f"at_most must be from 1 to {WINDOW}, which is all that Assemblyline shows, not {at_most}")
    if which.takes_all and not everything:
        raise ValueError(
            f"query must keep some alerts out, and {which.query!r} takes all: if you mean it, everything=True"
        )


def _due(which: AlertQuery, changes: AlertChanges, user: str, at_most: int) -> Flow[dict[str, AlertChanges]]:
    """What alerts lack, by id, for those that lack something that they can get."""
    due = {}
    for one in (yield from alerts(which, at_most, no_delay=True)):
        lacking = changes.due(one, user)
        if one.get("owner"):
            lacking = lacking._replace(take_ownership=False)
        if any(lacking):
            due[str(one["alert_id"])] = lacking
    return due


def _changed(which: AlertQuery, changes: AlertChanges, user: str, due: dict[str, AlertChanges]) -> Flow[int]:
    """Change them; how many the query did not find any more when it was their turn."""
    which = which._replace(tc=None, tc_start=None)  # the ids say it, and time goes on
    marks = _marks(changes)
    body = {
        "labels": marks.add_labels,
        "removed_labels": marks.remove_labels,
        "priority": marks.priority,
        "status": marks.status,
    }
    mark = Request("POST", f"{API}/alert/all/batch/", json=body, slow=True)
    take = Request("GET", f"{API}/alert/ownership/batch/", repeatable=False, slow=True)
    marked = [key for key, one in due.items() if any(_marks(one))]
    missed = yield from _sent(mark, which, marks, user, marked)
    owned, free = AlertChanges(take_ownership=True), [key for key, one in due.items() if one.take_ownership]
    missed += yield from _sent(take, which, owned, user, [key for key in free if key not in marked])
    # what was marked a moment ago the query may find no more
    missed += yield from _sent(take, ALL, owned, user, [key for key in free if key in marked])
    for alert_id, one in due.items():
        if one.verdict:
            yield from set_alert_verdict(alert_id, one.verdict)
    return missed


def _marks(changes: AlertChanges) -> AlertChanges:
    """What of it the server changes by one request."""
    return changes._replace(verdict=None, take_ownership=False)


def _sent(request: Request, which: AlertQuery, wanted: AlertChanges, user: str, ids: Sequence[str]) -> Flow[int]:
    """Send a request for so many alerts at a time; how many it missed."""
    missed = 0
    for start in range(0, len(ids), TOGETHER):
        some = ids[start : start + TOGETHER]
        query = which._replace(filters=[*which.filters, f"alert_id:{any_of(some)}"]).arguments()
        send = partial(_number, replace(request, query=query))
        changed, _ = yield from read_back(send, partial(_number_if_done, some, wanted, user))
        missed += max(0, len(some) - changed)
    return missed


def _number(request: Request) -> Flow[int]:
    changed = (yield from asked(request))["success"]
    if changed is False:
        raise Broken("the server did not change the alerts, and does not say why", path=request.path)
    return int(changed)


def _number_if_done(ids: Sequence[str], wanted: AlertChanges, user: str) -> Flow[int | None]:
    found = yield from alerts(AlertQuery(f"alert_id:{any_of(ids)}"), len(ids), no_delay=True)
    return None if any(any(wanted.due(one, user)) for one in found) else len(ids)
