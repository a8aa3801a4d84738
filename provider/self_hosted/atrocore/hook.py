"""How AtroCore is signed in to, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from self_hosted.atrocore import api
from self_hosted.atrocore.connection import FORM
from self_hosted.core.auth import LoginAuth
from self_hosted.core.connection import Settings
from self_hosted.core.errors import Broken, LoginRefused, NotFound
from self_hosted.core.flow import Flow, Reply, Request
from self_hosted.core.hook import ProductHook, published

AUTO = "auto"


class AtrocoreAuth(LoginAuth):
    """Signs in, finding out the server's dialect on the way, and translates every request into it.

    :param settings: the connection
    """

    detected: ClassVar[dict[str, api.Dialect]] = {}  # by base URL, for all hooks of this process

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        token = settings.extra["authorization_token"] or ""
        self.credential = api.Credential(settings.login, settings.password, token)
        self.base_url = settings.address.base_url
        self.prescribed = api.DIALECTS.get(settings.extra["dialect"])
        self.headers = {"language": settings.extra["language"]} if settings.extra["language"] else {}

    @property
    def dialect(self) -> api.Dialect:
        """What the server speaks; known once a login has begun."""
        return self.prescribed or self.detected[self.base_url]

    def login(self) -> Flow[Mapping[str, str]]:
        """Trade user and password for a token; a ready token is good for one attempt."""
        if self._session and self.credential.token:
            words = "the authorization token is not, or no longer, accepted; create another one and put it in its place"
            raise LoginRefused(words)
        token = yield from self._token()
        return self.dialect.token(token)

    def send(self, request: Request) -> Flow[Reply]:
        """Sign in before translating: it is the login that finds out the dialect."""
        yield from self._renewed(None)
        return (yield from super().send(self.dialect.spoken(request.with_headers(self.headers))))

    def _token(self) -> Flow[str]:
        if self.prescribed:
            return (yield from api.login(self.prescribed, self.credential))
        if self.base_url in self.detected:
            try:
                return (yield from api.login(self.detected[self.base_url], self.credential))
            except (NotFound, Broken):
                pass  # the server was updated, or replaced, since
        self.detected[self.base_url], token = yield from api.detected(self.credential)
        return token


class AtrocoreHook(ProductHook):
    """AtroCore's REST API, in whichever of its three dialects the server speaks.

    :param atrocore_conn_id: the Airflow connection, of type ``atrocore``
    """

    form = FORM

    def __init__(self, atrocore_conn_id: str = "atrocore_default") -> None:
        super().__init__(atrocore_conn_id)

    def auth(self, settings: Settings) -> AtrocoreAuth:
        """With user and password, or a ready authorization token."""
        pair, token = bool(settings.login and settings.password), bool(settings.extra["authorization_token"])
        if pair == token:
            words = "give user (login) and password, or an authorization_token" + (", not both" if token else "")
            raise ValueError(f"connection {settings.conn_id!r}: {words}")
        self._auth = AtrocoreAuth(settings)
        return self._auth

    error_of = staticmethod(api.error_of)

    def signed_in(self) -> Flow[str]:
        """As whom, at which core and in which dialect."""
        found = yield from api.session()
        version = (yield from api.core_version()) or "of unknown version"
        user = found.get("user", {}).get("userName", "an unknown user")
        return f"Signed in as {user} at AtroCore {version}, which speaks the dialect {self._auth.dialect.name}"

    session = published(api.session)
    core_version = published(api.core_version)
    records = published(api.records)
    records_by = published(api.records_by)
    record = published(api.record)
    create_record = published(api.create_record)
    update_record = published(api.update_record)
    delete_record = published(api.delete_record)
    upsert = published(api.upsert)
    schema = published(api.schema)
    planned = published(api.planned)
    applied = published(api.applied)
    jobs = published(api.jobs)
    background_processing_runs = published(api.background_processing_runs)
    import_baseline = published(api.import_baseline)
    import_jobs = published(api.import_jobs)
    import_counters = published(api.import_counters)
    export_baseline = published(api.export_baseline)
    export_jobs = published(api.export_jobs)
    cancel_export_job = published(api.cancel_export_job)
