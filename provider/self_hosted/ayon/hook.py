"""AyonHook: the sign-in, and the endpoints of AYON as methods, grouped by resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from self_hosted.ayon.api import (
    anatomy_presets,
    background_operations,
    entities,
    events,
    graphql,
    identifiers,
    reviewables,
    session,
    studio,
    users,
)
from self_hosted.ayon.api.projects import creation, provision, records
from self_hosted.ayon.connection import FORM
from self_hosted.ayon.errors import parse_error
from self_hosted.core.connection.hook import SelfHostedHook, hook_method
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.http.flow import Flow, Reply, Request, Secret, pipeline

DEFAULT_SENDER = "airflow"
SENDER_TYPE = "airflow"  # lets AYON's services ignore events of Airflow, instead of answering them with events
FIELD_PATTERNS = {
    "api_key": (re.compile(r"[!-~]+"), "printable characters without spaces"),
    "as_user": (identifiers.USER_NAME, "a user's name: letters, digits and _ . -"),
    "sender": (re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.\-]*[A-Za-z0-9_])?"), "letters, digits, _, with . - in between"),
    "site_id": (re.compile(r"[a-z0-9-]+"), "lower-case letters, digits and dashes"),
}


class ApiKeyAuth(HeaderAuth):
    """Signs requests with an API key.

    :param headers: the key, and the default headers of every request
    """

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the headers.

        :param request: the request
        """
        return (yield _with_defaults(request, self.headers))


class ImpersonationAuth(LoginAuth):
    """Signs requests with the API key of a service user that acts as another user, after a check that AYON allows it.

    :param key_headers: the key, and the default headers of every request
    :param as_user: name of the user to act as
    """

    def __init__(self, key_headers: Mapping[str, str], as_user: str) -> None:
        super().__init__()
        self.key_headers, self.as_user = key_headers, as_user

    def login(self) -> Flow[Mapping[str, str]]:
        """Check that the service user can act as the user: AYON ignores X-as-user silently, or fails, if it cannot."""
        yield from pipeline(users.verify_can_act_as(self.as_user), [ApiKeyAuth(self.key_headers)])
        return {"X-Api-Key": self.key_headers["X-Api-Key"]}

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request as the user.

        :param request: the request
        """
        return (yield from super().send(_with_defaults(request, {**self.key_headers, "X-as-user": self.as_user})))


class PasswordAuth(LoginAuth):
    """Exchanges user and password for a session, which lasts three days after its last use.

    :param user: name of the user
    :param password: password of the user
    :param headers: the default headers of every request
    """

    def __init__(self, user: str, password: str, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.user, self.password, self.headers = user, password, headers

    def login(self) -> Flow[Mapping[str, str]]:
        """Log in and return the header with the session's token."""
        token = yield from pipeline(session.log_in(self.user, self.password), [ApiKeyAuth(self.headers)])
        yield Secret(token)
        return {"Authorization": f"Bearer {token}"}

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request within the session.

        :param request: the request
        """
        return (yield from super().send(_with_defaults(request, self.headers)))


class AyonHook(SelfHostedHook):
    """Calls AYON.

    :param ayon_conn_id: the Airflow connection: either with an API key, preferably of a service user, or with user and
        password
    """

    form = FORM
    parse_error = staticmethod(parse_error)

    def __init__(self, ayon_conn_id: str = "ayon_default") -> None:
        super().__init__(ayon_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Return the sign-in with an API key or with a session; every request names Airflow as its sender.

        :param settings: the connection
        :raises ValueError: if it has no credential or several, or a field is invalid
        """
        try:
            _validate(settings)
        except ValueError as error:
            raise ValueError(f"connection {settings.conn_id!r}: {error}") from None
        headers, key, as_user = _default_headers(settings), settings.extra["api_key"], settings.extra["as_user"]
        if not key:
            return PasswordAuth(settings.login, settings.password, headers)
        key_headers = {**headers, "X-Api-Key": key}
        return ImpersonationAuth(key_headers, as_user) if as_user else ApiKeyAuth(key_headers)

    @property
    def sender(self) -> str:
        """The sender that AYON stores in the events of this connection."""
        return get_sender(self.settings)

    def verify_credentials(self) -> Flow[str]:
        """Prove that the credential is accepted; return one sentence about the user and the server.

        ``/api/info`` alone would not prove it: it needs no credential.
        """
        owner, user = (yield from users.get_current(ignore_as_user=True)), (yield from users.get_current())
        version = (yield from studio.get_info())["version"]
        name = owner["name"] if owner["name"] == user["name"] else f"{owner['name']}, acting as {user['name']}"
        is_service = owner["data"].get("isService")
        warning = "" if is_service else "; warning: this is not a service user, which is recommended for automation"
        return f"Signed in to AYON {version} as {name}{warning}"

    # Users
    get_current_user = hook_method(users.get_current)
    get_user = hook_method(users.get)

    # Studio
    get_server_info = hook_method(studio.get_info)
    list_attributes = hook_method(studio.list_attributes)
    list_access_groups = hook_method(studio.list_access_groups)
    list_anatomy_presets = hook_method(anatomy_presets.list_names)
    get_anatomy_preset = hook_method(anatomy_presets.get)

    # Projects
    get_project = hook_method(records.get)
    list_projects = hook_method(records.list_all)
    find_project = hook_method(records.find)
    get_project_creator = hook_method(creation.get_creator)
    create_project = hook_method(creation.create)
    ensure_project = hook_method(provision.ensure)
    update_project = hook_method(records.update)
    get_project_anatomy = hook_method(records.get_anatomy)
    set_project_anatomy = hook_method(records.set_anatomy)
    get_project_users = hook_method(records.get_users)
    set_project_user = hook_method(records.set_user)

    # Entities of projects
    get_entity_statuses = hook_method(entities.get_statuses)
    list_reviewables = hook_method(reviewables.list_all)
    get_background_operation = hook_method(background_operations.get)

    # Events
    get_event = hook_method(events.get)
    list_events = hook_method(events.list_by_ids)
    dispatch_event = hook_method(events.dispatch)

    # GraphQL
    query_graphql = hook_method(graphql.query)


def get_sender(settings: Settings) -> str:
    """Return the sender that AYON stores in the events of a connection.

    :param settings: the connection
    """
    return settings.extra["sender"] or DEFAULT_SENDER


def _default_headers(settings: Settings) -> dict[str, str]:
    site_id = settings.extra["site_id"]
    headers = {"X-Sender": get_sender(settings), "X-Sender-Type": SENDER_TYPE}
    return {**headers, "x-ayon-site-id": site_id} if site_id else headers


def _with_defaults(request: Request, headers: Mapping[str, str]) -> Request:
    """Return the request with default headers; its own take precedence. A sender that starts with "." is appended."""
    own_sender = request.headers.get("X-Sender", "")
    sender = {"X-Sender": headers["X-Sender"] + own_sender} if own_sender.startswith(".") else {}
    return replace(request, headers={**headers, **request.headers, **sender})


def _validate(settings: Settings) -> None:
    """Check that there is exactly one credential, and that AYON does not silently drop a field."""
    key, has_password = settings.extra["api_key"], settings.login or settings.password
    if key and has_password:
        raise ValueError("give either api_key, or user and password, not both")
    if not key and not (settings.login and settings.password):
        raise ValueError("the credential is missing: give api_key, or user (login) and password")
    if settings.extra["as_user"] and not key:
        raise ValueError("as_user requires the api_key of a service user: service users cannot log in with a password")
    for field, (pattern, rule) in FIELD_PATTERNS.items():
        value = settings.extra[field]
        if value and not pattern.fullmatch(value):
            raise ValueError(f"{field} must be {rule}" + ("" if field == "api_key" else f", not {value!r}"))
