"""The only file with network I/O: requests for workers, httpx for triggers."""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import certifi
import httpx
import requests
from urllib3 import exceptions as urllib3

from self_hosted import __version__
from self_hosted.core.http.address import Address
from self_hosted.core.http.body import CHUNK_BYTES, StreamedBody, build_body
from self_hosted.core.http.errors import OutcomeUnknownError, UnreachableError
from self_hosted.core.http.flow import Pause, Reply, Request, Secret, Step
from self_hosted.core.http.redact import Secrets

USER_AGENT = f"airflow-provider-self-hosted/{__version__}"
LONG_RUNNING_TIMEOUT_FACTOR = 5  # how many times the read timeout
BAD_HEADER = "a header contains an invalid character, such as a line break: check the credential"
NO_REPLY = Reply(0, {}, b"", Request("", ""))  # the reply to a Pause and a Secret; flows ignore it


class WorkerTransport:
    """Sends with requests. Threads may share it.

    :param address: where and how the product is reached
    :param secrets: the secrets of the hook; derived ones are added
    :param mask: called with every derived secret
    """

    def __init__(self, address: Address, secrets: Secrets, mask: Callable[[str], None]) -> None:
        self.address, self.secrets, self.mask = address, secrets, mask
        self.session = requests.Session()
        self.session.trust_env = False  # neither .netrc nor proxies nor certificates of the environment
        # `LoginAuth` holds the session, not a cookie jar
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers["User-Agent"] = USER_AGENT
        self.session.verify = address.verify
        self.session.cert = _cert_argument(address.client_cert)
        self.session.proxies = {"http": address.proxy, "https": address.proxy} if address.proxy else {}

    def perform(self, step: Step) -> Reply:
        """Carry out one step of a flow."""
        if isinstance(step, Pause):
            time.sleep(step.seconds)
        elif isinstance(step, Secret):
            self.secrets.add(step.value)
            self.mask(step.value)
        else:
            return self._send(step)
        return NO_REPLY

    def _send(self, request: Request) -> Reply:
        with _translate_requests_errors(request), contextlib.ExitStack() as files:
            body, headers = build_body(request, files)
            response = self.session.request(
                request.method,
                self.address.base_url + request.target,
                headers={**request.headers, **headers},
                data=body,
                timeout=(self.address.connect_timeout, _read_timeout(self.address, request)),
                allow_redirects=False,  # a redirect would carry the credential elsewhere
                stream=request.save_to is not None,
            )
            with contextlib.closing(response):
                return self._reply(request, response)

    def _reply(self, request: Request, response: requests.Response) -> Reply:
        saved = request.save_to is not None and response.status_code < 300
        if saved and request.save_to:
            with request.save_to() as file:
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = b"" if saved else response.content
        return Reply(response.status_code, headers, body, request, self.secrets.clean)


class TriggerTransport:
    """Sends with httpx, on one event loop.

    :param address: where and how the product is reached
    :param secrets: the secrets of the hook; derived ones are added
    :param mask: called with every derived secret
    :param sleep: carries out a pause
    """

    def __init__(
        self,
        address: Address,
        secrets: Secrets,
        mask: Callable[[str], Awaitable[None]],
        sleep: Callable[[Pause], Awaitable[None]],
    ) -> None:
        self.address, self.secrets, self.mask, self.sleep = address, secrets, mask, sleep
        self.client = httpx.AsyncClient(
            verify=_ssl_context(address, _modification_times(address)),
            proxy=address.proxy,
            headers={"User-Agent": USER_AGENT},
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(address.read_timeout, connect=address.connect_timeout),
        )
        self.client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

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
        with _translate_httpx_errors(request), contextlib.ExitStack() as files:
            body, headers = build_body(request, files)
            sent = self.client.build_request(
                request.method,
                self.address.base_url + request.target,
                headers={**request.headers, **headers},
                content=_chunks(body) if isinstance(body, StreamedBody) else body,
                timeout=httpx.Timeout(_read_timeout(self.address, request), connect=self.address.connect_timeout),
            )
            response = await self.client.send(sent, stream=True)
            async with contextlib.aclosing(response):
                return await self._reply(request, response)

    async def _reply(self, request: Request, response: httpx.Response) -> Reply:
        saved = request.save_to is not None and response.is_success
        if saved and request.save_to:
            with request.save_to() as file:
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    file.write(chunk)
        body = b"" if saved else await response.aread()
        return Reply(response.status_code, dict(response.headers), body, request, self.secrets.clean)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def _read_timeout(address: Address, request: Request) -> float:
    return address.read_timeout * (LONG_RUNNING_TIMEOUT_FACTOR if request.long_running else 1)


def _cert_argument(cert: tuple[str, str | None] | None) -> str | tuple[str, str] | None:
    if cert is None:
        return None
    return (cert[0], cert[1]) if cert[1] else cert[0]


def _modification_times(address: Address) -> tuple[float, ...]:
    """Return when the certificate files were last modified."""
    files = [address.verify, *(address.client_cert or ())]
    return tuple(Path(file).stat().st_mtime for file in files if isinstance(file, str))


@functools.lru_cache(maxsize=16)
def _ssl_context(address: Address, modified: tuple[float, ...]) -> ssl.SSLContext | bool:
    """Return a cached context: creating one takes 16 ms, which blocks a triggerer when 500 tasks are killed.

    :param address: names the certificates
    :param modified: modification times, so that renewed certificates are read
    """
    if address.verify is False and address.client_cert is None:
        return False
    cafile = address.verify if isinstance(address.verify, str) else certifi.where()
    context = ssl.create_default_context(cafile=cafile)
    if address.verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if address.client_cert:
        context.load_cert_chain(*address.client_cert)
    return context


async def _chunks(body: StreamedBody) -> AsyncIterator[bytes]:
    for chunk in body:
        yield chunk


@contextlib.contextmanager
def _translate_requests_errors(request: Request) -> Generator[None]:
    """Raise our errors for those of requests, by whether the request reached the server."""
    not_sent = (
        requests.exceptions.ConnectTimeout,
        requests.exceptions.SSLError,
        requests.exceptions.ProxyError,
        requests.exceptions.InvalidURL,
    )
    try:
        yield
    except (requests.exceptions.InvalidHeader, UnicodeEncodeError):
        raise ValueError(BAD_HEADER) from None
    except not_sent as error:
        raise _unreachable(request, error) from None
    except requests.exceptions.RequestException as error:
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        is_unsent = isinstance(reason, urllib3.NewConnectionError)
        raise (_unreachable if is_unsent else _outcome_unknown)(request, error) from None


@contextlib.contextmanager
def _translate_httpx_errors(request: Request) -> Generator[None]:
    """Raise our errors for those of httpx, by whether the request reached the server."""
    not_sent = (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        ssl.SSLError,  # a TLS 1.3 alert that the server sends after the handshake
    )
    try:
        yield
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        raise ValueError(BAD_HEADER) from None
    except not_sent as error:
        raise _unreachable(request, error) from None
    except httpx.HTTPError as error:
        raise _outcome_unknown(request, error) from None


def _unreachable(request: Request, error: Exception) -> UnreachableError:
    message = f"cannot reach the server: {_reason(error)}; check the base URL and the proxy"
    unreachable = UnreachableError(message, method=request.method, path=request.path)
    # certificates and TLS versions do not change between attempts
    unreachable.retryable = not any(isinstance(cause, ssl.SSLError) for cause in _causes(error))
    return unreachable


def _outcome_unknown(request: Request, error: Exception) -> OutcomeUnknownError:
    return OutcomeUnknownError(f"the response was lost: {_reason(error)}", method=request.method, path=request.path)


def _reason(error: Exception) -> str:
    """Return the text of the operating system or of TLS; texts of the libraries may contain the proxy's password."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return "timeout" if "Timeout" in type(error).__name__ else "the connection was closed"


def _causes(error: BaseException, visited: tuple[BaseException, ...] = ()) -> Generator[BaseException]:
    """Yield an error and its causes, in all ways that the libraries link them."""
    if error in visited or isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):  # not errors
        return
    yield error
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for link in (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args, *members):
        if isinstance(link, BaseException):
            yield from _causes(link, (*visited, error))
