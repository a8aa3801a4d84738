"""Anatomy presets."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.defaults import complete_anatomy
from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.routing import route

PRESETS_VERSION = "1.0.0"
PRIMARY, BUILT_IN = "__primary__", ("__builtin__", "_")


class Presets(Resource):
    """Anatomy presets of the studio."""

    @route("GET", "/api/anatomy/presets")
    async def list_all(self, request: Request, user: Record) -> Response:
        """Return all presets but the built-in one."""
        presets = [
            {"name": name, "primary": name == self.state.primary_preset, "version": PRESETS_VERSION}
            for name in self.state.presets
        ]
        return JSONResponse({"version": PRESETS_VERSION, "presets": presets})

    @route("GET", "/api/anatomy/presets/{preset}")
    async def get(self, request: Request, user: Record) -> Response:
        """Return the complete anatomy of a preset."""
        name = request.path_params["preset"]
        if name == PRIMARY:
            name = self.state.primary_preset or BUILT_IN[0]
        if name in BUILT_IN:
            return JSONResponse(complete_anatomy({}))
        if name not in self.state.presets:
            raise ApiError(404, f"Anatomy preset {name} not found.")
        return JSONResponse(self.state.presets[name])

    @route("PUT", "/api/anatomy/presets/{preset}")
    async def put(self, request: Request, user: Record) -> Response:
        """Create or replace a preset. Missing parts come from the defaults, not from the previous preset."""
        if not is_manager(user):
            raise ApiError(403, "Only managers can update anatomy presets.")
        self.state.presets[request.path_params["preset"]] = complete_anatomy(await request.json())
        return Response(status_code=204)
