"""Login and logout, in the three dialects."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.authentication import check_password, create_token, is_valid_token, read_credentials
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.descriptions import build_settings
from self_hosted.sandbox.atrocore.errors import ApiError, AuthenticationError, require
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

READY_TOKEN_SINCE = (1, 3, 12)
MAX_UPLOAD_MEGABYTES = 64


class Session(Resource):
    """The session of the user."""

    @route("GET", "/api/userSession", since=V2_3, public=True)
    @route("GET", "/api/v1/App/user", until=V2_3, public=True)
    def get(self, call: Call) -> Response:
        """Return the user of the credentials, and a token for a password."""
        state = self.state
        name, secret = read_credentials(state, call.headers)
        token = secret
        if not is_valid_token(state, name, secret):
            if state.dialect != "espo" and "authorization-token" in call.headers:
                raise AuthenticationError(state.is_new)
            check_password(state, name, secret)
            # the dialect "espo" creates tokens only for clients that send its own header
            creates_token = state.dialect != "espo" or "espo-authorization" in call.headers
            token = create_token(state, name) if creates_token else ""
        token_only = call.headers.get("authorization-token-only") in {"true", "1"}
        return build_response(self._session(name, token, token_only=token_only))

    @route("POST", "/api/destroyAuthToken", since=V2_3)
    @route("POST", "/api/v1/App/action/destroyAuthToken", until=V2_3)
    def destroy_token(self, call: Call) -> Response:
        """Make a token invalid."""
        token = call.body.get("token") if isinstance(call.body, dict) else None
        require(token, 400)
        if self.state.tokens.pop(str(token), None) is None:
            raise ApiError(404)
        return build_response(True)

    def _session(self, name: str, token: str, *, token_only: bool) -> dict[str, Any]:
        access = Access(self.state, name)
        user = {
            "id": access.user_id,
            "userName": name,
            "name": (access.user or {}).get("name"),
            "isAdmin": access.is_admin,
        }
        session: dict[str, Any] = {
            "token": token,
            "user": user,
            "acl": access.describe(),
            "preferences": {},
            "settings": {},
            "appParams": {"maxUploadSize": MAX_UPLOAD_MEGABYTES},
        }
        if not self.state.is_new:
            session["language"] = build_settings(self.state)["language"]
        if self.state.core < READY_TOKEN_SINCE:
            return session
        ready_token = {"authorizationToken": b64encode(f"{name}:{token}".encode()).decode()}
        return ready_token if token_only else {**session, **ready_token}
