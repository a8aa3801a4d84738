"""What is sent and what comes back, in a worker and in a trigger alike: never held whole."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Request, Upload
from tests.core.toy import ToyHook, asked_json, sent, zeros

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
Keyed = Callable[..., ToyHook]


def upload(content: bytes, name: str = "a.bin", size: int | None = None) -> Upload:
    return Upload(name, lambda: io.BytesIO(content), len(content) if size is None else size, "application/x-toy")


def swallow(shape: str, file: Upload) -> Request:
    """Send a file as the whole body, or as a part of one."""
    plain = Request("POST", "/swallow")
    return replace(plain, body=file) if shape == "body" else replace(plain, parts={"file": file})


def test_json_is_sent_as_json(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("POST", "/echo", json={"name": "Zoë"})))
    assert json.loads(seen["body"]) == {"name": "Zoë"}
    assert seen["headers"]["content-type"] == "application/json"


def test_null_is_json_too(keyed: Keyed, ask):
    assert ask(keyed(), asked_json(Request("POST", "/echo", json=None)))["body"] == "null"


def test_a_form_is_sent_as_a_form(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("POST", "/echo", form={"a": "1 2", "b": "&"})))
    assert seen["body"] == "a=1+2&b=%26"
    assert seen["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_a_file_is_sent_as_it_is(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("PUT", "/echo", body=upload(b"raw content"))))
    assert seen["body"] == "raw content"
    assert (seen["headers"]["content-length"], seen["headers"]["content-type"]) == ("11", "application/x-toy")
    assert "transfer-encoding" not in seen["headers"]


def test_an_empty_file_is_a_body_of_length_nothing(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("PUT", "/echo", body=upload(b""))))
    assert (seen["body"], seen["headers"]["content-length"]) == ("", "0")


def test_a_multipart_body_holds_fields_and_files_and_tells_its_length(keyed: Keyed, ask, toy):
    parts: dict[str, str | Upload] = {
        "name": "Zoë",
        "file": upload(b"x" * 200_000, "Zoë's file.bin"),
        "other": upload(b"", "empty"),
    }
    seen = ask(keyed(), asked_json(Request("POST", "/parts", parts=parts)))
    assert seen == {
        "name": "Zoë",
        "file": ["Zoë's file.bin", "application/x-toy", 200_000],
        "other": ["empty", "application/x-toy", 0],
    }
    assert int(toy.asked[-1]["headers"]["content-length"]) > 200_000
    assert "transfer-encoding" not in toy.asked[-1]["headers"]


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_file_is_opened_anew_for_every_attempt(keyed: Keyed, ask, served, toy, shape):
    opened: list[io.BytesIO] = []

    def anew() -> io.BytesIO:
        opened.append(io.BytesIO(b"content"))
        return opened[-1]

    file = Upload("a.bin", anew, 7)
    served.fail("drop", times=2)
    request = replace(swallow(shape, file), repeatable=True)
    assert ask(keyed(), sent(request)).status == 200
    assert toy.times("POST", "/swallow") == len(opened) == 3
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_file_that_became_shorter_is_an_error_instead_of_an_endless_wait(keyed: Keyed, ask, shape):
    file = upload(b"x" * 1000, size=100_000)
    with pytest.raises(EOFError, match="the file became shorter while it was sent"):
        ask(keyed(read_timeout=5), sent(swallow(shape, file)))


def test_a_file_that_grew_is_sent_with_the_length_it_had(keyed: Keyed, ask):
    assert ask(keyed(), asked_json(Request("POST", "/swallow", body=upload(b"abcdef", size=3))))["size"] == 3


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_large_file_is_never_held_in_memory(keyed: Keyed, ask, shape):
    size = 64 * 1024 * 1024
    file = Upload("zeros", lambda: zeros(size), size)
    request = replace(swallow(shape, file), slow=True)
    hook = keyed()
    ask(hook, sent(ECHO))
    tracemalloc.start()
    try:
        seen = ask(hook, asked_json(request))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen["size"] >= size
    assert peak < 16 * 1024 * 1024
    if shape == "body":
        assert seen["sha256"] == hashlib.sha256(bytes(size)).hexdigest()


def test_an_answer_can_go_to_a_file(keyed: Keyed, ask, toy, tmp_path):
    reply = ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert (reply.status, reply.body) == (200, b"")


def test_an_error_does_not_go_to_the_file(keyed: Keyed, ask, served, tmp_path):
    served.fail("status", status=404, body='{"error": "no such file"}', headers={"content-type": "application/json"})
    with pytest.raises(NotFound, match="no such file"):
        ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert not (tmp_path / "file").exists()


def test_a_download_that_was_cut_off_begins_anew(keyed: Keyed, ask, toy, tmp_path):
    toy.cut_off = [100_000, 1000]
    ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert toy.times("GET", "/file") == 3


def test_an_answer_that_was_cut_off_is_lost(keyed: Keyed, ask, toy):
    toy.cut_off = [1000]
    with pytest.raises(Uncertain, match="the answer was lost"):
        ask(keyed(), sent(Request("GET", "/file", repeatable=False)))
