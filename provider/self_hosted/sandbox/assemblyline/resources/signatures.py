"""Signatures, which exist only if they are seeded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import search
from self_hosted.sandbox.routing import route

PRODUCTION_STATUSES, DRAFT_STATUSES = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
NO_STATS: dict[str, Any] = {"avg": 0, "count": 0, "first_hit": None, "last_hit": None, "max": 0, "min": 0, "sum": 0}
STATS_FIELDS = ("id", "name", "type", "source", "classification")
MAX_DOWNLOADED = 1000


class Signatures(Resource):
    """The signatures. The state has signatures by id."""

    name: ClassVar[str] = "signatures"

    @classmethod
    def create_state(cls) -> Any:
        """Return no signatures and no sources."""
        return {"signatures": {}, "sources": {}}

    def seed(self, data: Any) -> None:
        """Add signatures and sources.

        :param data: ``signatures``: [{``signature_id``, ``name``, ``type``, ``source``, ``status``, ``data``}];
            ``sources``: {name of the service: [source]}
        """
        for signature in data.get("signatures", []):
            id_ = f"{signature['type']}_{signature['source']}_{signature['signature_id']}"
            defaults = {
                "classification": "TLP:C",
                "revision": "1",
                "last_modified": get_current_time(),
                "stats": NO_STATS,
            }
            self._signatures[id_] = {**defaults, **signature, "id": id_}
        self.state["sources"].update(data.get("sources", {}))

    @property
    def _signatures(self) -> dict[str, dict[str, Any]]:
        return self.state["signatures"]  # type: ignore[no-any-return]

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the signatures without their rules."""
        return {"signature": [_without_data(signature) for signature in self._signatures.values()]}

    @route("GET", "/signature/stats/", role="signature_view")
    async def list_stats(self, request: Request, session: Session) -> Any:
        """Return the number of hits of each signature."""
        return [
            {**{name: signature[name] for name in STATS_FIELDS}, **NO_STATS, **signature["stats"]}
            for signature in self._signatures.values()
        ]

    @route("GET", "/signature/download/", role="signature_download")
    async def download(self, request: Request, session: Session) -> Any:
        """Return a zip archive with a file of rules for each type and source."""
        query = request.query_params.get("query", "status:DEPLOYED")
        params = {"query": query, "rows": MAX_DOWNLOADED, "fl": "type,source,data"}
        files: dict[str, list[str]] = {}
        for signature in search(list(self._signatures.values()), params, "signature")["items"]:
            files.setdefault(f"{signature['type']}/{signature['source']}", []).append(signature["data"])
        return Response(_build_zip(files), media_type="application/zip")

    @route("GET", "/signature/change_status/{id}/{status}/", role="signature_manage")
    async def change_status(self, request: Request, session: Session) -> Any:
        """Change the status. For an invalid change, the real server has an unhandled exception."""
        status, signature = request.path_params["status"], self._signatures.get(request.path_params["id"])
        if signature is None or not _is_change_allowed(signature["status"], status):
            raise internal_error()
        if status not in {"DISABLED", "TESTING"}:
            self._disable_others(signature, status)
        signature.update(status=status, last_modified=get_current_time(), state_change_user=session.user)
        return {"success": True}

    def _disable_others(self, signature: Mapping[str, Any], status: str) -> None:
        for other in self._signatures.values():
            is_version = other is not signature and other["signature_id"] == signature["signature_id"]
            if is_version and other["status"] == status:
                other["status"] = "DISABLED"

    @route("GET", "/signature/{id}/", role="signature_view")
    async def get_signature(self, request: Request, session: Session) -> Any:
        """Return a signature."""
        signature = self._signatures.get(request.path_params["id"])
        if signature is None:
            raise ApiError(404, f"Signature not found. ({request.path_params['id']})")
        return signature


def _without_data(signature: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in signature.items() if name != "data"}


def _is_change_allowed(status: str, new_status: str) -> bool:
    if new_status not in {*PRODUCTION_STATUSES, *DRAFT_STATUSES}:
        return False
    if status == "INVALID":
        return new_status in DRAFT_STATUSES
    return not (status in PRODUCTION_STATUSES and new_status in DRAFT_STATUSES)


def _build_zip(files: Mapping[str, list[str]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, rules in files.items():
            archive.writestr(name, "\n\n".join(rules))
    return target.getvalue()
