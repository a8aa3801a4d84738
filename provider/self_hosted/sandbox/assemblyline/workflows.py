"""Workflows of the stand-in: they are kept, and mark alerts when they are run."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.search import search
from self_hosted.sandbox.stand_in import Table

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("MALICIOUS", "NON-MALICIOUS", "ASSESS", "TRIAGE")
FAILED = {"success": False}
KEPT = ("name", "query", "labels", "priority", "status", "classification")


class Workflows(Area):
    """What is kept are the workflows by their ids, each with the number of times that it was run."""

    name: ClassVar[str] = "workflow"

    def rows(self) -> Sequence[Row]:
        """The table."""
        manage, view = "workflow_manage", "workflow_view"
        return [
            Row("PUT", "/workflow/", self.add, manage, True),
            Row("GET", "/workflow/labels/", self.labels, view, True),
            Row("PUT", "/workflow/enable/{id}/", self.enable, manage, True),
            Row("GET", "/workflow/{id}/run/", self.run, manage, True),
            Row("GET", "/workflow/{id}/", self.workflow, view, True),
            Row("POST", "/workflow/{id}/", self.edit, manage, True),
            Row("DELETE", "/workflow/{id}/", self.remove, manage, True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The workflows."""
        return {"workflow": [{"id": id_, **_shown(one)} for id_, one in self.kept.items()]}

    def table(self) -> Table:
        """The workflows, newest first."""
        shown = ("name", "query", "enabled", "runs")
        return [{"id": id_, **{name: one[name] for name in shown}} for id_, one in reversed(self.kept.items())]

    async def add(self, request: Request, session: Session) -> Any:
        """Add one; without priority and status, be they null, the real server fails."""
        sent = await body_of(request)
        self._check(sent)
        if not {"priority", "status"} <= set(sent):
            raise Refusal(500, "Internal Server Error")
        for name, known in (("status", STATUSES), ("priority", PRIORITIES)):
            if sent[name] not in {None, "", *known}:
                raise Refusal(400, f"[{name}] {sent[name]} not in the possible values: {set(known)}", FAILED)
        id_, now = secrets.token_hex(11), moment("now")
        self.kept[id_] = {
            "classification": "TLP:C",
            "labels": [],
            **{name: sent[name] for name in KEPT if name in sent},
            "creation_date": now,
            "creator": session.user,
            "edited_by": session.user,
            "enabled": True,
            "first_seen": None,
            "hit_count": 0,
            "last_edit": now,
            "last_seen": None,
            "origin": "localhost",
            "runs": 0,
            "workflow_id": id_,
        }
        return {"success": True, "workflow_id": id_}

    async def edit(self, request: Request, session: Session) -> Any:
        """Change one; a priority or status that there is not makes the real server fail."""
        sent = await body_of(request)
        self._check(sent)
        found = self._found(request)
        if sent.get("priority") not in {None, *PRIORITIES} or sent.get("status") not in {None, *STATUSES}:
            raise Refusal(500, "Internal Server Error")
        found.update(sent, edited_by=session.user, last_edit=moment("now"))
        return {"success": True}

    async def enable(self, request: Request, session: Session) -> Any:
        """Switch one on or off."""
        enabled = (await body_of(request)).get("enabled")
        if enabled is None:
            raise Refusal(400, "Enabled field is required", FAILED)
        self._found(request).update(enabled=enabled, last_edit=moment("now"))
        return {"success": True}

    async def workflow(self, request: Request, session: Session) -> Any:
        """One of them."""
        return _shown(self._found(request))

    async def labels(self, request: Request, session: Session) -> Any:
        """Ten labels that most workflows give."""
        counted = Counter(label for one in self.kept.values() for label in one["labels"])
        return [label for label, _ in counted.most_common(10)]

    async def run(self, request: Request, session: Session) -> Any:
        """Run one; that is counted."""
        self._found(request)["runs"] += 1
        return {"success": True}

    async def remove(self, request: Request, session: Session) -> Any:
        """Delete one."""
        self._found(request)
        del self.kept[request.path_params["id"]]
        return {"success": True}

    def _check(self, sent: Mapping[str, Any]) -> None:
        for name in ("name", "query"):
            if not sent.get(name):
                raise Refusal(400, f"{name.title()} field is required", FAILED)
        try:
            search(self.product.indexed("alert"), {"query": sent["query"], "rows": 0}, "alert")
        except Refusal:
            raise Refusal(400, "Query contains an error", FAILED) from None

    def _found(self, request: Request) -> dict[str, Any]:
        id_ = request.path_params["id"]
        if id_ not in self.kept:
            raise Refusal(404, f"Workflow ID {id_} does not exist", FAILED)
        return self.kept[id_]  # type: ignore[no-any-return]


def _shown(workflow: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in workflow.items() if name != "runs"}
