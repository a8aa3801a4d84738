"""What changes the alerts of the stand-in, one by one or by query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.alert_documents import OPPOSITE, judge, mark
from self_hosted.sandbox.assemblyline.alerts import Alerts, asked_of
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.search import matching

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("MALICIOUS", "NON-MALICIOUS", "ASSESS", "TRIAGE")
MANAGE = "alert_manage"
Differing = Callable[[Mapping[str, Any]], dict[str, Any]]


class AlertChanges(Area):
    """It keeps nothing: what it changes lies with the alerts."""

    name: ClassVar[str] = "alert_changes"

    @property
    def alerts(self) -> Alerts:
        """What it changes."""
        return Alerts(self.product)

    def rows(self) -> Sequence[Row]:
        """The table. Batches come before the ids."""
        return [
            Row("POST", "/alert/all/batch/", self.all_batch, MANAGE, True),
            Row("POST", "/alert/all/{alert_id}/", self.all_of_one, MANAGE, True),
            *(
                Row(method, f"/alert/{name}/{of}/", handler, MANAGE, True)
                for of in ("batch", "{alert_id}")
                for method, name, handler in (
                    ("POST", "label", self.label),
                    ("DELETE", "label", self.label),
                    ("POST", "priority", self.priority),
                    ("POST", "status", self.status),
                    ("GET", "ownership", self.ownership),
                )
            ),
            Row("PUT", "/alert/verdict/{alert_id}/{verdict}/", self.verdict, MANAGE, True),
        ]

    async def label(self, request: Request, session: Session) -> Any:
        """Add or remove labels."""
        labels = _labels(await body_of(request))
        change = "labels" if request.method == "POST" else "labels_removed"

        def differing(alert: Mapping[str, Any]) -> dict[str, Any]:
            added = request.method == "POST"
            return {change: [one for one in labels if (one in alert["label"]) is not added]}

        return self._marked(request, session, {change: labels}, differing)

    async def priority(self, request: Request, session: Session) -> Any:
        """Set the priority."""
        return self._set(request, session, "priority", _word(await body_of(request), "priority", PRIORITIES))

    async def status(self, request: Request, session: Session) -> Any:
        """Set the status."""
        return self._set(request, session, "status", _word(await body_of(request), "status", STATUSES))

    async def ownership(self, request: Request, session: Session) -> Any:
        """Make the user the owner of what nobody owns."""
        if "alert_id" not in request.path_params:
            found = self._found(request)
            free = [one for one in found or [] if one["owner"] is None]
            for one in free:
                one["owner"] = session.user
            return {"success": False if found is None else len(free)}
        alert = self._alert(request)
        if alert["owner"] is not None:
            raise Refusal(403, f"Alert is already owned by {alert['owner']}", {"success": False})
        alert["owner"] = session.user
        return {"success": True}

    async def verdict(self, request: Request, session: Session) -> Any:
        """Note what the user says of the submission, at all of its alerts that the index has."""
        verdict, alert_id = request.path_params["verdict"], request.path_params["alert_id"]
        if verdict not in OPPOSITE:
            raise Refusal(400, f"'{verdict}' is not a valid verdict.", {"success": False})
        if alert_id not in self.alerts.raised():
            raise Refusal(404, f"There are no alert with id: {alert_id}", {"success": False})
        sid = self.alerts.raised()[alert_id]["sid"]
        found = [one for one in self.alerts.documents()["alert"] if one["sid"] == sid]
        submission = self.product.submissions.get(sid)
        for one in [*found, *([submission.document] if submission else [])]:
            judge(one["verdict"], session.user, verdict)
        return {"success": bool(found)}

    async def all_batch(self, request: Request, session: Session) -> Any:
        """Change all that a query finds in several ways at once."""
        asked = await body_of(request)
        priority, status = (str(asked.get(name) or "").upper() or None for name in ("priority", "status"))
        if priority not in {None, *PRIORITIES}:
            raise Refusal(400, f"Priority {priority} not in priorities", {"success": False})
        if status not in {None, *STATUSES}:
            raise Refusal(400, f"Status '{status}' not in statuses", {"success": False})
        labels, removed = _labels(asked.get("labels", [])), _labels(asked.get("removed_labels", []))
        changes = {"priority": priority, "status": status, "labels": labels, "labels_removed": removed}
        return self._marked(request, session, changes, lambda _: changes)

    async def all_of_one(self, request: Request, session: Session) -> Any:
        """It never worked."""
        raise Refusal(500, "Internal Server Error", {})

    # What handlers share

    def _set(self, request: Request, session: Session, name: str, value: str) -> Any:
        def differing(alert: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value if alert[name] != value else None}

        return self._marked(request, session, {name: value}, differing)

    def _marked(self, request: Request, session: Session, changes: Mapping[str, Any], differing: Differing) -> Any:
        """Change one alert in what differs, or whatever a query finds; a query that is none only says no success."""
        if "alert_id" in request.path_params:
            alert = self._alert(request)
            if any(differing(alert).values()):
                mark(alert, session.user, differing(alert))
            return {"success": True}
        found = self._found(request)
        for one in found or []:
            mark(one, session.user, changes)
        return {"success": False if found is None else len(found)}

    def _alert(self, request: Request) -> dict[str, Any]:
        alert_id = request.path_params["alert_id"]
        if alert_id not in self.alerts.raised():
            raise Refusal(404, f"Alert ID {alert_id} not found", {"success": False})
        return self.alerts.raised()[alert_id]

    def _found(self, request: Request) -> list[dict[str, Any]] | None:
        """All that a query finds, however young; None when it is none."""
        known = self.alerts.raised()
        try:
            return [known[one["alert_id"]] for one in matching(self.alerts.index(), asked_of(request))]
        except Refusal:
            return None


def _labels(given: Any) -> list[str]:
    """Labels in upper case, each once; of a text each letter is one."""
    try:
        return list(dict.fromkeys(label.upper() for label in given))
    except (AttributeError, TypeError):
        raise Refusal(500, "Internal Server Error") from None


def _word(given: Any, what: str, known: Sequence[str]) -> str:
    if not isinstance(given, str):
        raise Refusal(500, "Internal Server Error")
    if given.upper() not in known:
        raise Refusal(400, f"Invalid {what} received.", {"success": False})
    return given.upper()
