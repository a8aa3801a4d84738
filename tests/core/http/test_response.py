"""Reading a response: decoded, within its limits, in memory or in a file."""

from __future__ import annotations

import contextlib
import gzip
import io
from collections.abc import Generator
from typing import BinaryIO

import pytest

from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.limits import MAX_ERROR_BYTES, ExchangeLimits
from self_hosted.core.http.response import ResponseReader

READ, WRITE = Request("GET", "/things"), Request("POST", "/things", json={})
GZIP = [("Content-Encoding", "gzip")]
PACKED = gzip.compress(b"text", mtime=0)


def reader(
    request: Request = READ, status: int = 200, headers: list[tuple[str, str]] | None = None, max_bytes: int = 1000
) -> ResponseReader:
    return ResponseReader(ExchangeLimits(request, 60, 60), status, headers or [], max_bytes)


def read(created: ResponseReader, *pieces: bytes) -> bytes:
    with created.open():
        if all(created.feed(piece) for piece in pieces):
            created.finish()
    return created.body


class Target(io.BytesIO):
    """A file that keeps its content after it is closed."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def test_a_body_is_collected_and_names_of_headers_are_in_lower_case():
    created = reader(headers=[("X-A", "1"), ("x-a", "2"), ("Content-Type", "text/plain")])
    assert read(created, b"one ", b"two") == b"one two"
    assert created.headers == {"x-a": "1, 2", "content-type": "text/plain"}


def test_a_body_of_the_maximum_size_is_accepted():
    assert len(read(reader(max_bytes=10), b"x" * 4, b"x" * 6)) == 10


@pytest.mark.parametrize(("request_", "error_class"), [(READ, ServerError), (WRITE, OutcomeUnknownError)])
def test_a_larger_body_is_an_error_and_is_not_kept(request_, error_class):
    created = reader(request_, max_bytes=2 * 1024 * 1024)
    with pytest.raises(error_class, match=r"larger than 2 MiB \(max_response_mib of the connection\)"):
        read(created, b"x" * 2 * 1024 * 1024, b"x")
    assert created.body == b""


@pytest.mark.parametrize("status", [300, 404, 500])
def test_the_body_of_an_error_is_cut_off(status):
    assert read(reader(status=status), b"x" * MAX_ERROR_BYTES, b"y" * 10, b"never read") == b"x" * MAX_ERROR_BYTES


def test_gzip_is_decoded_piece_by_piece():
    packed = gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0)
    assert read(reader(headers=GZIP), *(packed[i : i + 1] for i in range(len(packed)))) == b"one two"
    assert read(reader(headers=GZIP), packed) == b"one two"


def test_a_gzip_bomb_is_an_error_before_it_is_unpacked():
    with pytest.raises(ServerError, match="larger than"):
        read(reader(headers=GZIP, max_bytes=1000), gzip.compress(bytes(50_000_000)))


@pytest.mark.parametrize("packed", [b"no gzip", PACKED[:-3], PACKED + b"junk"])
def test_invalid_gzip_is_malformed(packed):
    with pytest.raises(OutcomeUnknownError, match="malformed response: its compressed body is"):
        read(reader(headers=GZIP), packed)


@pytest.mark.parametrize("headers", [[], [("Content-Encoding", "identity")], [("Content-Encoding", " ")]])
def test_a_body_without_encoding_is_taken_as_it_is(headers):
    assert read(reader(headers=headers), b"text") == b"text"


def test_an_empty_body_is_complete():
    assert read(reader(headers=GZIP)) == b""
    assert read(reader(headers=GZIP), b"") == b""


def test_the_response_to_head_has_no_body_to_decode():
    assert read(reader(Request("HEAD", "/"), headers=[("Content-Encoding", "br")])) == b""


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("br", "'br'"), ("Deflate", "'deflate'"), ("gzip, gzip", "an unknown one"), ("my-password", "an unknown one")],
)
def test_an_encoding_that_was_not_requested_is_malformed(encoding, name):
    with pytest.raises(OutcomeUnknownError, match=f"its encoding, {name}, was not requested"):
        reader(headers=[("Content-Encoding", encoding)])


def test_a_hundred_headers_are_accepted_and_more_are_not():
    headers = [(f"X-{number}", "v") for number in range(101)]
    assert len(reader(headers=headers[:100]).headers) == 100
    with pytest.raises(SelfHostedError, match="the response has more than 100 headers"):
        reader(headers=headers)


@pytest.mark.parametrize("status", [0, 101, 199])
def test_an_unexpected_status_is_malformed(status):
    with pytest.raises(OutcomeUnknownError, match=f"malformed response: unexpected status {status}"):
        reader(status=status)


# files


def test_a_body_is_written_to_the_file_of_the_request():
    target = Target()
    created = reader(Request("GET", "/file", save_to=lambda: target), max_bytes=3)
    assert read(created, b"larger than ", b"3 bytes") == b""
    assert target.content == b"larger than 3 bytes"


def test_a_file_has_a_limit_of_its_own():
    target = Target()
    created = reader(Request("GET", "/file", save_to=lambda: target, max_size=1024 * 1024))
    with pytest.raises(ServerError, match=r"larger than 1 MiB \(max_size of the request\)"):
        read(created, b"x" * 1024 * 1024, b"x")
    assert len(target.content) == 1024 * 1024


def test_the_body_of_an_error_is_not_written_to_the_file():
    @contextlib.contextmanager
    def never() -> Generator[BinaryIO]:
        raise AssertionError
        yield

    assert read(reader(Request("GET", "/file", save_to=never), status=404), b"no such file") == b"no such file"
