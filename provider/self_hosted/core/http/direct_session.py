"""The session that `get_conn` returns: a session of requests that is signed in, for direct use.

It signs requests below the base URL only, so that the credential is never sent to another address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests

from self_hosted.core.http.address import Address
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.limits import CURRENT_LIMITS, ExchangeLimits
from self_hosted.core.http.session import Session, configure
from self_hosted.core.http.transport import DEFAULT_HEADERS

Headers = Mapping[str, str]
DEFAULT_PORTS = {"http": 80, "https": 443}


class DirectSession(Session):
    """A session of requests with the address, the TLS settings, the proxy and the timeouts of a connection.

    A URL may be a path below the base URL, such as "/api/info". Redirects are not followed, and nothing is retried. A
    response that takes longer than the total timeout raises `requests.Timeout`.

    :param address: where and how the product is reached
    :param sign: called with the headers of a request below the base URL and a function that sends it with the given
        headers and returns the status: once, and again after the credential was renewed
    :raises ValueError: if a certificate file cannot be used
    """

    def __init__(self, address: Address, sign: Callable[[Headers, Callable[[Headers], int]], None]) -> None:
        super().__init__()
        configure(self, address)
        self.headers.update(DEFAULT_HEADERS)
        self.address, self._sign = address, sign

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request.

        :param method: such as "GET"
        :param url: a URL, or a path below the base URL that begins with "/"
        """
        text = url.decode() if isinstance(url, bytes) else url
        below = text.startswith("/") and not text.startswith("//")
        return super().request(method, f"{self.address.base_url}{text}" if below else url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request; with the sign-in if its URL is below the base URL.

        :param request: the request
        """
        kwargs["timeout"] = kwargs.get("timeout") or (self.address.connect_timeout, self.address.read_timeout)
        if not is_below(request.url or "", self.address.base_url):
            return self._send(request, **kwargs)
        responses: list[requests.Response] = []

        def transmit(headers: Headers) -> int:
            if responses and not isinstance(request.body, (str, bytes, type(None))):
                return responses[-1].status_code  # a body that is read while it is sent cannot be sent again
            signed = request.copy()
            signed.headers.update(headers)
            for response in responses:
                response.close()
            responses.append(self._send(signed, **kwargs))
            return responses[-1].status_code

        self._sign(dict(request.headers), transmit)
        return responses[-1]

    def _send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        # a body adds to the time; what it consists of does not matter
        work = Request(
            request.method or "", urlsplit(request.url or "").path, parts=None if request.body is None else {}
        )
        token = CURRENT_LIMITS.set(ExchangeLimits(work, self.address.total_timeout, self.address.read_timeout))
        try:
            return super().send(request, **kwargs)
        except SelfHostedError as error:
            raise requests.Timeout(str(error), request=request) from None
        finally:
            CURRENT_LIMITS.reset(token)


def is_below(url: str, base_url: str) -> bool:
    """Return whether a URL is that of a base URL or below it.

    :param url: as requests sends it
    :param base_url: without a trailing slash
    """
    parts, base = urlsplit(url), urlsplit(base_url)
    segments = parts.path.split("/")
    return (
        _get_server(parts) == _get_server(base)
        and f"{parts.path}/".startswith(f"{base.path}/")
        and ".." not in segments
    )


def _get_server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
