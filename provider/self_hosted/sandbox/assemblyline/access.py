"""Who may ask the stand-in for what, and how often: API keys, sessions, tokens, roles and quotas."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.answers import Refusal, denied

PASSWORDS = {"admin": "admin"}
READ = (
    "alert_view",
    "archive_view",
    "badlist_view",
    "bundle_download",
    "external_query",
    "file_detail",
    "file_download",
    "heuristic_view",
    "retrohunt_view",
    "safelist_view",
    "signature_download",
    "signature_view",
    "submission_view",
    "workflow_view",
)
WRITE = (
    "alert_manage",
    "archive_trigger",
    "badlist_manage",
    "retrohunt_run",
    "safelist_manage",
    "submission_create",
    "submission_customize",
    "submission_delete",
    "submission_manage",
)
EXTENDED = (
    "administration",
    "file_purge",
    "self_manage",
    "signature_import",
    "signature_manage",
    "workflow_manage",
)
API_KEYS = {  # user and key to roles
    ("admin", "sandbox:sandbox-secret"): (*READ, *WRITE),
    ("admin", "readonly:readonly-secret"): READ,
    ("admin", "full:full-secret"): (*READ, *WRITE, *EXTENDED),
    ("user", "sandbox:user-secret"): (*READ, *WRITE),
}
BEARER_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2FuZGJveA"  # noqa: S105 opens nothing but the sandbox
LOGIN_WAYS = {"allow_saml_login": False, "allow_signup": False, "allow_userpass_login": True}


@dataclass(frozen=True)
class Session:
    """A login. One by password has no limit of roles and must prove itself with its XSRF token."""

    user: str
    roles: tuple[str, ...]
    xsrf: str | None


@dataclass
class Access:
    """Logins and quotas; a quota of 0 is none, as in the real configuration."""

    sessions: dict[str, Session] = field(default_factory=dict)
    logins: int = 0
    quotas: dict[str, int] = field(default_factory=dict)
    api_calls: int = 0
    submissions: int = 0

    def log_in(self, credential: dict[str, Any]) -> tuple[str, Session]:
        """A new session and its id, for a password or an API key."""
        self.logins += 1
        user, key = str(credential.get("user")), credential.get("apikey")
        roles = API_KEYS.get((user, str(key))) if key else (*READ, *WRITE, *EXTENDED)
        if roles is None or (not key and PASSWORDS.get(user) != credential.get("password")):
            raise Refusal(401, "Invalid user or APIKey" if key else "Wrong username or password")
        session = Session(user, roles, None if key else secrets.token_hex(20))
        number = secrets.token_urlsafe(30)
        self.sessions[number] = session
        return number, session

    def user_of(self, request: Request, path: str) -> Session:
        """Who asks. An Authorization header wins over all else, and must be a JWT."""
        authorization = request.headers.get("authorization")
        if authorization:
            return _bearer(authorization, path)
        user, key = request.headers.get("x-user"), request.headers.get("x-apikey")
        if user is not None and key is not None:
            return _keyed(user, key)
        session = self.sessions.get(request.cookies.get("session", ""))
        if session is None:
            raise Refusal(401, "Session not found", LOGIN_WAYS)
        if session.xsrf and request.headers.get("x-xsrf-token") != session.xsrf:
            raise denied(path, "Invalid XSRF token")
        return session

    def count_call(self) -> None:
        """One more call of those that count toward the daily quota."""
        self.api_calls += 1
        limit = self.quotas.get("daily_api_calls", 0)
        if limit and self.api_calls > limit:
            raise Refusal(503, f"You've exceeded your daily maximum API calls quota of {limit}")

    def count_submission(self, running: int) -> None:
        """One more submission.

        :param running: how many are not completed
        """
        limit = self.quotas.get("concurrent_submissions", 0)
        if limit and running >= limit:
            raise Refusal(503, f"You've exceeded your maximum concurrent submission quota of {limit}")
        self._count_for_today()

    def count_ingest(self, running: int) -> None:
        """One more ingest.

        :param running: how many are not completed
        """
        limit = self.quotas.get("concurrent_ingests", 0)
        if limit and running >= limit:
            raise Refusal(503, f"You've exceeded your maximum async concurrent submission quota of {limit}")
        self._count_for_today()

    def _count_for_today(self) -> None:
        limit = self.quotas.get("daily_submissions", 0)
        if limit and self.submissions >= limit:
            raise Refusal(503, f"You've reached your daily maximum submission quota of {limit}")
        self.submissions += 1

    def remaining(self) -> dict[str, str]:
        """What answers tell about daily quotas in force."""
        used = {"api_calls": ("api", self.api_calls), "submissions": ("submission", self.submissions)}
        left = {name: (self.quotas.get(f"daily_{quota}", 0), count) for quota, (name, count) in used.items()}
        return {f"x-remaining-quota-{name}": str(max(0, of - used)) for name, (of, used) in left.items() if of}


def _bearer(authorization: str, path: str) -> Session:
    token = authorization.rsplit(" ", 1)[-1]
    if token.count(".") != 2:
        raise Refusal(500, "Internal Server Error")
    if token != BEARER_TOKEN:
        raise denied(path, "oAuth login is disabled")
    return Session("admin", (*READ, *WRITE), None)


def _keyed(user: str, key: str) -> Session:
    roles = API_KEYS.get((user, key))
    if roles is None:
        raise Refusal(401, "Invalid user or APIKey", LOGIN_WAYS)
    return Session(user, roles, None)
