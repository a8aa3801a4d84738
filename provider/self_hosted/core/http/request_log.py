"""One line per request at the level DEBUG, as innermost middleware: the same for both transports."""

from __future__ import annotations

import logging
import time

from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)


def is_enabled() -> bool:
    """Return whether requests are logged."""
    return log.isEnabledFor(logging.DEBUG)


class RequestLog:
    """Logs method, path, status, time and number of the attempt of each request of one flow; neither query nor body."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._attempt = 0

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request, and log it."""
        self._attempt = self._attempt + 1 if request is self._request else 1
        self._request = request
        started_at, outcome = time.monotonic(), ""
        try:
            reply = yield request
            outcome = str(reply.status)
            return reply
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            milliseconds = 1000 * (time.monotonic() - started_at)
            message = "%s %s: %s after %.0f ms, attempt %d"
            log.debug(message, request.method, request.path, outcome or "ended", milliseconds, self._attempt)
