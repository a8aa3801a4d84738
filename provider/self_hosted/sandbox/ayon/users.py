"""Login, logout, users."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.authentication import read_bearer_token
from self_hosted.sandbox.ayon.errors import ApiError, ValidationError
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.routing import route

MAX_FAILED_LOGINS = 10


class Users(Resource):
    """Sessions and users."""

    @route("POST", "/api/auth/login", public=True)
    async def login(self, request: Request) -> Response:
        """Return a session token for a password."""
        state, body = self.state, await request.json()
        missing = {field: "field required" for field in ("name", "password") if field not in body}
        if missing:
            raise ValidationError(request, missing)
        if state.failed_logins > MAX_FAILED_LOGINS:
            raise ApiError(403, "Too many failed login attempts")
        name = body["name"]
        user = state.users.get(name)
        if user and user["data"].get("isService"):
            raise ApiError(403, "Service users cannot log in")
        if user is None or state.passwords.get(name) != body["password"]:
            state.failed_logins += 1
            raise ApiError(403, "Invalid login/password combination")
        token = secrets.token_hex(32)
        state.sessions[token] = name
        session = {"detail": f"Logged in as {name}", "error": None, "token": token, "user": user}
        return JSONResponse({**session, "redirectUrl": None})

    @route("POST", "/api/auth/logout", public=True)
    async def logout(self, request: Request) -> Response:
        """End the session of the request."""
        self.state.sessions.pop(read_bearer_token(request), None)
        return JSONResponse({"detail": "Logged out"})

    @route("GET", "/api/users/me")
    async def get_me(self, request: Request, user: Record) -> Response:
        """Return the user of the request."""
        return JSONResponse({**user, "uiExposureLevel": 500})

    @route("GET", "/api/users/{user}")
    async def get(self, request: Request, user: Record) -> Response:
        """Return a user. Users who are not managers see little more than the names of others."""
        name = request.path_params["user"]
        if name not in self.state.users:
            raise ApiError(404, f"User {name} not found")
        found = self.state.users[name]
        if is_manager(user) or found is user:
            return JSONResponse(found)
        return JSONResponse({"name": name, "attrib": found["attrib"], "data": {}, "active": True})
