"""The user of the request: identity, settings and quotas."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.configuration import get_thresholds, select_section
from self_hosted.sandbox.assemblyline.errors import ApiError, access_denied
from self_hosted.sandbox.assemblyline.request_parsing import get_path, read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.parameters import PROFILES
from self_hosted.sandbox.routing import route

DEFAULT_SETTINGS: dict[str, Any] = {
    "default_external_sources": [],
    "default_metadata": {},
    "default_zip_password": "infected",
    "download_encoding": "cart",
    "executive_summary": True,
    "expand_min_score": 500,
    "preferred_submission_profile": "default",
    "submission_view": "report",
}
ALLOWED_VALUES = {"download_encoding": {"cart", "raw", "zip"}, "submission_view": {"details", "report"}}
OTHER_USER = "You are not allowed to view settings for another user then yourself."


class Account(Resource):
    """The users. The state has the changed settings of each user."""

    name: ClassVar[str] = "account"

    @route("GET", "/user/whoami/")
    async def get_user(self, request: Request, session: Session) -> Any:
        """Return the user and the configuration of the server."""
        configuration, limits = self.server.configuration, self.server.quotas.limits
        submission = select_section("submission.", configuration)
        return {
            "username": session.user,
            "name": session.user.title(),
            "email": f"{session.user}@sandbox.example",
            "roles": session.roles,
            "type": [session.user],
            "groups": [],
            "classification": "TLP:C",
            "is_active": True,
            "is_admin": session.user == "admin",
            "api_daily_quota": limits.get("daily_api_calls", 0),
            "submission_daily_quota": limits.get("daily_submissions", 0),
            "configuration": {
                "submission": {
                    **{name: value for name, value in submission.items() if "." not in name},
                    "verdicts": get_thresholds(configuration),
                },
                "ui": select_section("ui.", configuration),
            },
            "settings": self._build_settings(session.user),
        }

    @route("GET", "/user/submission_params/{user}/{profile}/", counted=False)
    async def get_submission_params(self, request: Request, session: Session) -> Any:
        """Return the parameters of a submission profile."""
        user, profile = request.path_params["user"], request.path_params["profile"]
        profiles = self._build_settings(session.user)["submission_profiles"]
        if profile not in profiles:
            reason = f"Submission profile '{profile}' does not exist for user: {user}. Select one of {list(profiles)}."
            raise ApiError(400, reason)
        return {**profiles[profile], "submitter": user, "groups": []}

    @route("GET", "/user/settings/{user}/", counted=False)
    async def get_settings(self, request: Request, session: Session) -> Any:
        """Return the settings of the user."""
        return self._build_settings(_get_own_user(request, session))

    @route("POST", "/user/settings/{user}/", role="self_manage", counted=False)
    async def change_settings(self, request: Request, session: Session) -> Any:
        """Change the given settings, and restore the defaults of all profiles that are not given."""
        settings, user = await read_json(request), _get_own_user(request, session)
        _check_settings(settings)
        changed = {name: settings[name] for name in DEFAULT_SETTINGS if name in settings}
        if changed.get("preferred_submission_profile") not in PROFILES:
            changed.pop("preferred_submission_profile", None)
        profiles = settings.get("submission_profiles", {})
        known_profiles = {name: params for name, params in profiles.items() if name in PROFILES}
        self.state[user] = {**self.state.get(user, {}), **changed, "submission_profiles": known_profiles}
        return {"success": True}

    @route("GET", "/user/quotas/{user}/", counted=False)
    async def get_quotas(self, request: Request, session: Session) -> Any:
        """Return the rest of the daily quotas; 0 also means unlimited."""
        _get_own_user(request, session)
        quotas = self.server.quotas
        return {"daily_api": quotas.get_remaining_calls(), "daily_submission": quotas.get_remaining_submissions()}

    def _build_settings(self, user: str) -> dict[str, Any]:
        changed = self.state.get(user, {})
        changed_profiles = changed.get("submission_profiles", {})
        profiles = {
            name: {**_build_profile(services), **changed_profiles.get(name, {})} for name, services in PROFILES.items()
        }
        return {**DEFAULT_SETTINGS, **changed, "submission_profiles": profiles, "services": [], "service_spec": []}


def _build_profile(services: list[str]) -> dict[str, Any]:
    return {
        "classification": "TLP:C",
        "deep_scan": False,
        "generate_alert": False,
        "ignore_cache": False,
        "priority": 1000,
        "service_spec": {},
        "services": {"selected": services, "excluded": [], "rescan": [], "resubmit": []},
        "ttl": 30,
    }


def _check_settings(settings: dict[str, Any]) -> None:
    if not settings.get("default_zip_password"):
        raise ApiError(403, "Encryption password can't be empty.", {"success": False})
    for name, values in ALLOWED_VALUES.items():
        if name in settings and settings[name] not in values:
            raise ApiError(400, f"[{name}] {settings[name]} not in the possible values: {values}", {"success": False})


def _get_own_user(request: Request, session: Session) -> str:
    """Return the user of the path, who must be the user of the session; ``__CURRENT__`` is not accepted."""
    if request.path_params["user"] != session.user:
        raise access_denied(get_path(request), OTHER_USER)
    return session.user
