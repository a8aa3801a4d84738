"""What both transports share, without network I/O: a request ready to be sent, and the errors of its exchange."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from self_hosted import __version__
from self_hosted.core.http.address import Address
from self_hosted.core.http.body import StreamedBody, build_body
from self_hosted.core.http.errors import OutcomeUnknownError, UnreachableError
from self_hosted.core.http.flow import Pause, Request
from self_hosted.core.http.limits import CURRENT_LIMITS, ExchangeLimits
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.response import ACCEPTED_ENCODING, malformed

log = get_logger(__name__)

USER_AGENT = f"airflow-provider-self-hosted/{__version__}"
DEFAULT_HEADERS = {"Accept": "*/*", "Accept-Encoding": ACCEPTED_ENCODING, "User-Agent": USER_AGENT}
LONG_RUNNING_TIMEOUT_FACTOR = 5  # how many times the usual timeouts
BAD_HEADER = "a header contains an invalid character, such as a line break: check the credential"
HEADER_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
DISCONNECTS = {"IncompleteRead", "ReadError", "WriteError", "CloseError"}  # of both libraries
DISCONNECTED = re.compile(r"disconnected|closed|prematurely")


@dataclass(frozen=True)
class Exchange:
    """One request on its way.

    :param request: the request
    :param url: where it is sent
    :param headers: all headers but Host; each value can be encoded as Latin-1
    :param body: its body
    :param read_timeout: seconds between two pieces of the response
    :param limits: of the exchange
    """

    request: Request
    url: str
    headers: dict[str, str]
    body: bytes | StreamedBody | None
    read_timeout: float
    limits: ExchangeLimits

    @contextlib.contextmanager
    def translating(self, library_errors: tuple[type[Exception], ...]) -> Generator[None]:
        """Within, errors of an HTTP library are raised as our own.

        :param library_errors: their classes
        """
        try:
            yield
        except library_errors as error:
            raise self.translate(error) from None

    def translate(self, error: Exception) -> Exception:
        """Return our error for one of the HTTP library, by whether the request may have reached the server.

        :param error: any error but those of `build_exchange`
        """
        if isinstance(self.body, StreamedBody) and self.body.error is not None:
            return self.body.error  # of the file, not of the network
        if self.limits.is_started and not any(map(_is_rejection, causes(error))):
            return self._outcome_unknown(error)
        return self._unreachable(error)

    def _outcome_unknown(self, error: Exception) -> OutcomeUnknownError:
        reason = _find_reason(error)
        if not reason and not _is_disconnected(error):
            return malformed(self.request, "it is no valid HTTP")
        message = f"the response was lost: {reason or 'the connection was closed'}"
        return OutcomeUnknownError(message, method=self.request.method, path=self.request.path)

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = _find_reason(error) or "the connection was closed"
        message = f"cannot reach the server: {reason}; check the base URL and the proxy"
        unreachable = UnreachableError(message, method=self.request.method, path=self.request.path)
        # certificates and TLS versions do not change between attempts
        unreachable.retryable = not any(_is_tls_mismatch(cause) for cause in causes(error))
        return unreachable


def log_pause(pause: Pause) -> None:
    """Log why a flow pauses.

    :param pause: one with a reason is logged
    """
    if pause.reason:
        log.warning("%s", pause.reason)


@contextlib.contextmanager
def open_exchange(address: Address, request: Request) -> Generator[Exchange]:
    """Prepare the exchange of a request: open its files, and begin its limits.

    :param address: of the product
    :param request: the request
    :raises ValueError: if a header is invalid
    """
    factor = LONG_RUNNING_TIMEOUT_FACTOR if request.long_running else 1
    read_timeout = address.read_timeout * factor
    with contextlib.ExitStack() as files:
        body, body_headers = build_body(request, files)
        headers = _merge_headers(DEFAULT_HEADERS, request.headers, body_headers)
        limits = ExchangeLimits(request, address.total_timeout * factor, read_timeout)
        token = CURRENT_LIMITS.set(limits)
        try:
            yield Exchange(request, address.base_url + request.target, headers, body, read_timeout, limits)
        finally:
            CURRENT_LIMITS.reset(token)


def _merge_headers(*several: Mapping[str, str]) -> dict[str, str]:
    """Return all headers; a later one replaces an earlier one of the same name."""
    merged: dict[str, tuple[str, str]] = {}
    for headers in several:
        for name, value in headers.items():
            if not HEADER_VALUE.fullmatch(value):
                raise ValueError(BAD_HEADER)
            merged[name.lower()] = (name, value)
    return dict(merged.values())


def causes(error: BaseException, visited: tuple[BaseException, ...] = ()) -> Generator[BaseException]:
    """Yield an error and its causes, in all ways that the libraries link them.

    :param error: any error
    :param visited: those that were yielded already
    """
    if error in visited or isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):  # not errors
        return
    yield error
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for link in (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args, *members):
        if isinstance(link, BaseException):
            yield from causes(link, (*visited, error))


def _find_reason(error: Exception) -> str:
    """Return the text of the operating system or of TLS; texts of the libraries may contain the proxy's password."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return "timeout" if any("Timeout" in type(cause).__name__ for cause in causes(error)) else ""


def _is_disconnected(error: Exception) -> bool:
    """Whether the connection was closed before the response was complete; else the response is no valid HTTP."""
    return any(
        isinstance(cause, ConnectionError) or type(cause).__name__ in DISCONNECTS or DISCONNECTED.search(str(cause))
        for cause in causes(error)
    )


def _is_rejection(cause: BaseException) -> bool:
    """Whether a proxy, or the server by a TLS alert, rejected the connection; TLS 1.3 does so after the handshake."""
    is_alert = isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or "")
    return is_alert or type(cause).__name__ == "ProxyError"


def _is_tls_mismatch(cause: BaseException) -> bool:
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
