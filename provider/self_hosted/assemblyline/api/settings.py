"""The own settings of the user whose credential this is, as the product's pages have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, Secret, url_path

PASSWORD = "default_zip_password"  # noqa: S105 the name of a setting

SETTINGS = frozenset({
    "default_external_sources",
    "default_metadata",
    "download_encoding",
    "executive_summary",
    "expand_min_score",
    "preferred_submission_profile",
    "submission_profiles",
    "submission_view",
})
"""What can be changed, besides the password of zip downloads."""


def user_settings() -> Flow[dict[str, Any]]:
    """The settings of the user whose credential this is: `SETTINGS`, with the params of each submission profile.

    Without the password of zip downloads, so that it gets into no log and no XCom.

    ``GET /api/v4/user/whoami/``, which tells them without the user's name being known
    """
    user, _ = yield from account()
    return _shown(user["settings"])


def change_user_settings(changes: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Change some of the user's own settings, and leave the others as they are: the settings as they are then.

    The server resets the profiles that it is not sent, so that all of them are; of two who change them at once the
    later wins. Those of other users are left to the product's pages: an administrator who changes them drops their
    own default profile.

    ``POST /api/v4/user/settings/<user>/``; needs the role self_manage, as with an extended API key

    :param changes: by name; of ``submission_profiles`` the params that change, by the profile's name
    :raises ValueError: for settings and profiles that there are not, which the server would ignore
    :raises Invalid: for a value that the server does not take
    """
    if changes.get(PASSWORD):
        yield Secret(str(changes[PASSWORD]))
    user, _ = yield from account()
    wanted = _changed(user["settings"], changes)
    path = f"{API}{url_path('user', 'settings', user['username'])}/"
    yield from asked(Request("POST", path, json=wanted, repeatable=True))
    return _shown(wanted)


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in sorted(SETTINGS & settings.keys())}


def _changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - SETTINGS - {PASSWORD})
    if unknown:
        known = ", ".join(sorted(SETTINGS))
        raise ValueError(f"changes: there is no setting {', '.join(unknown)}; there are {known}")
    profiles = dict(settings["submission_profiles"])
    named = {*changes.get("submission_profiles", {})}
    if "preferred_submission_profile" in changes:
        named.add(changes["preferred_submission_profile"])
    missing = ", ".join(sorted(map(str, named - profiles.keys())))
    if missing:
        raise ValueError(f"changes: the user has no profile {missing}; there are {', '.join(sorted(profiles))}")
    for name, params in changes.get("submission_profiles", {}).items():
        profiles[name] = {**profiles[name], **params}
    kept = {name: settings[name] for name in {*SETTINGS, PASSWORD} & settings.keys()}
    return {**kept, **changes, "submission_profiles": profiles}
