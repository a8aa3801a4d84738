"""The signatures and heuristics of the stand-in: only what is seeded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.search import search

IN_FORCE, DRAFTS = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
NO_STATS: dict[str, Any] = {"avg": 0, "count": 0, "first_hit": None, "last_hit": None, "max": 0, "min": 0, "sum": 0}


class Signatures(Area):
    """What is kept are signatures by id, and sources by service."""

    name: ClassVar[str] = "signatures"

    @classmethod
    def fresh(cls) -> Any:
        """None."""
        return {"signatures": {}, "sources": {}}

    def seed(self, data: Any) -> None:
        """Add signatures and sources.

        :param data: ``signatures``, each with signature_id, name, type, source, status and data; ``sources``, lists by
            the name of the service
        """
        for one in data.get("signatures", []):
            number = f"{one['type']}_{one['source']}_{one['signature_id']}"
            known = {"classification": "TLP:C", "revision": "1", "last_modified": moment("now"), "stats": NO_STATS}
            self.kept["signatures"][number] = {**known, **one, "id": number}
        self.kept["sources"].update(data.get("sources", {}))

    def rows(self) -> Sequence[Row]:
        """The routes below ``/signature``."""
        manage, sources = "signature_manage", "/signature/sources"
        return [
            Row("GET", "/signature/stats/", self.stats, "signature_view", True),
            Row("GET", "/signature/download/", self.download, "signature_download", True),
            Row("GET", "/signature/change_status/{id}/{status}/", self.change_status, manage, True),
            Row("GET", f"{sources}/", self.sources, manage, True),
            Row("PUT", f"{sources}/update/{{service}}/", self.update_sources, manage, True),
            Row("PUT", f"{sources}/enable/{{service}}/{{name}}/", self.enable_source, manage, True),
            Row("GET", "/signature/{id}/", self.signature, "signature_view", True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """All of them, without the rules themselves."""
        found = self.kept["signatures"].values()
        return {"signature": [{name: one[name] for name in one if name != "data"} for one in found]}

    async def signature(self, request: Request, session: Session) -> Any:
        """One signature."""
        found = self.kept["signatures"].get(request.path_params["id"])
        if found is None:
            raise Refusal(404, f"Signature not found. ({request.path_params['id']})")
        return found

    async def stats(self, request: Request, session: Session) -> Any:
        """How often each hit."""
        names = ("id", "name", "type", "source", "classification")
        found = self.kept["signatures"].values()
        return [{**{name: one[name] for name in names}, **NO_STATS, **one["stats"]} for one in found]

    async def change_status(self, request: Request, session: Session) -> Any:
        """Set a status. The server means to refuse in words, forgets to, and fails."""
        wanted, found = request.path_params["status"], self.kept["signatures"].get(request.path_params["id"])
        if found is None or not _may_become(found["status"], wanted):
            raise Refusal(500, "Internal Server Error")
        if wanted not in {"DISABLED", "TESTING"}:
            for other in self.kept["signatures"].values():
                if other is not found and other["signature_id"] == found["signature_id"] and other["status"] == wanted:
                    other["status"] = "DISABLED"
        found.update(status=wanted, last_modified=moment("now"), state_change_user=session.user)
        return {"success": True}

    async def sources(self, request: Request, session: Session) -> Any:
        """Sources by service, with all their secrets."""
        return {
            service: {"sources": sources, "update_interval_seconds": 600, "default_pattern": ".*"}
            for service, sources in self.kept["sources"].items()
        }

    async def update_sources(self, request: Request, session: Session) -> Any:
        """Fetch sources anew; the names of unknown ones are left out."""
        service = request.path_params["service"]
        if service not in self.kept["sources"]:
            words = "{service} doesn't contain an update configuration."  # noqa: RUF027 so it says
            raise Refusal(404, words, {"success": False})
        names = [source["name"] for source in self.kept["sources"][service]]
        asked = request.query_params.get("sources", "")
        wanted = [name for name in names if not asked or name in asked.split(",")]
        for source in self.kept["sources"][service]:
            if source["name"] in wanted:
                source["status"] = {"state": "UPDATING", "message": "Queued for update..", "ts": moment("now")}
        return {"success": True, "sources": wanted}

    async def enable_source(self, request: Request, session: Session) -> Any:
        """Enable or disable one; the server fails on an unknown one."""
        sent, name = await body_of(request), request.path_params["name"]
        found = [one for one in self.kept["sources"].get(request.path_params["service"], []) if one["name"] == name]
        if not found:
            raise Refusal(500, "Internal Server Error")
        found[0]["enabled"] = sent["enabled"]
        return {"success": True}

    async def download(self, request: Request, session: Session) -> Any:
        """A zip archive of rules, one file for each type and source."""
        wanted = {"query": request.query_params.get("query", "status:DEPLOYED"), "rows": 1000, "fl": "type,source,data"}
        files: dict[str, list[str]] = {}
        for found in search(list(self.kept["signatures"].values()), wanted, "signature")["items"]:
            files.setdefault(f"{found['type']}/{found['source']}", []).append(found["data"])
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            for name, rules in files.items():
                written.writestr(name, "\n\n".join(rules))
        return Response(archive.getvalue(), media_type="application/zip")


def _may_become(status: str, wanted: str) -> bool:
    if wanted not in {*IN_FORCE, *DRAFTS}:
        return False
    return wanted in DRAFTS if status == "INVALID" else not (status in IN_FORCE and wanted in DRAFTS)


class Heuristics(Area):
    """What is kept are heuristics by id."""

    name: ClassVar[str] = "heuristics"

    def seed(self, data: Any) -> None:
        """Add heuristics.

        :param data: each with heur_id and name
        """
        known = {"classification": "TLP:C", "filetype": "*", "score": 0, "description": "", "stats": NO_STATS}
        self.kept.update({one["heur_id"]: {**known, **one, "id": one["heur_id"]} for one in data})

    def rows(self) -> Sequence[Row]:
        """The routes below ``/heuristics``."""
        return [
            Row("GET", "/heuristics/stats/", self.stats, "heuristic_view", True),
            Row("GET", "/heuristics/{id}/", self.heuristic, "heuristic_view", True),
        ]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """All of them."""
        return {"heuristic": list(self.kept.values())}

    async def heuristic(self, request: Request, session: Session) -> Any:
        """One heuristic."""
        if request.path_params["id"] not in self.kept:
            raise Refusal(404, "Heuristic not found")
        return self.kept[request.path_params["id"]]

    async def stats(self, request: Request, session: Session) -> Any:
        """How often each was raised."""
        names = ("heur_id", "name", "classification")
        return [{**{name: one[name] for name in names}, **NO_STATS, **one["stats"]} for one in self.kept.values()]
