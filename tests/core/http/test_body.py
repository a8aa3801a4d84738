"""Bodies as bytes, without a server; test_transport_bodies.py sends them."""

from __future__ import annotations

import contextlib
import email
import io
from collections.abc import Mapping
from email.message import Message
from typing import Any, BinaryIO, cast

import pytest

from self_hosted.core.http.body import CHUNK_BYTES, BoundedReader, StreamedBody, build_body
from self_hosted.core.http.flow import Request, Upload
from tests.core.toy import fetch_json, send_request


class RecordingFile(io.BytesIO):
    """A file that records the sizes of reads, and returns at most a given number of bytes per read."""

    def __init__(self, content: bytes, max_read: int = 1 << 30) -> None:
        super().__init__(content)
        self.reads: list[int] = []
        self.max_read = max_read

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        self.reads.append(size)
        return super().read(min(size, self.max_read))


def upload(content: bytes, name: str = "a.bin", file: BinaryIO | None = None) -> Upload:
    return Upload(name, lambda: file or io.BytesIO(content), len(content))


def chunks(parts: Mapping[str, str | Upload]) -> list[bytes]:
    with contextlib.ExitStack() as files:
        body, headers = build_body(Request("POST", "/", parts=parts), files)
        assert isinstance(body, StreamedBody)
        pieces = list(body)
    assert int(headers["Content-Length"]) == sum(map(len, pieces))
    return pieces


def parse(parts: Mapping[str, str | Upload]) -> list[Message]:
    """Return the parts as the MIME parser of Python reads them."""
    with contextlib.ExitStack() as files:
        body, headers = build_body(Request("POST", "/", parts=parts), files)
        message = (
            b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + b"".join(cast("StreamedBody", body))
        )
    parsed = email.message_from_bytes(message)
    assert not parsed.defects
    return cast("list[Message]", parsed.get_payload())


def test_a_multipart_body_is_valid_mime():
    text, file = parse({"json": '{"a": 1}', "bin": upload(b"\r\n--x\x00\xff", "a.zip")})
    assert (text.get_param("name", header="content-disposition"), text.get_payload()) == ("json", '{"a": 1}')
    assert file.get_filename() == "a.zip"
    assert file.get_content_type() == "application/octet-stream"
    assert file.get_payload(decode=True) == b"\r\n--x\x00\xff"


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nX-Evil: yes\r\n\r\n.txt", 'a"; name="json'])
def test_a_file_name_cannot_inject_headers(name):
    (part,) = parse({"bin": upload(b"x", name)})
    assert set(part.keys()) == {"Content-Disposition", "Content-Type"}
    assert part.get_param("name", header="content-disposition") == "bin"
    assert part.get_payload() == "x"


def test_a_file_name_that_is_not_utf_8_can_be_sent():
    (part,) = parse({"bin": upload(b"x", "\udcff\x00\x7f\ud800.txt")})
    assert part.get_filename() == r"\udcff%00%7F\ud800.txt"


def test_each_multipart_body_has_its_own_boundary():
    with contextlib.ExitStack() as files:
        content_types = {build_body(Request("POST", "/", parts={"a": "b"}), files)[1]["Content-Type"] for _ in range(5)}
    assert len(content_types) == 5


def test_a_large_file_is_read_and_sent_in_large_chunks():
    file = RecordingFile(bytes(10 * CHUNK_BYTES))
    pieces = chunks({"json": "{}", "bin": upload(bytes(10 * CHUNK_BYTES), file=file)})
    assert [len(piece) for piece in pieces[:-1]] == [CHUNK_BYTES] * 10
    assert max(file.reads) == CHUNK_BYTES
    assert len(file.reads) <= 12


def test_a_small_file_is_sent_in_one_chunk_with_its_headers():
    (chunk,) = chunks({"json": "{}", "bin": upload(b"small")})
    assert b"small" in chunk


def test_short_reads_are_gathered_into_large_chunks():
    content = b"0123456789" * 20_000
    pieces = chunks({"bin": upload(content, file=RecordingFile(content, max_read=1000))})
    assert [len(piece) for piece in pieces[:-1]] == [CHUNK_BYTES] * 3
    assert content in b"".join(pieces)


def test_a_reader_stops_at_the_announced_size():
    file = io.BytesIO(b"abcdef")
    assert BoundedReader(file, 3).read(100) == b"abc"
    assert file.tell() == 3


def test_a_truncated_file_is_an_error():
    reader = BoundedReader(io.BytesIO(b"abc"), 5)
    assert reader.read(100) == b"abc"
    with pytest.raises(EOFError, match="the file was truncated while it was sent"):
        reader.read(100)


def test_nothing_is_sent_if_a_file_cannot_be_opened(make_hook, run_flow, toy):
    def fail_to_open() -> BinaryIO:
        raise PermissionError(13, "not allowed")

    with pytest.raises(PermissionError, match="not allowed"):
        run_flow(
            make_hook(),
            send_request(Request("POST", "/swallow", parts={"a": "b", "file": Upload("a", fail_to_open, 3)})),
        )
    assert toy.requests == []


def test_opened_files_are_closed_if_a_later_file_cannot_be_opened(make_hook, run_flow):
    first = io.BytesIO(b"abc")

    def fail_to_open() -> BinaryIO:
        raise PermissionError(13, "not allowed")

    parts: dict[str, Any] = {"first": upload(b"abc", file=first), "second": Upload("a", fail_to_open, 3)}
    with pytest.raises(PermissionError):
        run_flow(make_hook(), send_request(Request("POST", "/swallow", parts=parts)))
    assert first.closed


def test_a_body_of_many_chunks_arrives_completely(make_hook, run_flow):
    content = bytes(range(256)) * 1000
    received = run_flow(
        make_hook(), fetch_json(Request("POST", "/parts", parts={"x": "y" * 100_000, "file": upload(content)}))
    )
    assert received == {"x": "y" * 100_000, "file": ["a.bin", "application/octet-stream", len(content)]}
