"""Sources of signatures. They are seeded with the signatures."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.routing import route

UPDATE_INTERVAL_SECONDS = 600


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
        return {service: {"sources": sources, **settings} for service, sources in self._sources.items()}

    @route("PUT", "/signature/sources/update/{service}/", role="signature_manage")
    async def update_sources(self, request: Request, session: Session) -> Any:
        """Start the update of the given sources, by default of all; unknown names are ignored."""
        service = request.path_params["service"]
        if service not in self._sources:
            message = "{service} doesn't contain an update configuration."  # noqa: RUF027 the real server sends this
            raise ApiError(404, message, {"success": False})
        names = request.query_params.get("sources", "")
        updated = [source for source in self._sources[service] if not names or source["name"] in names.split(",")]
        for source in updated:
            source["status"] = {"state": "UPDATING", "message": "Queued for update..", "ts": get_current_time()}
        return {"success": True, "sources": [source["name"] for source in updated]}

    @route("PUT", "/signature/sources/enable/{service}/{name}/", role="signature_manage")
    async def enable_source(self, request: Request, session: Session) -> Any:
        """Enable or disable a source. For an unknown one, the real server has an unhandled exception."""
        body, name = await read_json(request), request.path_params["name"]
        for source in self._sources.get(request.path_params["service"], []):
            if source["name"] == name:
                source["enabled"] = body["enabled"]
                return {"success": True}
        raise internal_error()
