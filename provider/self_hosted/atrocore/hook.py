"""AtroCore's hook: sign-in, and the API's methods by resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from self_hosted.atrocore import errors
from self_hosted.atrocore.api import export_jobs, import_jobs, jobs, records, session
from self_hosted.atrocore.api.dialects import DIALECTS, Dialect
from self_hosted.atrocore.api.session import Credential
from self_hosted.atrocore.connection import FORM
from self_hosted.core.connection.hook import SelfHostedHook, hook_method
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import LoginAuth
from self_hosted.core.http.errors import AuthenticationError, NotFoundError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request


class AtrocoreAuth(LoginAuth):
    """Middleware that signs in, detects the server's dialect while doing so, and translates each request into it.

    :param settings: the connection
    """

    detected_dialects: ClassVar[dict[str, Dialect]] = {}
    """By base URL, for all hooks of this process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        token = settings.extra["authorization_token"] or ""
        self.credential = Credential(settings.login, settings.password, token)
        self.base_url = settings.address.base_url
        self.configured_dialect = DIALECTS.get(settings.extra["dialect"])  # None for "auto"
        self.language = settings.extra["language"] or ""

    @property
    def dialect(self) -> Dialect:
        """The server's dialect; known after the first login."""
        return self.configured_dialect or self.detected_dialects[self.base_url]

    def login(self) -> Flow[Mapping[str, str]]:
        """Exchange user and password for a token; an existing token is used once.

        :raises AuthenticationError: if the credential is rejected
        """
        if self._session and self.credential.token:
            raise AuthenticationError("the authorization token is not, or no longer, accepted; replace it by a new one")
        token = yield from self._request_token()
        return self.dialect.token_headers(token)

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request in the server's dialect, after the login that detects it."""
        yield from self._renew(None)
        return (yield from super().send(self.dialect.translate(self._set_language(request))))

    def _set_language(self, request: Request) -> Request:
        """Set the content language of a read, unless the flow has set one; "" stands for the main language.

        The response then has the texts of that language in the fields of the main one. A write stores the same texts
        with or without it, so that its response would contradict what was written.
        """
        language = self.language if request.method == "GET" else ""
        headers = {"language": language, **request.headers}
        return replace(request, headers={name: value for name, value in headers.items() if name != "language" or value})

    def _request_token(self) -> Flow[str]:
        if self.configured_dialect:
            return (yield from session.login(self.configured_dialect, self.credential))
        if self.base_url in self.detected_dialects:
            try:
                return (yield from session.login(self.detected_dialects[self.base_url], self.credential))
            except (NotFoundError, ServerError):
                pass  # the server was updated or replaced after the detection
        self.detected_dialects[self.base_url], token = yield from session.detect_dialect(self.credential)
        return token


class AtrocoreHook(SelfHostedHook):
    """AtroCore's REST API, in each of its three dialects.

    :param atrocore_conn_id: the Airflow connection, of type ``atrocore``
    """

    form = FORM

    def __init__(self, atrocore_conn_id: str = "atrocore_default") -> None:
        super().__init__(atrocore_conn_id)

    def auth(self, settings: Settings) -> AtrocoreAuth:
        """Return the sign-in middleware, with user and password or an existing authorization token.

        :param settings: the connection
        :raises ValueError: if the connection has neither of them, or both
        """
        has_login, has_token = bool(settings.login and settings.password), bool(settings.extra["authorization_token"])
        if has_login == has_token:
            problem = "give user (login) and password, or an authorization_token" + (", not both" if has_token else "")
            raise ValueError(f"connection {settings.conn_id!r}: {problem}")
        self._auth = AtrocoreAuth(settings)
        return self._auth

    parse_error = staticmethod(errors.parse_error)

    def verify_credentials(self) -> Flow[str]:
        """Prove that the credential is accepted; return one sentence about user, version and dialect."""
        user = yield from session.describe_user()
        version = (yield from session.get_core_version()) or "of unknown version"
        return f"Signed in as {user} at AtroCore {version}, API dialect {self._auth.dialect.name}"

    # Session
    get_session = hook_method(session.get)
    get_core_version = hook_method(session.get_core_version)

    # Records
    list_records = hook_method(records.list_all)
    find_records = hook_method(records.find)
    get_record = hook_method(records.get)
    create_record = hook_method(records.create)
    update_record = hook_method(records.update)
    delete_record = hook_method(records.delete)
    upsert_records = hook_method(records.upsert)

    # Jobs of the queue
    find_jobs = hook_method(jobs.find)
    check_background_processing = hook_method(jobs.check_background_processing)

    # Import jobs
    get_import_baseline = hook_method(import_jobs.get_baseline)
    find_import_jobs = hook_method(import_jobs.find)
    get_import_counters = hook_method(import_jobs.get_counters)

    # Export jobs
    get_export_baseline = hook_method(export_jobs.get_baseline)
    find_export_jobs = hook_method(export_jobs.find)
    cancel_export_job = hook_method(export_jobs.cancel)
