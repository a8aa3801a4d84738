"""Changing one alert: its labels, priority, status and verdict, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.alert_changes import AlertChanges
from self_hosted.assemblyline.api.alerts import alert
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.tagging import read_back
from self_hosted.core.errors import Broken, Forbidden
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.lost_answers import looked_for


def add_alert_labels(alert_id: str, labels: Sequence[str]) -> Flow[None]:
    """Add labels to an alert; those that it has already stay.

    ``POST /api/v4/alert/label/<id>/``

    :param alert_id: its id
    :param labels: texts, which the server keeps in upper case
    :raises NotFound: when there is no such alert
    """
    return _changed("POST", ("label", alert_id), AlertChanges(add_labels=labels).checked().add_labels)


def remove_alert_labels(alert_id: str, labels: Sequence[str]) -> Flow[None]:
    """Take labels off an alert; those that it does not have do not matter.

    ``DELETE /api/v4/alert/label/<id>/``

    :param alert_id: its id
    :param labels: texts, in any case
    :raises NotFound: when there is no such alert
    """
    return _changed("DELETE", ("label", alert_id), AlertChanges(remove_labels=labels).checked().remove_labels)


def set_alert_priority(alert_id: str, priority: str) -> Flow[None]:
    """Set an alert's priority.

    ``POST /api/v4/alert/priority/<id>/``

    :param alert_id: its id
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :raises NotFound: when there is no such alert
    """
    return _changed("POST", ("priority", alert_id), AlertChanges(priority=priority).checked().priority)


def set_alert_status(alert_id: str, status: str) -> Flow[None]:
    """Set an alert's status.

    ``POST /api/v4/alert/status/<id>/``

    :param alert_id: its id
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :raises NotFound: when there is no such alert
    """
    return _changed("POST", ("status", alert_id), AlertChanges(status=status).checked().status)


def set_alert_verdict(alert_id: str, verdict: str) -> Flow[None]:
    """Say what the user thinks of an alert's submission; it holds for all alerts of that submission.

    ``PUT /api/v4/alert/verdict/<id>/<verdict>/``

    :param alert_id: its id
    :param verdict: malicious or non_malicious; it replaces what the user said before
    :raises NotFound: when there is no such alert
    """
    return _changed("PUT", ("verdict", alert_id, str(AlertChanges(verdict=verdict).checked().verdict)))


def _changed(method: str, segments: Sequence[str], *body: Any) -> Flow[None]:
    """Change an alert in a way that is harmless to repeat.

    The server does nothing, and says no success, when somebody else changes the alert at the same moment, and when
    the index from which it takes the alerts of a verdict does not have it yet.
    """
    path, sent = f"{API}{url_path('alert', *segments)}/", {"json": body[0]} if body else {}
    request = Request(method, path, repeatable=True, **sent)
    if not (yield from looked_for(partial(_success, request))):
        raise Broken("the server did not change the alert, and does not say why", method=method, path=path)


def _success(request: Request) -> Flow[bool | None]:
    answer = yield from asked(request)
    return bool(answer["success"]) or None


def take_alert(alert_id: str) -> Flow[None]:
    """Make the user the owner of an alert, unless it is already.

    ``GET /api/v4/alert/ownership/<id>/``, which is never repeated blindly though it is a GET.

    :param alert_id: its id
    :raises Forbidden: when somebody else owns it, naming who
    :raises NotFound: when there is no such alert
    """
    yield from _taken_by((yield from user_of(AlertChanges(take_ownership=True))), alert_id)


def _taken_by(user: str, alert_id: str) -> Flow[None]:
    owner, _ = yield from read_back(partial(_taken, alert_id, user), partial(_owner, alert_id))
    if owner != user:
        raise Forbidden(f"alert {alert_id} is already owned by {owner}")


def _taken(alert_id: str, user: str) -> Flow[str]:
    request = Request("GET", f"{API}{url_path('alert', 'ownership', alert_id)}/", repeatable=False)
    try:
        taken = yield from looked_for(partial(_success, request))
    except Forbidden:
        owner = yield from _owner(alert_id)
        if owner is None:  # it was not refused for its owner
            raise
        return owner
    if not taken:
        raise Broken("the server did not change the owner, and does not say why", method="GET", path=request.path)
    return user


def _owner(alert_id: str) -> Flow[str | None]:
    found = yield from alert(alert_id)
    return found.get("owner")


def update_alert(alert_id: str, changes: AlertChanges) -> Flow[dict[str, Any]]:
    """Change of an alert what differs: {alert_id, sid, changed, labels, priority, status, owner}.

    ``changed`` names the fields of `AlertChanges` that made a difference. Ownership comes first, so that the alert of
    somebody else stays as it is.

    :param alert_id: its id
    :param changes: see `AlertChanges`
    :raises Forbidden: when it is to be taken, and somebody else owns it
    :raises NotFound: when there is no such alert
    """
    changes = changes.checked()
    found = yield from alert(alert_id)
    user = yield from user_of(changes)
    due = changes.due(found, user)
    if due.take_ownership:
        yield from _taken_by(user, alert_id)
    for name, change in _CHANGES.items():
        value = getattr(due, name)
        if value:
            yield from change(alert_id, value)
    if any(due):
        found = yield from alert(alert_id)
    return {
        **{name: found.get(name) for name in ("alert_id", "sid", "priority", "status", "owner")},
        "labels": found.get("label") or [],
        "changed": [name for name, value in due._asdict().items() if value],
    }


def user_of(changes: AlertChanges) -> Flow[str]:
    """The name of the user, where it matters.

    :param changes: see `AlertChanges`
    """
    if not changes.names_user:
        return ""
    user, _ = yield from account()
    return str(user["username"])


_CHANGES = {
    "add_labels": add_alert_labels,
    "remove_labels": remove_alert_labels,
    "priority": set_alert_priority,
    "status": set_alert_status,
    "verdict": set_alert_verdict,
}
