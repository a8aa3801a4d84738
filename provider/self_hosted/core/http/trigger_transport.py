"""The transport of triggers: on an event loop, with httpx."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import httpx

from self_hosted.core.http.address import Address
from self_hosted.core.http.body import StreamedBody
from self_hosted.core.http.flow import NO_REPLY, Pause, Reply, Request, Secret, Step
from self_hosted.core.http.redact import Secrets
from self_hosted.core.http.response import ResponseReader
from self_hosted.core.http.streams import WatchedBackend
from self_hosted.core.http.tls import load_tls_context
from self_hosted.core.http.transport import Exchange, open_exchange

LIBRARY_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)


class TriggerTransport:
    """Sends with httpx, on one event loop.

    :param address: where and how the product is reached
    :param secrets: the secrets of the hook; derived ones are added
    :param mask: called with every derived secret
    :param sleep: carries out a pause
    :raises ValueError: if a certificate file cannot be used
    """

    def __init__(
        self,
        address: Address,
        secrets: Secrets,
        mask: Callable[[str], Awaitable[None]],
        sleep: Callable[[Pause], Awaitable[None]],
    ) -> None:
        self.address, self.secrets, self.mask, self.sleep = address, secrets, mask, sleep
        # not a client: it follows redirects, keeps cookies and decodes, which is not wanted here
        self.http = _WatchedTransport(load_tls_context(address), address.proxy)

    async def perform(self, step: Step) -> Reply:
        """Carry out one step of a flow."""
        if isinstance(step, Pause):
            await self.sleep(step)
        elif isinstance(step, Secret):
            self.secrets.add(step.value)
            await self.mask(step.value)
        else:
            return await self._send(step)
        return NO_REPLY

    async def _send(self, request: Request) -> Reply:
        with open_exchange(self.address, request) as exchange:
            with exchange.translating(LIBRARY_ERRORS):
                response = await self._request(exchange)
            async with contextlib.aclosing(response):
                reader = ResponseReader(
                    exchange.limits, response.status_code, _decode(response.headers), self.address.max_response_bytes
                )
                async with contextlib.aclosing(_read(exchange, response)) as pieces:
                    with reader.open():
                        await _feed(reader, pieces)
            return Reply(reader.status, reader.headers, reader.body, request, self.secrets.clean)

    async def _request(self, exchange: Exchange) -> httpx.Response:
        body = exchange.body
        timeout = httpx.Timeout(exchange.read_timeout, connect=self.address.connect_timeout)
        request = httpx.Request(
            exchange.request.method,
            exchange.url,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in exchange.headers.items()],
            content=_chunks(body) if isinstance(body, StreamedBody) else body,
            extensions={"timeout": timeout.as_dict()},
        )
        return await self.http.handle_async_request(request)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


class _WatchedTransport(httpx.AsyncHTTPTransport):
    """A transport whose connections keep the limits of the exchange."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        proxy_context = context if proxy and proxy.startswith("https:") else None
        super().__init__(
            verify=context, trust_env=False, proxy=httpx.Proxy(proxy, ssl_context=proxy_context) if proxy else None
        )
        # httpcore accepts a backend, and httpx does not pass one on
        self._pool._network_backend = WatchedBackend(self._pool._network_backend)


def _decode(headers: httpx.Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]


async def _feed(reader: ResponseReader, pieces: AsyncGenerator[bytes]) -> None:
    async for data in pieces:
        if not reader.feed(data):
            return
    reader.finish()


async def _read(exchange: Exchange, response: httpx.Response) -> AsyncGenerator[bytes]:
    """Yield the body of a response, undecoded."""
    with exchange.translating(LIBRARY_ERRORS):
        async for data in response.aiter_raw():
            yield data


async def _chunks(body: StreamedBody) -> AsyncIterator[bytes]:
    for chunk in body:
        yield chunk
