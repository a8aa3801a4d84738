"""How one signs in to Assemblyline, and a table of contents of what can be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from self_hosted.assemblyline import api
from self_hosted.assemblyline.connection import FORM
from self_hosted.core.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.connection import Settings
from self_hosted.core.errors import Broken, Forbidden
from self_hosted.core.flow import Flow, Request, Secret
from self_hosted.core.hook import ProductHook, published

NEEDED_ROLES = {"submission_create": "to submit", "submission_view": "to read results"}
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


class SessionAuth(LoginAuth):
    """User and password, exchanged for a session cookie and the token that guards it against cross-site requests.

    :param user: its name
    :param password: its password
    """

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password = user, password

    def login(self) -> Flow[Mapping[str, str]]:
        """``POST /api/v4/auth/login/``; the session lasts an hour after its last use."""
        credential = {"user": self.user, "password": self.password}
        reply = yield Request("POST", f"{api.API}/auth/login/", json=credential, repeatable=True)
        cookies = reply.headers.get("set-cookie", "")
        session, xsrf = _cookie(cookies, "session"), _cookie(cookies, "XSRF-TOKEN")
        if not session:
            raise reply.error(Broken, "the login gave no session cookie")
        yield Secret(session)
        return {"Cookie": f"session={session}", "X-XSRF-TOKEN": xsrf}


def _cookie(cookies: str, name: str) -> str:
    """A cookie's value; both transports join several Set-Cookie headers with commas."""
    found = re.search(rf"(?:^|[,;\s]){re.escape(name)}=([^;,\s]+)", cookies)
    return found[1] if found else ""


class AssemblylineHook(ProductHook):
    """Asks Assemblyline 4.

    :param assemblyline_conn_id: the Airflow connection, with exactly one of API key, password and bearer token
    """

    form = FORM
    error_of = staticmethod(api.error_of)

    def __init__(self, assemblyline_conn_id: str = "assemblyline_default") -> None:
        super().__init__(assemblyline_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Headers of an API key or token, or a session; never two at once, which the server answers with HTTP 500."""
        ways = {
            "api_key": (settings.extra["api_key"] or "").strip(),
            "password": settings.password,
            "bearer_token": (settings.extra["bearer_token"] or "").strip(),
        }
        given = [name for name, secret in ways.items() if secret]
        try:
            return _AUTHS[_only(given)](settings.login.strip(), ways[given[0]])
        except ValueError as problem:
            raise ValueError(f"connection {settings.conn_id!r}: {problem}") from None

    def signed_in(self) -> Flow[str]:
        """Prove the credential and its roles."""
        user = yield from api.whoami()
        name, missing = user["username"], [role for role in NEEDED_ROLES if role not in user["roles"]]
        if missing:
            lacks = " and ".join(f"{role} ({NEEDED_ROLES[role]})" for role in missing)
            raise Forbidden(
                f"Signed in to Assemblyline as {name}, who lacks the role {lacks}: give the API key R and W"
            )
        return f"Signed in to Assemblyline {user['version']} as {name}, with the roles to submit and to read results"

    whoami = published(api.whoami)
    configuration = published(api.configuration)
    submission_profile = published(api.submission_profile)
    verdict_bands = published(api.verdict_bands)
    submission = published(api.submission)
    submissions = published(api.submissions)
    search_submissions = published(api.search_submissions)
    is_completed = published(api.is_completed)
    submit = published(api.submit)
    submit_once = published(api.submit_once)
    resubmit = published(api.resubmit)
    resubmit_for_dynamic = published(api.resubmit_for_dynamic)
    resubmit_with_profile = published(api.resubmit_with_profile)
    tagged_submission = published(api.tagged_submission)
    tagged_submissions = published(api.tagged_submissions)
    end_duplicates = published(api.end_duplicates)
    ingest_file = published(api.ingest_file)
    ingest_file_once = published(api.ingest_file_once)
    ingested_submissions = published(api.ingested_submissions)
    reused_submissions = published(api.reused_submissions)
    paused_components = published(api.paused_components)
    is_taken_up = published(api.is_taken_up)
    cancel_submission = published(api.cancel_submission)
    delete_submission = published(api.delete_submission)


def _only(given: list[str]) -> str:
    if not given:
        raise ValueError("the credential is missing: fill in api_key, password or bearer_token")
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are given; leave all but one of them empty")
    return given[0]


def _api_key(user: str, key: str) -> Auth:
    name, _, secret = key.partition(":")
    if not name or not secret:
        raise ValueError("api_key must be of the form name:secret, as Assemblyline shows it when the key is made")
    return HeaderAuth({"X-User": _named(user, "API key"), "X-Apikey": key})


def _password(user: str, password: str) -> Auth:
    return SessionAuth(_named(user, "password"), password)


def _bearer_token(user: str, token: str) -> Auth:
    # the server answers anything else with HTTP 500
    if not JWT.fullmatch(token):
        raise ValueError("bearer_token must be a JWT: three parts with dots between them, without the word Bearer")
    return HeaderAuth({"Authorization": f"Bearer {token}"})


def _named(user: str, secret: str) -> str:
    if not user:
        raise ValueError(f"login is missing: the user whose {secret} it is")
    return user


_AUTHS = {"api_key": _api_key, "password": _password, "bearer_token": _bearer_token}
