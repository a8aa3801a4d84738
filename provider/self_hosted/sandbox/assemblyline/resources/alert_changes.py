"""Changes of single alerts, and of all alerts that match a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.alerts.documents import apply_changes
from self_hosted.sandbox.assemblyline.alerts.queries import build_search_params
from self_hosted.sandbox.assemblyline.alerts.store import AlertStore
from self_hosted.sandbox.assemblyline.alerts.values import (
    PRIORITIES,
    STATUSES,
    parse_labels,
    parse_optional_value,
    parse_value,
)
from self_hosted.sandbox.assemblyline.alerts.verdicts import check_verdict, set_verdict
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import match_documents
from self_hosted.sandbox.routing import route

MANAGE = "alert_manage"
FAILURE = {"success": False}
SelectChanges = Callable[[Mapping[str, Any]], dict[str, Any]]


class AlertChanges(Resource):
    """Changes of alerts. There is no state: the alerts are in `AlertStore`."""

    name: ClassVar[str] = "alert_changes"

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = AlertStore(server)

    @route("POST", "/alert/label/batch/", role=MANAGE)
    @route("POST", "/alert/label/{alert_id}/", role=MANAGE)
    async def add_labels(self, request: Request, session: Session) -> Any:
        """Add labels."""
        labels = parse_labels(await read_json(request))

        def select(alert: Mapping[str, Any]) -> dict[str, Any]:
            return {"labels": [label for label in labels if label not in alert["label"]]}

        return self._change(request, session, {"labels": labels}, select)

    @route("DELETE", "/alert/label/batch/", role=MANAGE)
    @route("DELETE", "/alert/label/{alert_id}/", role=MANAGE)
    async def remove_labels(self, request: Request, session: Session) -> Any:
        """Remove labels."""
        labels = parse_labels(await read_json(request))

        def select(alert: Mapping[str, Any]) -> dict[str, Any]:
            return {"labels_removed": [label for label in labels if label in alert["label"]]}

        return self._change(request, session, {"labels_removed": labels}, select)

    @route("POST", "/alert/priority/batch/", role=MANAGE)
    @route("POST", "/alert/priority/{alert_id}/", role=MANAGE)
    async def set_priority(self, request: Request, session: Session) -> Any:
        """Set the priority."""
        return self._set(request, session, "priority", parse_value(await read_json(request), "priority", PRIORITIES))

    @route("POST", "/alert/status/batch/", role=MANAGE)
    @route("POST", "/alert/status/{alert_id}/", role=MANAGE)
    async def set_status(self, request: Request, session: Session) -> Any:
        """Set the status."""
        return self._set(request, session, "status", parse_value(await read_json(request), "status", STATUSES))

    @route("GET", "/alert/ownership/batch/", role=MANAGE)
    async def take_many(self, request: Request, session: Session) -> Any:
        """Make the user the owner of the matching alerts without an owner."""
        matching = self._match(request)
        without_owner = [alert for alert in matching or [] if alert["owner"] is None]
        for alert in without_owner:
            alert["owner"] = session.user
        return {"success": False if matching is None else len(without_owner)}

    @route("GET", "/alert/ownership/{alert_id}/", role=MANAGE)
    async def take_one(self, request: Request, session: Session) -> Any:
        """Make the user the owner of an alert without an owner."""
        alert = self._find(request)
        if alert["owner"] is not None:
            raise ApiError(403, f"Alert is already owned by {alert['owner']}", FAILURE)
        alert["owner"] = session.user
        return {"success": True}

    @route("PUT", "/alert/verdict/{alert_id}/{verdict}/", role=MANAGE)
    async def set_verdict(self, request: Request, session: Session) -> Any:
        """Set the verdict of the user on the submission and on all of its alerts that searches find."""
        verdict, alert_id = request.path_params["verdict"], request.path_params["alert_id"]
        check_verdict(verdict)
        alerts = self.store.list_all()
        if alert_id not in alerts:
            raise ApiError(404, f"There are no alert with id: {alert_id}", FAILURE)
        sid = alerts[alert_id]["sid"]
        found = [alert for alert in self.store.list_indexed() if alert["sid"] == sid]
        submission = self.server.store.submissions.get(sid)
        for document in [*found, *([submission.document] if submission else [])]:
            set_verdict(document, session.user, verdict)
        return {"success": bool(found)}

    @route("POST", "/alert/all/batch/", role=MANAGE)
    async def change_many(self, request: Request, session: Session) -> Any:
        """Change labels, priority and status of all matching alerts."""
        body = await read_json(request)
        changes = {
            "priority": parse_optional_value(body.get("priority"), PRIORITIES, "Priority {} not in priorities"),
            "status": parse_optional_value(body.get("status"), STATUSES, "Status '{}' not in statuses"),
            "labels": parse_labels(body.get("labels", [])),
            "labels_removed": parse_labels(body.get("removed_labels", [])),
        }
        return self._change(request, session, changes, lambda _: changes)

    @route("POST", "/alert/all/{alert_id}/", role=MANAGE)
    async def change_one(self, request: Request, session: Session) -> Any:
        """Fail: the real server has an unhandled exception for any request."""
        raise internal_error({})

    def _set(self, request: Request, session: Session, name: str, value: str) -> Any:
        def select(alert: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value if alert[name] != value else None}

        return self._change(request, session, {name: value}, select)

    def _change(self, request: Request, session: Session, changes: Mapping[str, Any], select: SelectChanges) -> Any:
        """Change one alert if the changes make a difference, or all matching alerts in any case.

        :param select: returns the changes that make a difference for an alert
        """
        if "alert_id" in request.path_params:
            alert = self._find(request)
            if any(select(alert).values()):
                apply_changes(alert, session.user, select(alert))
            return {"success": True}
        matching = self._match(request)
        for alert in matching or []:
            apply_changes(alert, session.user, changes)
        return {"success": False if matching is None else len(matching)}

    def _find(self, request: Request) -> dict[str, Any]:
        alert = self.store.list_all().get(request.path_params["alert_id"])
        if alert is None:
            raise ApiError(404, f"Alert ID {request.path_params['alert_id']} not found", FAILURE)
        return alert

    def _match(self, request: Request) -> list[dict[str, Any]] | None:
        """Return all matching alerts without delay; None for an invalid query."""
        alerts = self.store.list_all()
        try:
            matching = match_documents(self.store.build_index(), build_search_params(request))
        except ApiError:
            return None
        return [alerts[alert["alert_id"]] for alert in matching]
