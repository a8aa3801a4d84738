"""The head of a response, as a worker reads it."""

from __future__ import annotations

import contextvars
import io

import pytest

from self_hosted.core.http.connections import _Head
from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.limits import CURRENT_LIMITS, MAX_HEAD_BYTES, ExchangeLimits

MAX_LINE_BYTES = 65_537  # what http.client reads at most


def read_line(method: str, line: bytes) -> bytes:
    """Return a line of a head that the connection's buffer holds already, as that of Python 3.14 may."""

    def read() -> bytes:
        CURRENT_LIMITS.set(ExchangeLimits(Request(method, "/things"), 100, 20))
        return _Head(io.BytesIO(line)).readline(MAX_LINE_BYTES)

    return contextvars.copy_context().run(read)


def test_a_line_may_be_as_long_as_the_head():
    line = b"X: " + b"x" * (MAX_HEAD_BYTES - 5) + b"\r\n"
    assert read_line("GET", line) == line


@pytest.mark.parametrize(("method", "error_class"), [("GET", ServerError), ("POST", OutcomeUnknownError)])
def test_a_line_that_is_longer_ends_the_exchange(method: str, error_class: type[SelfHostedError]):
    with pytest.raises(error_class, match="/things: the headers of the response are larger than 32 KiB"):
        read_line(method, b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n")
