"""Sign in with a new credential while tasks run: the credential changes in the product and in the connection."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import LOGIN_CHECK_SECONDS, Auth
from self_hosted.core.http.errors import AuthenticationError
from self_hosted.core.http.flow import Flow, Pause, ReadConnection, Reply, Request, Secret

log = logging.getLogger(__name__)


class RenewableAuth:
    """Middleware around a sign-in. After a rejection it reads the connection again, and continues if that has changed.

    The rejected request was not carried out, so that it is sent once more with the new credential. A rejected
    credential is never sent again: products lock accounts over it. Threads may share it.

    :param settings: the connection, as it was read first
    :param build_auth: returns the sign-in of a connection
    """

    def __init__(self, settings: Settings, build_auth: Callable[[Settings], Auth]) -> None:
        self._settings, self._build_auth = settings, build_auth
        self._auth = build_auth(settings)
        self._lock = threading.Lock()

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the current credential, and once more if the connection has a new one.

        :param request: the request
        :raises AuthenticationError: if the product rejects the credential of the connection
        """
        auth = self._auth
        try:
            return (yield from auth.send(request))
        except AuthenticationError as rejection:
            auth = yield from self._renew(auth, rejection)
            return (yield from auth.send(request))

    def _renew(self, rejected: Auth, rejection: AuthenticationError) -> Flow[Auth]:
        """Return a sign-in other than the rejected one.

        :raises AuthenticationError: the rejection, if the connection has no other credential
        """
        # never blocks: in a trigger, a blocked coroutine would stop the one that reads the connection
        while not self._lock.acquire(blocking=False):
            yield Pause(LOGIN_CHECK_SECONDS)
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

    def _replace(self, settings: Settings, rejection: AuthenticationError) -> Flow[None]:
        if settings.credential == self._settings.credential:
            raise rejection
        if settings.address.base_url != self._settings.address.base_url:
            # ids belong to the former server, and the new credential must not be sent there
            rejection.message += "; the connection has another base URL meanwhile, which the next try uses"
            raise rejection
        for secret in settings.list_secrets():
            yield Secret(secret)
        try:
            self._auth = self._build_auth(settings)
        except ValueError:  # the connection is incomplete now
            raise rejection from None
        self._settings = settings
        log.info("The credential was rejected; continuing with the new one of connection %r", settings.conn_id)
