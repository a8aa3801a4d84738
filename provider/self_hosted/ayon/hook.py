"""How one signs in to AYON, and a table of contents of what can be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from self_hosted.ayon import api
from self_hosted.ayon.connection import FORM
from self_hosted.core.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.connection import Settings
from self_hosted.core.flow import Flow, Reply, Request, Secret, handled
from self_hosted.core.hook import ProductHook, published

DEFAULT_SENDER = "airflow"
SENDER_TYPE = "airflow"  # so that AYON's services can ignore what Airflow did, and do not answer it with events
FORMS = {
    "api_key": (re.compile(r"[!-~]+"), "printable characters without spaces"),
    "as_user": (re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*[A-Za-z0-9]"), "a user's name: letters, digits and _ . -"),
    "sender": (re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.\-]*[A-Za-z0-9_])?"), "letters, digits and, within, . and -"),
    "site_id": (re.compile(r"[a-z0-9-]+"), "small letters, digits and dashes"),
}


class KeyAuth(HeaderAuth):
    """An API key.

    :param headers: the key, and what goes along with every request
    """

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the headers."""
        return (yield _with_defaults(request, self.headers))


class ActingAuth(LoginAuth):
    """A service user's API key, acting as somebody else, once it is sure that AYON lets it.

    :param key_headers: the key, and what goes along with every request
    :param as_user: name of the user to act as
    """

    def __init__(self, key_headers: Mapping[str, str], as_user: str) -> None:
        super().__init__()
        self.key_headers, self.as_user = key_headers, as_user

    def login(self) -> Flow[Mapping[str, str]]:
        """Nothing is earned here, but X-as-user is silently ignored or fatal where it does not hold: look first."""
        yield from handled(api.may_act_as(self.as_user), KeyAuth(self.key_headers).send)
        return {"X-Api-Key": self.key_headers["X-Api-Key"]}

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request, acting as the user."""
        return (yield from super().send(_with_defaults(request, {**self.key_headers, "X-as-user": self.as_user})))


class PasswordAuth(LoginAuth):
    """User and password, exchanged for a session of three days that every use prolongs.

    :param user: its name
    :param password: its password
    :param marks: what goes along with every request
    """

    def __init__(self, user: str, password: str, marks: Mapping[str, str]) -> None:
        super().__init__()
        self.user, self.password, self.marks = user, password, marks

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in."""
        token = yield from handled(api.login(self.user, self.password), KeyAuth(self.marks).send)
        yield Secret(token)
        return {"Authorization": f"Bearer {token}"}

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request within the session."""
        return (yield from super().send(_with_defaults(request, self.marks)))


class AyonHook(ProductHook):
    """Asks AYON.

    :param ayon_conn_id: the Airflow connection: either an API key, best a service user's, or user and password
    """

    form = FORM
    error_of = staticmethod(api.error_of)

    def __init__(self, ayon_conn_id: str = "ayon_default") -> None:
        super().__init__(ayon_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Headers of an API key, or a session; every request says that Airflow sends it."""
        try:
            _check(settings)
        except ValueError as problem:
            raise ValueError(f"connection {settings.conn_id!r}: {problem}") from None
        marks, key, as_user = _marks(settings), settings.extra["api_key"], settings.extra["as_user"]
        if not key:
            return PasswordAuth(settings.login, settings.password, marks)
        key_headers = {**marks, "X-Api-Key": key}
        return ActingAuth(key_headers, as_user) if as_user else KeyAuth(key_headers)

    @property
    def sender(self) -> str:
        """The name that AYON writes on the events of this connection."""
        return sender_of(self.settings)

    def signed_in(self) -> Flow[str]:
        """Prove the credential; ``/api/info`` would not, it answers anybody."""
        own, acting = (yield from api.me(own_name=True)), (yield from api.me())
        version = (yield from api.info())["version"]
        as_whom = own["name"] if own["name"] == acting["name"] else f"{own['name']}, acting as {acting['name']}"
        warning = "" if own["data"].get("isService") else "; warning: this is no service user, as automation should be"
        return f"Signed in to AYON {version} as {as_whom}{warning}"

    me = published(api.me)
    info = published(api.info)
    user = published(api.user)
    attributes = published(api.attributes)
    access_groups = published(api.access_groups)
    anatomy_presets = published(api.anatomy_presets)
    anatomy_preset = published(api.anatomy_preset)
    graphql = published(api.graphql)
    project = published(api.project)
    projects = published(api.projects)
    find_project = published(api.find_project)
    creator = published(api.creator)
    create_project = published(api.create_project)
    update_project = published(api.update_project)
    project_anatomy = published(api.project_anatomy)
    set_project_anatomy = published(api.set_project_anatomy)
    project_users = published(api.project_users)
    set_project_user = published(api.set_project_user)
    ensure_project = published(api.ensure_project)
    event = published(api.event)
    events = published(api.events)
    entity_statuses = published(api.entity_statuses)
    background_operation = published(api.background_operation)
    reviewables = published(api.reviewables)


def sender_of(settings: Settings) -> str:
    """The name that AYON writes on the events of a connection."""
    return settings.extra["sender"] or DEFAULT_SENDER


def _marks(settings: Settings) -> dict[str, str]:
    site = settings.extra["site_id"]
    marks = {"X-Sender": sender_of(settings), "X-Sender-Type": SENDER_TYPE}
    return {**marks, "x-ayon-site-id": site} if site else marks


def _with_defaults(request: Request, headers: Mapping[str, str]) -> Request:
    """The request with headers, of which those that it brings itself come first; its sender may be an addition."""
    own = request.headers.get("X-Sender", "")
    sender = {"X-Sender": headers["X-Sender"] + own} if own.startswith(".") else {}
    return replace(request, headers={**headers, **request.headers, **sender})


def _check(settings: Settings) -> None:
    """Exactly one credential, and names of a form that AYON does not silently drop."""
    key, by_password = settings.extra["api_key"], settings.login or settings.password
    if key and by_password:
        raise ValueError("give api_key, or user and password, not both")
    if not key and not (settings.login and settings.password):
        raise ValueError("the credential is missing: give api_key, or user (login) and password")
    if settings.extra["as_user"] and not key:
        raise ValueError("as_user needs the api_key of a service user: service users cannot log in with a password")
    for field, (form, right) in FORMS.items():
        given = settings.extra[field]
        if given and not form.fullmatch(given):
            raise ValueError(f"{field} must be {right}" + ("" if field == "api_key" else f", not {given!r}"))
