"""Who the credential belongs to, and how the server is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def whoami() -> Flow[dict[str, Any]]:
    """Who the credential belongs to, what it may do, and what the server sets for it.

    {username, name, email, type, roles, groups, classification, version, verdicts, limits, profiles}: ``verdicts`` are
    the least scores of each verdict; ``limits`` are max_file_size (bytes), max_dtl (days that a submission is kept at
    most), daily_api and daily_submission (calls and submissions a day), None where there is none; ``profiles`` are the
    names of the submission profiles that the user may choose from.

    ``GET /api/v4/user/whoami/``
    """
    user, version = yield from account()
    settings = user["configuration"]
    return {
        **{name: user.get(name) for name in ("username", "name", "email", "type", "roles", "groups", "classification")},
        "version": version,
        "verdicts": settings["submission"]["verdicts"],
        "limits": _limits(user, settings),
        "profiles": list(user["settings"]["submission_profiles"]),
    }


def account() -> Flow[tuple[dict[str, Any], str]]:
    """All that the server tells of the user, and the server's version.

    ``GET /api/v4/user/whoami/``
    """
    reply = yield Request("GET", f"{API}/user/whoami/")
    body = reply.json()
    return body["api_response"], body["api_server_version"]


def _limits(user: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, int | None]:
    enforced = settings["ui"]["enforce_quota"]
    return {
        "max_file_size": settings["submission"]["max_file_size"],
        "max_dtl": settings["submission"]["max_dtl"] or None,
        "daily_api": (enforced and user["api_daily_quota"]) or None,
        "daily_submission": (enforced and user["submission_daily_quota"]) or None,
    }


def quotas() -> Flow[dict[str, dict[str, int | None]]]:
    """What is left of today's quotas: {"daily_api": {"limit": 1000, "left": 997}, "daily_submission": {...}}.

    Both are None where there is no limit, which the server tells by a 0, as it tells that nothing is left.

    ``GET /api/v4/user/quotas/<user>/``, after `whoami`, which counts toward the quota itself

    :raises QuotaSpent: when nothing is left of the daily calls
    """
    user = yield from whoami()
    left = yield from asked(Request("GET", f"{API}{url_path('user', 'quotas', user['username'])}/"))
    limits = {name: user["limits"][name] for name in ("daily_api", "daily_submission")}
    return {name: {"limit": limit, "left": left[name] if limit else None} for name, limit in limits.items()}


def configuration() -> Flow[dict[str, Any]]:
    """The server's settings, flat: "submission.max_file_size" and so on. Does not count toward the daily quota.

    ``GET /api/v4/help/configuration/``
    """
    return asked(Request("GET", f"{API}/help/configuration/"))


def submission_profile(name: str) -> Flow[dict[str, Any]]:
    """What a submission profile sets. Does not count toward the daily quota.

    ``GET /api/v4/user/submission_params/<user>/<profile>/``

    :param name: "static", "static_with_dynamic", ...
    :raises Invalid: naming the profiles there are, when there is no such one
    """
    path = f"{API}/user/submission_params/__CURRENT__{url_path(name)}/"
    return asked(Request("GET", path))
