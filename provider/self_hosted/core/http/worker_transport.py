"""The transport of workers: blocking, with requests."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable, Generator
from typing import cast

import urllib3

from self_hosted.core.http.address import Address
from self_hosted.core.http.body import CHUNK_BYTES
from self_hosted.core.http.flow import NO_REPLY, Pause, Reply, Request, Secret, Step
from self_hosted.core.http.redact import Secrets
from self_hosted.core.http.response import ResponseReader
from self_hosted.core.http.session import create_session
from self_hosted.core.http.transport import Exchange, log_pause, open_exchange

# those of requests are OSErrors
LIBRARY_ERRORS = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


class WorkerTransport:
    """Sends with requests. Threads may share it.

    :param address: where and how the product is reached
    :param secrets: the secrets of the hook; derived ones are added
    :param mask: called with every derived secret
    :raises ValueError: if a certificate file cannot be used
    """

    def __init__(self, address: Address, secrets: Secrets, mask: Callable[[str], None]) -> None:
        self.address, self.secrets, self.mask = address, secrets, mask
        self.session = create_session(address)

    def perform(self, step: Step) -> Reply:
        """Carry out one step of a flow."""
        if isinstance(step, Pause):
            log_pause(step)
            time.sleep(step.seconds)
        elif isinstance(step, Secret):
            self.secrets.add(step.value)
            self.mask(step.value)
        else:
            return self._send(step)
        return NO_REPLY

    def _send(self, request: Request) -> Reply:
        with open_exchange(self.address, request) as exchange:
            with exchange.translating(LIBRARY_ERRORS):
                response = self._request(exchange)
            with contextlib.closing(response):
                reader = ResponseReader(
                    exchange.limits, response.status, response.headers.items(), self.address.max_response_bytes
                )
                with reader.open():
                    if all(reader.feed(data) for data in _read(exchange, response)):
                        reader.finish()
            return Reply(reader.status, reader.headers, reader.body, request, self.secrets.clean)

    def _request(self, exchange: Exchange) -> urllib3.BaseHTTPResponse:
        response = self.session.request(
            exchange.request.method,
            exchange.url,
            data=exchange.body,
            headers=exchange.headers,
            timeout=(self.address.connect_timeout, exchange.read_timeout),
            allow_redirects=False,  # a redirect would carry the credential elsewhere
            stream=True,
        )
        return cast("urllib3.BaseHTTPResponse", response.raw)  # requests decodes whatever a server sends


def _read(exchange: Exchange, response: urllib3.BaseHTTPResponse) -> Generator[bytes]:
    """Yield the body of a response, undecoded."""
    with exchange.translating(LIBRARY_ERRORS):
        yield from response.stream(CHUNK_BYTES, decode_content=False)
