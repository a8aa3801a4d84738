"""Reads a response within its limits, the same for both transports: they pass on what arrives, undecoded."""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import BinaryIO

from self_hosted.core.http.body import CHUNK_BYTES
from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.limits import MAX_ERROR_BYTES, MAX_HEADERS, MIB, ExchangeLimits
from self_hosted.core.http.logs import BYTES_PER_MEGABYTE, SECONDS_BETWEEN_LINES, Throttle, get_logger

log = get_logger(__name__)

ACCEPTED_ENCODING = "gzip"
KNOWN_ENCODINGS = {"br", "compress", "deflate", "zstd"}
GZIP_WBITS = 16 + zlib.MAX_WBITS


class ResponseReader:
    """Collects the body of one response: decoded, and in memory or in a file.

    :param limits: of the exchange
    :param status: HTTP status
    :param headers: name and value of each header, in any case
    :param max_bytes: the maximum size of a decoded body in memory
    """

    def __init__(self, limits: ExchangeLimits, status: int, headers: Iterable[tuple[str, str]], max_bytes: int) -> None:
        self.limits, self.status, self.headers = limits, status, _merge(headers, limits)
        limits.is_head_received = True
        if status < 200:
            raise malformed(limits.request, f"unexpected status {status}")
        self.is_error = status >= 300
        self.is_saved = limits.request.save_to is not None and not self.is_error
        self._max_bytes = MAX_ERROR_BYTES if self.is_error else limits.request.max_size if self.is_saved else max_bytes
        self._size = 0
        self._decoder = _create_decoder(self.headers, limits.request)
        self._target: BinaryIO = io.BytesIO()
        self._progress_line = Throttle(SECONDS_BETWEEN_LINES) if self.is_saved else None

    @contextlib.contextmanager
    def open(self) -> Generator[None]:
        """Open the file that the body is written to, if there is one."""
        if self.is_saved and self.limits.request.save_to:
            with self.limits.request.save_to() as self._target:
                yield
        else:
            yield

    def feed(self, data: bytes) -> bool:
        """Add a piece of the body, as it was received; return whether more is needed.

        :param data: undecoded bytes
        :raises SelfHostedError: if the body is too large or malformed
        """
        for piece in self._decode(data):
            if self._max_bytes is not None and self._size + len(piece) > self._max_bytes:
                if not self.is_error:
                    self._target = io.BytesIO()  # an error may live long, and with it the frame that raised it
                    raise self._too_large()
                self._target.write(piece[: self._max_bytes - self._size])
                return False  # the beginning of an error says enough
            self._target.write(piece)
            self._size += len(piece)
        if self._progress_line and self._progress_line.is_due():
            request = self.limits.request
            log.info("%s %s: %d MB are received", request.method, request.path, self._size // BYTES_PER_MEGABYTE)
        return True

    def finish(self) -> None:
        """Check that the body is complete.

        :raises OutcomeUnknownError: if its end is missing
        """
        if self._decoder is not None and not self._decoder.is_complete:
            raise malformed(self.limits.request, "its compressed body is incomplete")

    @property
    def body(self) -> bytes:
        """The collected body; empty if it went to a file."""
        return self._target.getvalue() if isinstance(self._target, io.BytesIO) and not self.is_saved else b""

    def _decode(self, data: bytes) -> Iterable[bytes]:
        if self._decoder is None:
            return [data]
        return self._decoder.decode(data)

    def _too_large(self) -> Exception:
        name = "max_size of the request" if self.is_saved else "max_response_mib of the connection"
        size = f"{(self._max_bytes or 0) / MIB:g} MiB"
        return self.limits.too_large(f"the response is larger than {size} ({name})")


class _GzipDecoder:
    """Decodes gzip in pieces of limited size, whatever the compressed data expands to.

    :param request: for errors
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._member = zlib.decompressobj(GZIP_WBITS)
        self._is_empty = True

    @property
    def is_complete(self) -> bool:
        """Whether the data ended where a member ends; an empty body is complete, too."""
        return self._is_empty or self._member.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of some data.

        :param data: compressed
        """
        self._is_empty &= not data
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(GZIP_WBITS)  # a file may consist of several members
            try:
                piece = self._member.decompress(data, CHUNK_BYTES)
            except zlib.error:
                raise malformed(self._request, "its compressed body is invalid") from None
            data = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece


def _create_decoder(headers: Mapping[str, str], request: Request) -> _GzipDecoder | None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"} or request.method == "HEAD":
        return None
    if encoding in {ACCEPTED_ENCODING, "x-gzip"}:
        return _GzipDecoder(request)
    name = repr(encoding) if encoding in KNOWN_ENCODINGS else "an unknown one"  # which may echo a secret
    raise malformed(request, f"its encoding, {name}, was not requested")


def _merge(headers: Iterable[tuple[str, str]], limits: ExchangeLimits) -> dict[str, str]:
    """Return headers with names in lower case; values of the same name are joined."""
    merged: dict[str, str] = {}
    for number, (name, value) in enumerate(headers):
        if number >= MAX_HEADERS:
            raise limits.too_large(f"the response has more than {MAX_HEADERS} headers")
        key = name.lower()
        merged[key] = f"{merged[key]}, {value}" if key in merged else value
    return merged


def malformed(request: Request, problem: str) -> OutcomeUnknownError:
    """Return the error of a response that is no valid HTTP. The request may have been carried out.

    :param request: the request
    :param problem: what is wrong
    """
    return OutcomeUnknownError(f"malformed response: {problem}", method=request.method, path=request.path)
