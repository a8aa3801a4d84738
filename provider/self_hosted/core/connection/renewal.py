"""Sign in with a new credential while tasks run: the credential changes in the product and in the connection."""

from __future__ import annotations

import threading
from collections.abc import Callable

from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import LOGIN_CHECK_SECONDS, Auth, ExtraHeaders
from self_hosted.core.http.errors import AccessProxyError, AuthenticationError, SelfHostedError
from self_hosted.core.http.flow import Flow, Middleware, Pause, ReadConnection, Reply, Request, Secret
from self_hosted.core.http.logs import LONG_PAUSE_SECONDS, Throttle, get_logger

log = get_logger(__name__)

PROXY_REJECTIONS = {302, 303, 307, 403}
"""The statuses with which access proxies reject a request without a page; a redirect leads to their login page."""


class RenewableAuth:
    """Middleware around a sign-in. After a rejection it reads the connection again, and continues if that has changed.

    The rejected request was not carried out, so that it is sent once more with the new credential. A rejected
    credential is never sent again: products lock accounts over it. Threads may share it.

    :param settings: the connection, as it was read first
    :param build_auth: returns the sign-in of a connection
    """

    def __init__(self, settings: Settings, build_auth: Callable[[Settings], Auth]) -> None:
        self._settings, self._build_auth = settings, build_auth
        self._auth = self._build(settings)
        self._lock = threading.Lock()

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the current credential, and once more if the connection has a new one.

        :param request: the request
        :raises AuthenticationError: if the product rejects the credential of the connection
        """
        auth = self._auth
        try:
            return (yield from auth.send(request))
        except SelfHostedError as rejection:
            if not self._is_rejection(rejection):
                raise
            auth = yield from self._renew(auth, rejection)
            return (yield from auth.send(request))

    def _build(self, settings: Settings) -> Middleware:
        auth = self._build_auth(settings)
        return ExtraHeaders(auth, settings.headers) if settings.headers else auth

    def _is_rejection(self, error: SelfHostedError) -> bool:
        is_proxy_rejection = bool(self._settings.headers) and error.status in PROXY_REJECTIONS
        return is_proxy_rejection or isinstance(error, (AuthenticationError, AccessProxyError))

    def _renew(self, rejected: Middleware, rejection: SelfHostedError) -> Flow[Middleware]:
        """Return a sign-in other than the rejected one.

        :raises SelfHostedError: the rejection, if the connection has no other credential
        """
        # never blocks: in a trigger, a blocked coroutine would stop the one that reads the connection
        throttle = None
        while not self._lock.acquire(blocking=False):
            throttle = throttle or Throttle(LONG_PAUSE_SECONDS)
            yield Pause(LOGIN_CHECK_SECONDS, reason=throttle.reason("waiting for the new credential to be read"))
        try:
            if self._auth is rejected:
                found: list[Settings] = []
                yield ReadConnection(found.append)
                if not found:
                    raise rejection
                yield from self._replace(found[0], rejection)
            return self._auth
        finally:
            self._lock.release()

    def _replace(self, settings: Settings, rejection: SelfHostedError) -> Flow[None]:
        if settings.credential == self._settings.credential:
            raise rejection
        if settings.address.base_url != self._settings.address.base_url:
            # ids belong to the former server, and the new credential must not be sent there
            rejection.message += "; the connection has another base URL meanwhile, which the next try uses"
            raise rejection
        for secret in settings.list_secrets():
            yield Secret(secret)
        try:
            self._auth = self._build(settings)
        except ValueError:  # the connection is incomplete now
            raise rejection from None
        self._settings = settings
        log.warning("The credential was rejected; continuing with the new one of connection %r", settings.conn_id)
