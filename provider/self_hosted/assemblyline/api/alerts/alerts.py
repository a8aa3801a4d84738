"""Single alerts: read and update them.

https://cybercentrecanada.github.io/assemblyline4_docs/user_manual/alerts/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from self_hosted.assemblyline.api import ids, recovery
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.types import AlertDocument, UpdatedAlert
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.http.errors import PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger, shorten
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)

# "batch" changes all alerts
ENDPOINTS = frozenset({"batch", "labels", "list", "priorities", "related", "statistics", "statuses"})
"""The words in place of an id that are other endpoints."""


def build_page_url(base_url: str, alert_id: str) -> str:
    """Return the URL of an alert's page in the UI.

    :param base_url: the connection's base URL
    :param alert_id: id of the alert
    """
    return f"{base_url}{ids.build_page_path('alerts', alert_id)}"


def get(alert_id: str) -> Flow[dict[str, Any]]:
    """Return one alert, always up to date.

    ``GET /api/v4/alert/<id>/``

    :param alert_id: id of the alert: that of its ingest, or else of its submission
    :raises NotFoundError: if it does not exist, or the user may not see it
    """
    return call_object(Request("GET", _build_path(alert_id)), AlertDocument)


def update(alert_id: str, changes: AlertChanges) -> Flow[UpdatedAlert]:
    """Make the changes that an alert does not have yet.

    Ownership comes first, so that an alert of another owner stays as it is.

    :param alert_id: id of the alert
    :param changes: see `AlertChanges`
    :return: `UpdatedAlert`
    :raises ValueError: if a change is invalid
    :raises PermissionDeniedError: if the alert is to be taken and has another owner
    :raises NotFoundError: if it does not exist
    """
    check_alert_id(alert_id)
    changes = changes.parse()
    alert = yield from get(alert_id)
    user = yield from get_user_name(changes)
    missing = changes.difference(alert, user)
    if missing.take_ownership:
        yield from _take_for(user, alert_id)
    for name, change in _CHANGE_FLOWS.items():
        value = getattr(missing, name)
        if value:
            yield from change(alert_id, value)
    if any(missing):
        alert = yield from get(alert_id)
    else:
        log.info("Alert %s: nothing differs", alert_id)
    return UpdatedAlert(
        alert_id=alert["alert_id"],
        sid=alert.get("sid"),
        priority=alert.get("priority"),
        status=alert.get("status"),
        owner=alert.get("owner"),
        labels=alert.get("label") or [],
        changed=[name for name, value in missing._asdict().items() if value],
    )


def get_user_name(changes: AlertChanges) -> Flow[str]:
    """Return the name of the user, or "" if the changes do not depend on it.

    :param changes: see `AlertChanges`
    """
    if not changes.depends_on_user:
        return ""
    return (yield from account.get_username())


def add_labels(alert_id: str, labels: Sequence[str]) -> Flow[None]:
    """Add labels to an alert; its other labels remain.

    ``POST /api/v4/alert/label/<id>/``

    :param alert_id: id of the alert
    :param labels: texts; stored in upper case
    :raises NotFoundError: if the alert does not exist
    """
    parsed = AlertChanges(add_labels=labels).parse().add_labels
    yield from _change("POST", _build_path(alert_id, "label"), parsed)
    log.info("Alert %s: added labels %s", alert_id, shorten(parsed))


def remove_labels(alert_id: str, labels: Sequence[str]) -> Flow[None]:
    """Remove labels from an alert; labels that it does not have are ignored.

    ``DELETE /api/v4/alert/label/<id>/``

    :param alert_id: id of the alert
    :param labels: texts, in upper or lower case
    :raises NotFoundError: if the alert does not exist
    """
    parsed = AlertChanges(remove_labels=labels).parse().remove_labels
    yield from _change("DELETE", _build_path(alert_id, "label"), parsed)
    log.info("Alert %s: removed labels %s", alert_id, shorten(parsed))


def set_priority(alert_id: str, priority: str) -> Flow[None]:
    """Set the priority of an alert.

    ``POST /api/v4/alert/priority/<id>/``

    :param alert_id: id of the alert
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :raises NotFoundError: if the alert does not exist
    """
    parsed = AlertChanges(priority=priority).parse().priority
    yield from _change("POST", _build_path(alert_id, "priority"), parsed)
    log.info("Alert %s: priority set to %s", alert_id, parsed)


def set_status(alert_id: str, status: str) -> Flow[None]:
    """Set the status of an alert.

    ``POST /api/v4/alert/status/<id>/``

    :param alert_id: id of the alert
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :raises NotFoundError: if the alert does not exist
    """
    parsed = AlertChanges(status=status).parse().status
    yield from _change("POST", _build_path(alert_id, "status"), parsed)
    log.info("Alert %s: status set to %s", alert_id, parsed)


def set_verdict(alert_id: str, verdict: str) -> Flow[None]:
    """Set the user's verdict on an alert's submission; it applies to all alerts of that submission.

    ``PUT /api/v4/alert/verdict/<id>/<verdict>/``

    :param alert_id: id of the alert
    :param verdict: malicious or non_malicious; replaces the user's earlier verdict
    :raises NotFoundError: if the alert does not exist
    """
    parsed = str(AlertChanges(verdict=verdict).parse().verdict)
    yield from _change("PUT", _build_path(alert_id, "verdict", parsed))
    log.info("Alert %s: verdict set to %s", alert_id, parsed)


def take_ownership(alert_id: str) -> Flow[None]:
    """Make the user the owner of an alert.

    ``GET /api/v4/alert/ownership/<id>/``, which is not idempotent though it is a GET

    :param alert_id: id of the alert
    :raises PermissionDeniedError: if it has another owner; the message names the owner
    :raises NotFoundError: if the alert does not exist
    """
    check_alert_id(alert_id)
    yield from _take_for((yield from get_user_name(AlertChanges(take_ownership=True))), alert_id)


def check_alert_id(alert_id: str) -> str:
    """Return the id of an alert.

    :param alert_id: id of the alert
    :raises ValueError: if it would reach another endpoint
    """
    return ids.check_segment("alert_id", alert_id, ENDPOINTS)


def _build_path(alert_id: str, part: str = "", *values: str) -> str:
    """Return the path of an alert, or of a part of it."""
    return f"{API_PATH}{url_path('alert', *filter(None, [part]), check_alert_id(alert_id), *values)}/"


def _change(method: str, path: str, *body: Any) -> Flow[None]:
    """Make an idempotent change.

    The server does nothing and reports no success in two cases: another user changes the alert at the same moment, or
    the index from which it takes the alerts of a verdict does not hold the alert yet.
    """
    request = Request(method, path, idempotent=True, **({"json": body[0]} if body else {}))
    if not (yield from poll_for_effect(partial(_send, request))):
        raise ServerError("the server did not change the alert and gave no reason", method=method, path=path)


def _send(request: Request) -> Flow[bool | None]:
    return (yield from call(request, Success))["success"] or None


def _take_for(user: str, alert_id: str) -> Flow[None]:
    owner, _ = yield from recovery.read_back(partial(_take, alert_id, user), partial(_get_owner, alert_id))
    if owner != user:
        raise PermissionDeniedError(f"alert {alert_id} is already owned by {owner}")
    log.info("Alert %s: owned by %s", alert_id, owner)


def _take(alert_id: str, user: str) -> Flow[str]:
    request = Request("GET", _build_path(alert_id, "ownership"), idempotent=False)
    try:
        is_taken = yield from poll_for_effect(partial(_send, request))
    except PermissionDeniedError:
        owner = yield from _get_owner(alert_id)
        if owner is None:  # the request was denied for another reason
            raise
        return owner
    if not is_taken:
        raise ServerError("the server did not change the owner and gave no reason", method="GET", path=request.path)
    return user


def _get_owner(alert_id: str) -> Flow[str | None]:
    alert = yield from get(alert_id)
    return alert.get("owner")


_CHANGE_FLOWS = {
    "add_labels": add_labels,
    "remove_labels": remove_labels,
    "priority": set_priority,
    "status": set_status,
    "verdict": set_verdict,
}
