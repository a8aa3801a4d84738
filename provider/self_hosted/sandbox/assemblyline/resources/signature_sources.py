"""Sources of signatures. They are seeded with the signatures, or added by clients.

A fetch takes ``fetch_seconds``. A source whose host ends in ``.invalid`` fails, and one that is disabled is skipped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.routing import route

UPDATE_INTERVAL_SECONDS = 600
NEVER = "1970-01-01T00:00:00Z"
QUEUED = {"state": "UPDATING", "message": "Queued for update.."}
BOOLEANS = (
    "enabled",
    "ignore_cache",
    "override_classification",
    "ssl_ignore_errors",
    "sync",
    "use_managed_identity",
)
TEXTS = ("ca_cert", "git_branch", "password", "pattern", "private_key", "proxy", "username")
OTHERS = (
    "configuration",
    "data",
    "default_classification",
    "fetch_method",
    "headers",
    "name",
    "update_interval",
    "uri",
)
NO_UPDATES = "{service} doesn't contain an update configuration."
NO_SOURCES = "This service is not configured to use external sources."
FETCH_METHODS = ("GET", "POST", "GIT")


class SignatureSources(Resource):
    """The sources, which are part of the state of the signatures: lists by name of the service."""

    name: ClassVar[str] = "signature_sources"

    @property
    def _sources(self) -> dict[str, list[dict[str, Any]]]:
        return self.server.state["signatures"]["sources"]  # type: ignore[no-any-return]

    @route("GET", "/signature/sources/", role="signature_manage")
    async def list_sources(self, request: Request, session: Session) -> Any:
        """Return the sources of each service, including passwords."""
        settings = {"update_interval_seconds": UPDATE_INTERVAL_SECONDS, "default_pattern": ".*"}
        return {
            service: {"sources": [self._show(source) for source in sources], "generates_signatures": True, **settings}
            for service, sources in self._sources.items()
        }

    def _show(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return a source with the interval of the service, if it has none, and with its status."""
        if time.time() >= source.get("fetched_at", float("inf")):
            ended_at = datetime.fromtimestamp(source.pop("fetched_at"), UTC).isoformat().replace("+00:00", "Z")
            source["status"] = {**_build_outcome(source), "ts": ended_at}
            if source["status"]["message"].startswith("Signature"):
                source["last_successful_update"] = ended_at
        idle = {"state": "UNKNOWN", "message": "Waiting for next update..", "ts": get_current_time()}
        status = {**source.get("status", idle), "last_successful_update": source.get("last_successful_update", NEVER)}
        shown = {name: value for name, value in source.items() if name not in {"fetched_at", "last_successful_update"}}
        return {"update_interval": UPDATE_INTERVAL_SECONDS, **shown, "status": status}

    @route("PUT", "/signature/sources/{service}/", role="signature_manage")
    async def add_source(self, request: Request, session: Session) -> Any:
        """Add a source. The name loses all characters but letters, digits and underscores."""
        body, sources = await read_json(request), self._get_sources(request)
        body["name"] = re.sub(r"[^0-9a-zA-Z_]+", "", body["name"].replace(" ", "_"))
        if any(source["name"] == body["name"] for source in sources):
            raise ApiError(400, f"Update source name already exist: {body['name']}", {"success": False})
        sources.append(_build_source(body))
        return {"success": True}

    @route("POST", "/signature/sources/{service}/{name}/", role="signature_manage")
    async def edit_source(self, request: Request, session: Session) -> Any:
        """Replace a source, and start to fetch it. The real server fails without classifications in both."""
        body, sources, name = await read_json(request), self._get_sources(request), request.path_params["name"]
        if body["name"] != name:
            raise ApiError(400, "You are not allowed to change the source name.", {"success": False})
        index = self._find_index(
            request, f"Could not found source '{name}' in service {request.path_params['service']}."
        )
        if not {"default_classification", "override_classification"} <= set(body):
            raise internal_error()
        if "default_classification" not in sources[index]:
            raise internal_error()
        sources[index] = _build_source(body)
        self._start(sources[index])
        return {"success": True}

    @route("DELETE", "/signature/sources/{service}/{name}/", role="signature_manage")
    async def remove_source(self, request: Request, session: Session) -> Any:
        """Remove a source, and its signatures."""
        service, name = request.path_params["service"], request.path_params["name"]
        sources = self._get_sources(request)
        del sources[self._find_index(request, f"Could not found source '{name}' in service {service}.")]
        signatures = self.server.state["signatures"]["signatures"]
        for key, row in list(signatures.items()):
            if (row["type"], row["source"]) == (service.lower(), name):
                del signatures[key]
        return {"success": True}

    @route("PUT", "/signature/sources/update/{service}/", role="signature_manage")
    async def update_sources(self, request: Request, session: Session) -> Any:
        """Start to fetch the given sources, by default all; unknown names are ignored."""
        names = request.query_params.get("sources", "")
        wanted = [source for source in self._get_sources(request) if not names or source["name"] in names.split(",")]
        for source in wanted:
            self._start(source)
        return {"success": True, "sources": [source["name"] for source in wanted]}

    @route("PUT", "/signature/sources/enable/{service}/{name}/", role="signature_manage")
    async def enable_source(self, request: Request, session: Session) -> Any:
        """Enable or disable a source. For an unknown one, the real server has an unhandled exception."""
        body, name = await read_json(request), request.path_params["name"]
        for source in self._sources.get(request.path_params["service"], []):
            if source["name"] == name:
                source["enabled"] = body["enabled"]
                return {"success": True}
        raise internal_error()

    def _get_sources(self, request: Request) -> list[dict[str, Any]]:
        """Return the sources of a service. For an unknown one, the real server has an unhandled exception."""
        service = request.path_params["service"]
        if service in self._sources:
            return self._sources[service]
        if service not in self.server.state["services"]["services"]:
            raise internal_error()
        if "/update/" in request.url.path:
            raise ApiError(404, NO_UPDATES, {"success": False})
        raise ApiError(400, NO_SOURCES, {"success": False})

    def _find_index(self, request: Request, message: str) -> int:
        names = [source["name"] for source in self._get_sources(request)]
        if request.path_params["name"] not in names:
            raise ApiError(404, message, {"success": False})
        return names.index(request.path_params["name"])

    def _start(self, source: dict[str, Any]) -> None:
        source["status"] = {**QUEUED, "ts": get_current_time()}
        source["fetched_at"] = time.time() + self.server.state["signatures"]["fetch_seconds"]


def _build_source(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source as it is stored: unknown settings are dropped, others are converted."""
    if not isinstance(body.get("update_interval") or 1, int) or body.get("fetch_method", "GET") not in FETCH_METHODS:
        raise internal_error()
    if isinstance(body.get("headers"), dict):
        raise internal_error()
    key = body.get("private_key") or ""
    booleans = {name: bool(body.get(name, name == "enabled")) for name in BOOLEANS}
    texts = {name: body.get(name) or "" for name in TEXTS}
    others = {name: body[name] for name in OTHERS if name in body}
    level = {"default_classification": "TLP:C"} if "default_classification" in body else {}  # none are enforced
    return {
        "configuration": {},
        "fetch_method": "GET",
        **booleans,
        **texts,
        **others,
        **level,
        "private_key": f"{key}\n" if key and not key.endswith("\n") else key,
    }


def _build_outcome(source: Mapping[str, Any]) -> dict[str, str]:
    host = urlsplit(source.get("uri") or "").hostname or ""
    if not source.get("enabled", True):
        return {"state": "DONE", "message": "Skipped."}
    if host.endswith(".invalid"):
        return {"state": "ERROR", "message": f"Could not resolve host: {host}"}
    return {"state": "DONE", "message": "Signature(s) Imported."}
