"""The user's account: name, roles, limits, quotas and submission profiles."""

from __future__ import annotations

from typing import Any, NotRequired, TypeVar

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, call, call_object, read_result
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject, check_shape

T = TypeVar("T")
WHOAMI_PATH = f"{API_PATH}/user/whoami/"


class Limits(TypedDict):
    """The server's limits for a user; None = no limit.

    :param max_file_size: largest file, in bytes
    :param max_dtl: longest retention of a submission, in days
    :param daily_api: API calls per day
    :param daily_submission: submissions per day
    """

    max_file_size: int
    max_dtl: int | None
    daily_api: int | None
    daily_submission: int | None


class Account(TypedDict):
    """A user and the server's settings for the user.

    :param username: login name
    :param name: display name
    :param email: e-mail address
    :param type: user types
    :param roles: permissions, such as "submission_create"
    :param groups: groups
    :param classification: highest classification that the user may see
    :param version: version of the server
    :param verdicts: lowest score of each verdict
    :param limits: see `Limits`
    :param profiles: names of the submission profiles that the user may choose from
    """

    username: str
    name: str | None
    email: str | None
    type: list[str] | None
    roles: list[str]
    groups: list[str] | None
    classification: str | None
    version: str
    verdicts: dict[str, int]
    limits: Limits
    profiles: list[str]


class Quota(TypedDict):
    """A daily quota.

    :param limit: per day; None = no limit
    :param left: what is left of it today; None = no limit
    """

    limit: int | None
    left: int | None


class Quotas(TypedDict):
    """The daily quotas of a user.

    :param daily_api: API calls
    :param daily_submission: submissions
    """

    daily_api: Quota
    daily_submission: Quota


class _SubmissionSettings(TypedDict):
    max_file_size: int
    max_dtl: int | None
    verdicts: dict[str, int]


class _UiSettings(TypedDict):
    enforce_quota: bool


class _Configuration(TypedDict):
    submission: _SubmissionSettings
    ui: _UiSettings


class _UserSettings(TypedDict):
    submission_profiles: JsonObject


class _User(TypedDict):
    username: str
    name: NotRequired[str | None]
    email: NotRequired[str | None]
    type: NotRequired[list[str] | None]
    groups: NotRequired[list[str] | None]
    classification: NotRequired[str | None]
    roles: list[str]
    api_daily_quota: int
    submission_daily_quota: int
    configuration: _Configuration
    settings: _UserSettings


class _Versioned(TypedDict):
    api_server_version: str


class _Username(TypedDict):
    username: str


class _QuotasLeft(TypedDict):
    daily_api: int
    daily_submission: int


def get() -> Flow[Account]:
    """Return the user of the credential.

    ``GET /api/v4/user/whoami/``

    :return: `Account`
    """
    reply = yield Request("GET", WHOAMI_PATH)
    user, version = read_result(reply, _User), check_shape(reply, reply.json(), _Versioned)["api_server_version"]
    configuration = user["configuration"]
    return Account(
        username=user["username"],
        name=user.get("name"),
        email=user.get("email"),
        type=user.get("type"),
        roles=user["roles"],
        groups=user.get("groups"),
        classification=user.get("classification"),
        version=version,
        verdicts=configuration["submission"]["verdicts"],
        limits=_read_limits(user, configuration),
        profiles=list(user["settings"]["submission_profiles"]),
    )


def read_document(shape: type[T]) -> Flow[T]:
    """Return the server's whole document about the user.

    ``GET /api/v4/user/whoami/``

    :param shape: the shape of the document: the fields that the caller uses
    """
    return call(Request("GET", WHOAMI_PATH), shape)


def get_username() -> Flow[str]:
    """Return the login name of the user.

    ``GET /api/v4/user/whoami/``
    """
    return (yield from read_document(_Username))["username"]


def _read_limits(user: _User, configuration: _Configuration) -> Limits:
    enforced = configuration["ui"]["enforce_quota"]
    return {
        "max_file_size": configuration["submission"]["max_file_size"],
        "max_dtl": configuration["submission"]["max_dtl"] or None,
        "daily_api": (enforced and user["api_daily_quota"]) or None,
        "daily_submission": (enforced and user["submission_daily_quota"]) or None,
    }


def get_quotas() -> Flow[Quotas]:
    """Return what is left of today's quotas.

    The server answers 0 both for "no limit" and for "none left"; the limits of `get` tell them apart.

    ``GET /api/v4/user/quotas/<user>/``, after `get`, which counts toward the quota itself

    :return: `Quotas`
    :raises DailyQuotaError: if no calls are left today
    """
    user = yield from get()
    left = yield from call(Request("GET", f"{API_PATH}{url_path('user', 'quotas', user['username'])}/"), _QuotasLeft)
    limits = user["limits"]
    return {
        "daily_api": _build_quota(limits["daily_api"], left["daily_api"]),
        "daily_submission": _build_quota(limits["daily_submission"], left["daily_submission"]),
    }


def _build_quota(limit: int | None, left: int) -> Quota:
    return {"limit": limit, "left": left if limit else None}


def get_submission_profile(name: str) -> Flow[dict[str, Any]]:
    """Return the settings of a submission profile. Does not count toward the daily quota.

    ``GET /api/v4/user/submission_params/<user>/<profile>/``

    :param name: "static", "static_with_dynamic", ...
    :raises InvalidRequestError: if it does not exist; the message names the existing profiles
    """
    path = f"{API_PATH}/user/submission_params/__CURRENT__{url_path(name)}/"
    return call_object(Request("GET", path), JsonObject)
