"""The user's own settings, as on the product's settings page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.http.flow import Flow, Request, Secret, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)

ZIP_PASSWORD = "default_zip_password"  # noqa: S105 the name of a setting
PREFERRED_PROFILE = "preferred_submission_profile"

SETTING_NAMES = frozenset({
    "default_external_sources",
    "default_metadata",
    "download_encoding",
    "executive_summary",
    "expand_min_score",
    PREFERRED_PROFILE,
    "submission_profiles",
    "submission_view",
})
"""The settings that can be changed, besides the password of zip downloads."""


class _Settings(TypedDict):
    submission_profiles: dict[str, JsonObject]


class _Document(TypedDict):
    username: str
    settings: _Settings


def get() -> Flow[dict[str, Any]]:
    """Return the settings in `SETTING_NAMES`, with the params of each submission profile.

    The password of zip downloads is left out, so that no log and no XCom holds it.

    ``GET /api/v4/user/whoami/``, which needs no user name
    """
    user = yield from account.read_document(_Document)
    return _select_public(user["settings"])


def update(changes: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Change some of the user's settings and return all of them.

    The server resets profiles that are missing from the request, so all are sent. Of two concurrent updates, the later
    one wins. Only the own settings can be changed: an administrator's update resets the default profile of another
    user.

    ``POST /api/v4/user/settings/<user>/``; requires the role self_manage, as an extended API key has it

    :param changes: new values by name; in ``submission_profiles``, the changed params by profile
    :raises ValueError: for unknown settings and profiles, which the server would ignore
    :raises InvalidRequestError: if the server rejects a value
    """
    if changes.get(ZIP_PASSWORD):
        yield Secret(str(changes[ZIP_PASSWORD]))
    user = yield from account.read_document(_Document)
    settings = _merge(user["settings"], changes)
    path = f"{API_PATH}{url_path('user', 'settings', user['username'])}/"
    yield from call(Request("POST", path, json=settings, idempotent=True), object)
    log.info("Settings of user %s: changed %s", user["username"], ", ".join(sorted(changes)))
    return _select_public(settings)


def _select_public(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in sorted(SETTING_NAMES & settings.keys())}


def _merge(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - SETTING_NAMES - {ZIP_PASSWORD})
    if unknown:
        valid = ", ".join(sorted(SETTING_NAMES))
        raise ValueError(f"changes: unknown settings {', '.join(unknown)}; valid are {valid}")
    changed_profiles = changes.get("submission_profiles", {})
    profiles = dict(settings["submission_profiles"])
    preferred = {changes[PREFERRED_PROFILE]} if PREFERRED_PROFILE in changes else set()
    _check_profiles(profiles, {*changed_profiles, *preferred})
    for name, params in changed_profiles.items():
        profiles[name] = {**profiles[name], **params}
    unchanged = {name: settings[name] for name in {*SETTING_NAMES, ZIP_PASSWORD} & settings.keys()}
    return {**unchanged, **changes, "submission_profiles": profiles}


def _check_profiles(profiles: Mapping[str, Any], names: set[Any]) -> None:
    missing = ", ".join(sorted(map(str, names - profiles.keys())))
    if missing:
        raise ValueError(f"changes: the user has no profile {missing}; valid are {', '.join(sorted(profiles))}")
