"""Signatures: those that are seeded, and those that clients add. Fetches of sources add none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import search
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

PRODUCTION_STATUSES, DRAFT_STATUSES = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
NO_STATS: dict[str, Any] = {"avg": 0, "count": 0, "first_hit": None, "last_hit": None, "max": 0, "min": 0, "sum": 0}
STATS_FIELDS = ("id", "name", "type", "source", "classification")
MAX_DOWNLOADED = 1000
MODEL_FIELDS = (
    "classification",
    "data",
    "name",
    "order",
    "revision",
    "signature_id",
    "source",
    "status",
    "type",
)
DEFAULTS = {"order": 1, "revision": "1", "signature_id": None}
DUPLICATE_NAME = "A signature with that name already exists"
WRITE = ("POST", "PUT")


class Signatures(Resource):
    """The signatures. The state has signatures by id."""

    name: ClassVar[str] = "signatures"

    @classmethod
    def create_state(cls) -> Any:
        """Return no signatures and no sources."""
        return {"signatures": {}, "sources": {}, "fetch_seconds": 0.2}

    def seed(self, data: Any) -> None:
        """Add signatures and sources.

        :param data: ``signatures``: [{``signature_id``, ``name``, ``type``, ``source``, ``status``, ``data``}];
            ``sources``: {name of the service: [source]}; ``fetch_seconds``: duration of a fetch
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
        self.state["fetch_seconds"] = data.get("fetch_seconds", self.state["fetch_seconds"])

    @property
    def _signatures(self) -> dict[str, dict[str, Any]]:
        return self.state["signatures"]  # type: ignore[no-any-return]

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the signatures; a search shows their rules only on request."""
        return {"signature": list(self._signatures.values())}

    def build_table(self) -> Table | None:
        """Return the signatures, newest first; None if there are none."""
        columns = ("id", "name", "status", "revision")
        return [{name: row[name] for name in columns} for row in reversed(self._signatures.values())] or None

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

    @route(WRITE, "/signature/add_update/", role="signature_import")
    async def add_signature(self, request: Request, session: Session) -> Any:
        """Add a signature, or replace one with another rule: with the same rule, nothing else is stored either."""
        row = await read_json(request)
        if any(row.get(name) is None for name in ("type", "name", "data")):
            raise ApiError(400, "Signature id, name, type and data are mandatory fields.")
        row.setdefault("signature_id", row["name"])
        key = _build_key(row)
        if key in self._find_duplicates([row], row["source"], row["type"]) and _is_deduplicated(request):
            raise ApiError(400, DUPLICATE_NAME, {"success": False})
        if key not in self._signatures or self._signatures[key]["data"] != row["data"]:
            self._store(key, row)
        return {"success": True, "id": key}

    @route(WRITE, "/signature/add_update_many/", role="signature_import")
    async def add_signatures(self, request: Request, session: Session) -> Any:
        """Add or replace signatures; those whose name belongs to another id of the source are left out.

        Source and type of the query only select the names; those of each signature are stored.
        """
        rows, query = await read_json(request), request.query_params
        if "source" not in query or "sig_type" not in query or not isinstance(rows, list):
            raise ApiError(400, "Source, source type and data are mandatory fields.")
        is_checked = _is_deduplicated(request)
        skipped = self._find_duplicates(rows, query["source"], query["sig_type"]) if is_checked else []
        kept = [row for row in rows if _build_key(row) not in skipped]
        for row in kept:
            _complete(row)
        for row in kept:
            self._store(_build_key(row), row)
        return {"success": len(kept), "errors": False if kept else [], "skipped": skipped}

    def _find_duplicates(self, rows: Sequence[Mapping[str, Any]], source: str, type_: str) -> list[str]:
        ids = {row["name"]: _build_key(row) for row in rows}
        existing = [row for row in self._signatures.values() if (row["source"], row["type"]) == (source, type_)]
        return [ids[row["name"]] for row in existing if row["name"] in ids and ids[row["name"]] != row["id"]]

    def _store(self, key: str, row: Mapping[str, Any]) -> None:
        """Store a signature. A status that a user has set is kept if the new one is DEPLOYED."""
        old, new = self._signatures.get(key), _complete(row)
        if old and old.get("state_change_user") and new["status"] == "DEPLOYED":
            new["status"] = old["status"]
        kept: dict[str, Any] = {}
        if old:
            kept = {name: old[name] for name in ("stats", "state_change_user") if name in old}
        self._signatures[key] = {"stats": NO_STATS, **new, **kept, "id": key, "last_modified": get_current_time()}

    @route("DELETE", "/signature/{id}/", role="signature_manage")
    async def delete_signature(self, request: Request, session: Session) -> Any:
        """Delete a signature."""
        self._signatures.pop(self._get(request)["id"])
        return {"success": True}

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
        return self._get(request)

    def _get(self, request: Request) -> dict[str, Any]:
        signature = self._signatures.get(request.path_params["id"])
        if signature is None:
            raise ApiError(404, f"Signature not found. ({request.path_params['id']})")
        return signature


def _build_key(row: Mapping[str, Any]) -> str:
    return f"{row['type']}_{row['source']}_{row.get('signature_id', row['name'])}"


def _is_deduplicated(request: Request) -> bool:
    return request.query_params.get("dedup_name", "true").lower() == "true"


def _complete(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a signature with all fields; unknown ones are dropped.

    :raises ApiError: without a classification, which the real server does not expect, and for an invalid status
    """
    if "classification" not in row:
        raise internal_error()
    if "status" not in row:
        raise ApiError(400, "Object 'Signature' expected a parameter named: status")
    valid = {*PRODUCTION_STATUSES, *DRAFT_STATUSES, "INVALID"}
    if row["status"] not in valid:
        raise ApiError(400, f"[status] {row['status']} not in the possible values: {valid}")
    known = {**DEFAULTS, **{name: row[name] for name in MODEL_FIELDS if name in row}}
    # classifications are not enforced
    return {**known, "data": str(known["data"]), "revision": str(known["revision"]), "classification": "TLP:C"}


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
