"""Server information, attributes, access groups, and responses to unknown paths."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from self_hosted.sandbox.ayon.authentication import authenticate
from self_hosted.sandbox.ayon.errors import ApiError, get_api_path
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.routing import route

VERSION = "1.16.0"


class Studio(Resource):
    """The server and its studio-wide settings."""

    @route("GET", "/", public=True)
    async def get_frontend(self, request: Request) -> Response:
        """Return the web page, which the official client requests to check the URL."""
        return HTMLResponse("<!doctype html><title>AYON</title>")

    @route("GET", "/api/info", public=True)
    async def get_info(self, request: Request) -> Response:
        """Return version and uptime, and more with valid credentials."""
        info = {"version": VERSION, "uptime": 1.0}
        try:
            user = authenticate(self.state, request)
        except ApiError as error:
            if error.status == 500:
                raise
            return JSONResponse(info)
        return JSONResponse({**info, "user": user, "attributes": self.state.active_attributes, "sites": []})

    @route("GET", "/api/attributes")
    async def list_attributes(self, request: Request, user: Record) -> Response:
        """Return all attributes, including those that need a restart to become active."""
        return JSONResponse({"attributes": self.state.attributes})

    @route("GET", "/api/accessGroups/_")
    async def list_access_groups(self, request: Request, user: Record) -> Response:
        """Return the access groups of the studio."""
        if not is_manager(user):
            raise ApiError(403, "Only managers can access the studio level settings")
        return JSONResponse([{"name": name, "isProjectLevel": False} for name in self.state.access_groups])


class UnknownPaths(Resource):
    """The fallback for all paths without a route."""

    @route("GET", "/api/{path:path}", public=True)
    async def reject(self, request: Request) -> Response:
        """Reject an unknown path of the API."""
        path = get_api_path(request)
        raise ApiError(404, f"API endpoint {path} not found", path=path)
