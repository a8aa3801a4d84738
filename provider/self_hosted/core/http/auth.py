"""Authentication as middleware: fixed headers, or headers earned by a login and renewed when the session has expired.

Each product's sign-in is a subclass in its `hook.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from self_hosted.core.http.errors import AuthenticationError
from self_hosted.core.http.flow import Flow, Middleware, Pause, Reply, Request, Secret, pipeline
from self_hosted.core.http.logs import LONG_PAUSE_SECONDS, Throttle

LOGIN_CHECK_SECONDS = 0.05


class HeaderAuth:
    """The same headers on every request: API keys and ready tokens.

    :param headers: names and values
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the headers."""
        return (yield request.with_headers(self.headers))


class LoginAuth:
    """Headers earned by a login, once per hook and shared by its threads; renewed once after the session has expired.

    Subclasses implement `login`. A rejected login is never repeated: products lock accounts and ban addresses over it.
    """

    def __init__(self) -> None:
        self._session: Mapping[str, str] | None = None
        self._rejection: AuthenticationError | None = None
        self._login_lock = threading.Lock()

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in and return the headers of the session.

        :raises AuthenticationError: if the product rejects the credential
        """
        raise NotImplementedError

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the session's headers; sign in first, or again if the session has expired."""
        session = yield from self._renew(None)
        try:
            return (yield request.with_headers(session))
        except AuthenticationError:
            session = yield from self._renew(session)
            return (yield request.with_headers(session))

    def _renew(self, stale: Mapping[str, str] | None) -> Flow[Mapping[str, str]]:
        """Return a session other than the stale one."""
        # never blocks: in a trigger, a blocked coroutine would stop the one that is logging in
        throttle = None
        while not self._login_lock.acquire(blocking=False):
            throttle = throttle or Throttle(LONG_PAUSE_SECONDS)
            yield Pause(LOGIN_CHECK_SECONDS, reason=throttle.reason("waiting for a login that is in progress"))
        try:
            if self._rejection:
                raise self._rejection
            if self._session is None or self._session is stale:
                session = yield from self.login()
                for value in session.values():
                    yield Secret(value)
                self._session = session
            return self._session
        except AuthenticationError as rejection:
            self._rejection = rejection
            raise
        finally:
            self._login_lock.release()


class ExtraHeaders:
    """Headers on every request of a sign-in and of what is sent with it; those of a request take precedence.

    :param auth: the sign-in
    :param headers: names and values
    """

    def __init__(self, auth: Middleware, headers: Mapping[str, str]) -> None:
        self.auth, self._defaults = auth, _DefaultHeaders(headers)

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with sign-in and headers.

        :param request: the request
        """
        return (yield from pipeline(self.auth.send(request), [self._defaults]))


class _DefaultHeaders:
    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers

    def send(self, request: Request) -> Flow[Reply]:
        return (yield replace(request, headers={**self.headers, **request.headers}))


Auth = HeaderAuth | LoginAuth
