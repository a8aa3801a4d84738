"""The only file that talks to the network: requests for workers, httpx for triggers, one retry policy for both."""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TypeVar

import certifi
import httpx
import requests
import tenacity
from urllib3 import exceptions as urllib3

from self_hosted import __version__
from self_hosted.core.body import CHUNK, Streamed, body_of
from self_hosted.core.connection import Address
from self_hosted.core.errors import ProductError, QuotaInUse, Uncertain, Unreachable
from self_hosted.core.flow import Flow, Pause, Reply, Request, Secret, Step

T = TypeVar("T")
USER_AGENT = f"airflow-provider-self-hosted/{__version__}"
SLOWNESS = 5  # how many times longer a slow request may take
LONGEST_BACKOFF = 30
BAD_HEADER = "a header holds a character that no header may hold, such as a line break: check the credential"
NO_REPLY = Reply(0, {}, b"", Request("", ""))  # what a Pause and a Secret are answered with; no flow looks at it

ErrorOf = Callable[[Reply], ProductError | None]


def retried(request: Request, error_of: ErrorOf, budget: float) -> Flow[Reply]:
    """Send a request, and again while that is harmless and may help.

    :param request: what to send
    :param error_of: the product's error function: from a reply to an error, or None
    :param budget: seconds after which no further attempt begins
    """
    return persistent(lambda: _attempt(request, error_of), lambda error: _worth_another_try(error, request), budget)


def persistent(flow: Callable[[], Flow[T]], may_pass: Callable[[ProductError], bool], budget: float) -> Flow[T]:
    """Run a flow, and again while that may help: exponential backoff with full jitter, Retry-After obeyed.

    :param flow: makes the flow anew for each attempt
    :param may_pass: whether an error is worth another try
    :param budget: seconds after which no further attempt begins
    """
    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, ProductError) and may_pass(error)),
        wait=_wait,
        stop=tenacity.stop_before_delay(budget),
        reraise=True,
    )
    state = tenacity.RetryCallState(policy, fn=None, args=(), kwargs={})
    policy.begin()
    # tenacity decides and this flow acts, so that one policy serves both transports
    while True:
        decision = policy.iter(retry_state=state)
        if isinstance(decision, tenacity.DoAttempt):
            try:
                return (yield from flow())
            except ProductError as error:
                state.set_exception((type(error), error, error.__traceback__))
        else:
            state.prepare_for_next_attempt()
            yield Pause(float(decision))


def _attempt(request: Request, error_of: ErrorOf) -> Flow[Reply]:
    reply = yield request
    error = error_of(reply)
    if error is not None:
        raise error
    return reply


def _worth_another_try(error: ProductError, request: Request) -> bool:
    if request.in_turn and isinstance(error, QuotaInUse):
        return False
    return request.may_be_repeated if isinstance(error, Uncertain) else error.retryable


_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_BACKOFF)  # full jitter


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ProductError) else None
    return asked or _backoff(state)  # who asks for no time at all is not hammered either


class WorkerTransport:
    """Sends with requests; may be shared by threads.

    :param address: where and how the product is reached
    :param hide: called with every derived secret
    """

    def __init__(self, address: Address, hide: Callable[[str], None]) -> None:
        self.address, self.hide = address, hide
        self.session = requests.Session()
        self.session.trust_env = False  # neither .netrc nor proxies nor certificates of the environment
        self.session.cookies.set_policy(
            DefaultCookiePolicy(allowed_domains=[])
        )  # sessions live in the auth, not in a jar
        self.session.headers["User-Agent"] = USER_AGENT
        self.session.verify = address.verify
        self.session.cert = _pair(address.client_cert)
        self.session.proxies = {"http": address.proxy, "https": address.proxy} if address.proxy else {}

    def perform(self, step: Step) -> Reply:
        """Carry out one step of a flow."""
        if isinstance(step, Pause):
            time.sleep(step.seconds)
        elif isinstance(step, Secret):
            self.hide(step.value)
        else:
            return self._send(step)
        return NO_REPLY

    def _send(self, request: Request) -> Reply:
        with _requests_errors(request), contextlib.ExitStack() as files:
            body, headers = body_of(request, files)
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

    @staticmethod
    def _reply(request: Request, response: requests.Response) -> Reply:
        saved = request.save_to is not None and response.status_code < 300
        if saved and request.save_to:
            with request.save_to() as file:
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, b"" if saved else response.content, request)


class TriggerTransport:
    """Sends with httpx, on one event loop.

    :param address: where and how the product is reached
    :param hide: called with every derived secret
    :param sleep: keeps a pause
    """

    def __init__(
        self, address: Address, hide: Callable[[str], Awaitable[None]], sleep: Callable[[Pause], Awaitable[None]]
    ) -> None:
        self.address, self.hide, self.sleep = address, hide, sleep
        self.client = httpx.AsyncClient(
            verify=_ssl_context(address, _changes(address)),
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
            await self.hide(step.value)
        else:
            return await self._send(step)
        return NO_REPLY

    async def _send(self, request: Request) -> Reply:
        with _httpx_errors(request), contextlib.ExitStack() as files:
            body, headers = body_of(request, files)
            sent = self.client.build_request(
                request.method,
                self.address.base_url + request.target,
                headers={**request.headers, **headers},
                content=_chunks(body) if isinstance(body, Streamed) else body,
                timeout=httpx.Timeout(_read_timeout(self.address, request), connect=self.address.connect_timeout),
            )
            response = await self.client.send(sent, stream=True)
            async with contextlib.aclosing(response):
                return await self._reply(request, response)

    @staticmethod
    async def _reply(request: Request, response: httpx.Response) -> Reply:
        saved = request.save_to is not None and response.is_success
        if saved and request.save_to:
            with request.save_to() as file:
                async for chunk in response.aiter_bytes(CHUNK):
                    file.write(chunk)
        body = b"" if saved else await response.aread()
        return Reply(response.status_code, dict(response.headers), body, request)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def _read_timeout(address: Address, request: Request) -> float:
    return address.read_timeout * (SLOWNESS if request.slow else 1)


def _pair(cert: tuple[str, str | None] | None) -> str | tuple[str, str] | None:
    if cert is None:
        return None
    return (cert[0], cert[1]) if cert[1] else cert[0]


def _changes(address: Address) -> tuple[float, ...]:
    """When the certificate files of an address were changed last."""
    files = [address.verify, *(address.client_cert or ())]
    return tuple(Path(file).stat().st_mtime for file in files if isinstance(file, str))


@functools.lru_cache(maxsize=16)
def _ssl_context(address: Address, changes: tuple[float, ...]) -> ssl.SSLContext | bool:
    """Kept, since it takes 16 ms to make one: a triggerer whose 500 tasks are killed at once would stand still.

    :param address: whose certificates to use
    :param changes: so that renewed certificates are read anew
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


async def _chunks(body: Streamed) -> AsyncIterator[bytes]:
    for chunk in body:
        yield chunk


@contextlib.contextmanager
def _requests_errors(request: Request) -> Generator[None]:
    """What requests raises, as what it means: did the request get there or not."""
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
        kind = _unreachable if isinstance(reason, urllib3.NewConnectionError) else _uncertain
        raise kind(request, error) from None


@contextlib.contextmanager
def _httpx_errors(request: Request) -> Generator[None]:
    """What httpx raises, as what it means: did the request get there or not."""
    not_sent = (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        ssl.SSLError,  # an alert of the server that comes after the handshake, as TLS 1.3 has it
    )
    try:
        yield
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        raise ValueError(BAD_HEADER) from None
    except not_sent as error:
        raise _unreachable(request, error) from None
    except httpx.HTTPError as error:
        raise _uncertain(request, error) from None


def _unreachable(request: Request, error: Exception) -> Unreachable:
    words = f"cannot reach the server: {_reason(error)}; check the base URL and the proxy"
    unreachable = Unreachable(words, method=request.method, path=request.path)
    # neither certificates nor TLS versions change while one waits
    unreachable.retryable = not any(isinstance(cause, ssl.SSLError) for cause in _causes(error))
    return unreachable


def _uncertain(request: Request, error: Exception) -> Uncertain:
    return Uncertain(f"the answer was lost: {_reason(error)}", method=request.method, path=request.path)


def _reason(error: Exception) -> str:
    """What the operating system or TLS said; never the libraries' own texts, which may hold the proxy's password."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return "time-out" if "Timeout" in type(error).__name__ else "the connection was closed"


def _causes(error: BaseException, known: tuple[BaseException, ...] = ()) -> Generator[BaseException]:
    """An error and all that led to it, however its library links them."""
    if error in known or isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):  # these are no errors
        return
    yield error
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for link in (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args, *members):
        if isinstance(link, BaseException):
            yield from _causes(link, (*known, error))
