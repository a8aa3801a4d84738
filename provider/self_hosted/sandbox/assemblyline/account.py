"""Users of the stand-in: who asks, what is left of their quotas, and their settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of, denied, path_of
from self_hosted.sandbox.assemblyline.area import Area, Row

SELECTED = ["Filtering", "Antivirus", "Static Analysis", "Extraction", "Networking"]
ADDED = {
    "static": [],
    "static_with_dynamic": ["Dynamic Analysis"],
    "static_with_internet": ["Internet Connected"],
    "static_and_dynamic_with_internet": ["Internet Connected", "Dynamic Analysis"],
}
PROFILES = {"default": SELECTED, **{name: [*SELECTED, *added] for name, added in ADDED.items()}}
SETTINGS: dict[str, Any] = {
    "default_external_sources": [],
    "default_metadata": {},
    "default_zip_password": "infected",
    "download_encoding": "cart",
    "executive_summary": True,
    "expand_min_score": 500,
    "preferred_submission_profile": "default",
    "submission_view": "report",
}
VALUES = {"download_encoding": {"cart", "raw", "zip"}, "submission_view": {"details", "report"}}
NOT_YOURS = "You are not allowed to view settings for another user then yourself."


class Account(Area):
    """What is kept is what users changed of their settings, by their names."""

    name: ClassVar[str] = "account"

    def rows(self) -> Sequence[Row]:
        """The routes below ``/user``."""
        return [
            Row("GET", "/user/whoami/", self.whoami, counted=True),
            Row("GET", "/user/submission_params/{user}/{profile}/", self.submission_params),
            Row("GET", "/user/settings/{user}/", self.settings),
            Row("POST", "/user/settings/{user}/", self.change_settings, "self_manage"),
            Row("GET", "/user/quotas/{user}/", self.quotas),
        ]

    async def whoami(self, request: Request, session: Session) -> Any:
        """Who asks, and how the server is set up."""
        configuration, quotas = self.product.configuration, self.product.access.quotas
        submission = _below("submission.", configuration)
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
            "api_daily_quota": quotas.get("daily_api_calls", 0),
            "submission_daily_quota": quotas.get("daily_submissions", 0),
            "configuration": {
                "submission": {
                    **{name: value for name, value in submission.items() if "." not in name},
                    "verdicts": _below("verdicts.", submission),
                },
                "ui": _below("ui.", configuration),
            },
            "settings": self._settings_of(session.user),
        }

    async def submission_params(self, request: Request, session: Session) -> Any:
        """What a profile sets."""
        user, profile = request.path_params["user"], request.path_params["profile"]
        profiles = self._settings_of(session.user)["submission_profiles"]
        if profile not in profiles:
            words = f"Submission profile '{profile}' does not exist for user: {user}. Select one of {list(profiles)}."
            raise Refusal(400, words)
        return {**profiles[profile], "submitter": user, "groups": []}

    async def settings(self, request: Request, session: Session) -> Any:
        """The user's settings."""
        return self._settings_of(_own(request, session))

    async def change_settings(self, request: Request, session: Session) -> Any:
        """Keep what is sent of the settings; profiles that are not sent are as they were at the beginning."""
        sent, user = await body_of(request), _own(request, session)
        if not sent.get("default_zip_password"):
            raise Refusal(403, "Encryption password can't be empty.", {"success": False})
        for name, values in VALUES.items():
            if sent.get(name, min(values)) not in values:
                raise Refusal(400, f"[{name}] {sent[name]} not in the possible values: {values}", {"success": False})
        kept = {name: sent[name] for name in SETTINGS if name in sent}
        if kept.get("preferred_submission_profile") not in PROFILES:
            kept.pop("preferred_submission_profile", None)
        profiles = {name: params for name, params in sent.get("submission_profiles", {}).items() if name in PROFILES}
        self.kept[user] = {**self.kept.get(user, {}), **kept, "submission_profiles": profiles}
        return {"success": True}

    async def quotas(self, request: Request, session: Session) -> Any:
        """What is left for today; 0 means as well that there is no limit."""
        _own(request, session)
        access = self.product.access
        used = {
            "daily_api": ("daily_api_calls", access.api_calls),
            "daily_submission": ("daily_submissions", access.submissions),
        }
        return {name: max(0, access.quotas.get(quota, 0) - count) for name, (quota, count) in used.items()}

    def _settings_of(self, user: str) -> dict[str, Any]:
        changed = self.kept.get(user, {})
        profiles = changed.get("submission_profiles", {})
        shown = {name: {**_params(services), **profiles.get(name, {})} for name, services in PROFILES.items()}
        return {**SETTINGS, **changed, "submission_profiles": shown, "services": [], "service_spec": []}


def _params(services: list[str]) -> dict[str, Any]:
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


def _own(request: Request, session: Session) -> str:
    """The user of the path, who must be the one that asks; not even ``__CURRENT__`` is taken for that."""
    if request.path_params["user"] != session.user:
        raise denied(path_of(request), NOT_YOURS)
    return session.user


def _below(start: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(start): value for name, value in settings.items() if name.startswith(start)}
