"""Bodies as bytes, looked at without a server; that both transports send them is in test_transport.py."""

from __future__ import annotations

import contextlib
import email
import io
from collections.abc import Mapping
from email.message import Message
from typing import Any, BinaryIO, cast

import pytest

from self_hosted.core.body import CHUNK, Rest, Streamed, body_of
from self_hosted.core.flow import Request, Upload
from tests.core.toy import asked_json, sent


class Noted(io.BytesIO):
    """A file that notes how much was asked of it at once, and gives only so much."""

    def __init__(self, content: bytes, at_most: int = 1 << 30) -> None:
        super().__init__(content)
        self.asked: list[int] = []
        self.at_most = at_most

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        self.asked.append(size)
        return super().read(min(size, self.at_most))


def upload(content: bytes, name: str = "a.bin", file: BinaryIO | None = None) -> Upload:
    return Upload(name, lambda: file or io.BytesIO(content), len(content))


def chunks(parts: Mapping[str, str | Upload]) -> list[bytes]:
    with contextlib.ExitStack() as files:
        body, headers = body_of(Request("POST", "/", parts=parts), files)
        assert isinstance(body, Streamed)
        pieces = list(body)
    assert int(headers["Content-Length"]) == sum(map(len, pieces))
    return pieces


def parsed(parts: Mapping[str, str | Upload]) -> list[Message]:
    """The parts as Python's own parser of MIME reads them."""
    with contextlib.ExitStack() as files:
        body, headers = body_of(Request("POST", "/", parts=parts), files)
        message = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + b"".join(cast("Streamed", body))
    found = email.message_from_bytes(message)
    assert not found.defects
    return cast("list[Message]", found.get_payload())


def test_a_multipart_body_is_one_to_others_too():
    text, file = parsed({"json": '{"a": 1}', "bin": upload(b"\r\n--x\x00\xff", "a.zip")})
    assert (text.get_param("name", header="content-disposition"), text.get_payload()) == ("json", '{"a": 1}')
    assert file.get_filename() == "a.zip"
    assert file.get_content_type() == "application/octet-stream"
    assert file.get_payload(decode=True) == b"\r\n--x\x00\xff"


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nX-Evil: yes\r\n\r\n.txt", 'a"; name="json'])
def test_a_files_name_cannot_leave_its_place(name):
    (part,) = parsed({"bin": upload(b"x", name)})
    assert set(part.keys()) == {"Content-Disposition", "Content-Type"}
    assert part.get_param("name", header="content-disposition") == "bin"
    assert part.get_payload() == "x"


def test_no_two_bodies_have_the_same_boundary():
    with contextlib.ExitStack() as files:
        kinds = {body_of(Request("POST", "/", parts={"a": "b"}), files)[1]["Content-Type"] for _ in range(5)}
    assert len(kinds) == 5


def test_a_large_file_is_read_and_sent_in_large_chunks():
    file = Noted(bytes(10 * CHUNK))
    pieces = chunks({"json": "{}", "bin": upload(bytes(10 * CHUNK), file=file)})
    assert [len(piece) for piece in pieces[:-1]] == [CHUNK] * 10
    assert max(file.asked) == CHUNK
    assert len(file.asked) <= 12


def test_a_small_file_is_sent_in_one_chunk_together_with_all_around_it():
    (only,) = chunks({"json": "{}", "bin": upload(b"small")})
    assert b"small" in only


def test_a_file_that_gives_little_at_once_is_sent_in_large_chunks_all_the_same():
    content = b"0123456789" * 20_000
    pieces = chunks({"bin": upload(content, file=Noted(content, at_most=1000))})
    assert [len(piece) for piece in pieces[:-1]] == [CHUNK] * 3
    assert content in b"".join(pieces)


def test_no_more_is_read_of_a_file_than_is_told_of_it():
    file = io.BytesIO(b"abcdef")
    assert Rest(file, 3).read(100) == b"abc"
    assert file.tell() == 3


def test_a_file_that_became_shorter_is_an_error():
    rest = Rest(io.BytesIO(b"abc"), 5)
    assert rest.read(100) == b"abc"
    with pytest.raises(EOFError, match="the file became shorter while it was sent"):
        rest.read(100)


def test_nothing_is_sent_of_a_body_whose_file_cannot_be_opened(keyed, ask, toy):
    def refuse() -> BinaryIO:
        raise PermissionError(13, "not for you")

    with pytest.raises(PermissionError, match="not for you"):
        ask(keyed(), sent(Request("POST", "/swallow", parts={"a": "b", "file": Upload("a", refuse, 3)})))
    assert toy.asked == []


def test_all_that_was_opened_is_closed_when_a_later_file_cannot_be_opened(keyed, ask):
    first = io.BytesIO(b"abc")

    def refuse() -> BinaryIO:
        raise PermissionError(13, "not for you")

    parts: dict[str, Any] = {"first": upload(b"abc", file=first), "second": Upload("a", refuse, 3)}
    with pytest.raises(PermissionError):
        ask(keyed(), sent(Request("POST", "/swallow", parts=parts)))
    assert first.closed


def test_a_body_of_many_chunks_arrives_whole(keyed, ask):
    content = bytes(range(256)) * 1000
    seen = ask(keyed(), asked_json(Request("POST", "/parts", parts={"x": "y" * 100_000, "file": upload(content)})))
    assert seen == {"x": "y" * 100_000, "file": ["a.bin", "application/octet-stream", len(content)]}
