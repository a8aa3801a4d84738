"""Authentication, as flows around a request: add headers, or earn them by a login and earn them again when they expire.

A product's own way of signing in is a subclass in its `hook.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from self_hosted.core.errors import LoginRefused
from self_hosted.core.flow import Flow, Pause, Reply, Request, Secret

LOGIN_CHECK_INTERVAL = 0.05


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
    """Headers earned by a login: once per hook, whoever of its threads comes first, and once again after they expired.

    Subclasses write `login`. A refused login is never repeated: products lock accounts and ban addresses over it.
    """

    def __init__(self) -> None:
        self._session: Mapping[str, str] | None = None
        self._refusal: LoginRefused | None = None
        self._logging_in = threading.Lock()

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in and return the headers of the session."""
        raise NotImplementedError

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request with the session's headers, signing in before, or again when the session turns out over."""
        session = yield from self._renewed(None)
        try:
            return (yield request.with_headers(session))
        except LoginRefused:
            session = yield from self._renewed(session)
            return (yield request.with_headers(session))

    def _renewed(self, stale: Mapping[str, str] | None) -> Flow[Mapping[str, str]]:
        """A session other than the stale one."""
        # never blocks: in a trigger a waiting coroutine would stop the one that is logging in
        while not self._logging_in.acquire(blocking=False):
            yield Pause(LOGIN_CHECK_INTERVAL)
        try:
            if self._refusal:
                raise self._refusal
            if self._session is None or self._session is stale:
                session = yield from self.login()
                for value in session.values():
                    yield Secret(value)
                self._session = session
            return self._session
        except LoginRefused as refusal:
            self._refusal = refusal
            raise
        finally:
            self._logging_in.release()


Auth = HeaderAuth | LoginAuth
