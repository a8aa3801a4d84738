"""Bodies of requests and responses, never held in memory as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Request, Upload
from tests.core.toy import ToyHook, fetch_json, open_zeros, send_request

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
MakeHook = Callable[..., ToyHook]


def upload(content: bytes, name: str = "a.bin", size: int | None = None) -> Upload:
    return Upload(name, lambda: io.BytesIO(content), len(content) if size is None else size, "application/x-toy")


def upload_request(shape: str, file: Upload) -> Request:
    """Return a request with the file as its body, or as a part of it."""
    plain = Request("POST", "/swallow")
    return replace(plain, body=file) if shape == "body" else replace(plain, parts={"file": file})


def test_json_is_sent_as_json(make_hook: MakeHook, run_flow):
    received = run_flow(make_hook(), fetch_json(Request("POST", "/echo", json={"name": "Zoë"})))
    assert json.loads(received["body"]) == {"name": "Zoë"}
    assert received["headers"]["content-type"] == "application/json"


def test_none_is_sent_as_json_null(make_hook: MakeHook, run_flow):
    assert run_flow(make_hook(), fetch_json(Request("POST", "/echo", json=None)))["body"] == "null"


def test_a_form_is_sent_as_a_form(make_hook: MakeHook, run_flow):
    received = run_flow(make_hook(), fetch_json(Request("POST", "/echo", form={"a": "1 2", "b": "&"})))
    assert received["body"] == "a=1+2&b=%26"
    assert received["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_a_file_is_sent_unchanged(make_hook: MakeHook, run_flow):
    received = run_flow(make_hook(), fetch_json(Request("PUT", "/echo", body=upload(b"raw content"))))
    assert received["body"] == "raw content"
    assert (received["headers"]["content-length"], received["headers"]["content-type"]) == ("11", "application/x-toy")
    assert "transfer-encoding" not in received["headers"]


def test_an_empty_file_is_a_body_of_length_zero(make_hook: MakeHook, run_flow):
    received = run_flow(make_hook(), fetch_json(Request("PUT", "/echo", body=upload(b""))))
    assert (received["body"], received["headers"]["content-length"]) == ("", "0")


def test_a_multipart_body_has_fields_files_and_a_content_length(make_hook: MakeHook, run_flow, toy):
    parts: dict[str, str | Upload] = {
        "name": "Zoë",
        "file": upload(b"x" * 200_000, "Zoë's file.bin"),
        "other": upload(b"", "empty"),
    }
    received = run_flow(make_hook(), fetch_json(Request("POST", "/parts", parts=parts)))
    assert received == {
        "name": "Zoë",
        "file": ["Zoë's file.bin", "application/x-toy", 200_000],
        "other": ["empty", "application/x-toy", 0],
    }
    assert int(toy.requests[-1]["headers"]["content-length"]) > 200_000
    assert "transfer-encoding" not in toy.requests[-1]["headers"]


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_file_is_opened_for_each_attempt_and_closed(make_hook: MakeHook, run_flow, served, toy, shape):
    opened: list[io.BytesIO] = []

    def open_file() -> io.BytesIO:
        opened.append(io.BytesIO(b"content"))
        return opened[-1]

    file = Upload("a.bin", open_file, 7)
    served.fail("drop", times=2)
    request = replace(upload_request(shape, file), idempotent=True)
    assert run_flow(make_hook(), send_request(request)).status == 200
    assert toy.count_requests("POST", "/swallow") == len(opened) == 3
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_truncated_file_is_an_error(make_hook: MakeHook, run_flow, shape):
    file = upload(b"x" * 1000, size=100_000)
    with pytest.raises(EOFError, match="the file was truncated while it was sent"):
        run_flow(make_hook(read_timeout=5), send_request(upload_request(shape, file)))


def test_a_file_that_grew_is_sent_up_to_the_announced_size(make_hook: MakeHook, run_flow):
    assert run_flow(make_hook(), fetch_json(Request("POST", "/swallow", body=upload(b"abcdef", size=3))))["size"] == 3


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_large_file_is_never_held_in_memory(make_hook: MakeHook, run_flow, shape):
    size = 64 * 1024 * 1024
    file = Upload("zeros", lambda: open_zeros(size), size)
    request = replace(upload_request(shape, file), long_running=True)
    hook = make_hook()
    run_flow(hook, send_request(ECHO))
    tracemalloc.start()
    try:
        received = run_flow(hook, fetch_json(request))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received["size"] >= size
    assert peak < 16 * 1024 * 1024
    if shape == "body":
        assert received["sha256"] == hashlib.sha256(bytes(size)).hexdigest()


def test_a_response_can_be_saved_to_a_file(make_hook: MakeHook, run_flow, toy, tmp_path):
    reply = run_flow(make_hook(), send_request(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert (reply.status, reply.body) == (200, b"")


def test_an_error_response_is_not_saved(make_hook: MakeHook, run_flow, served, tmp_path):
    served.fail("status", status=404, body='{"error": "no such file"}', headers={"content-type": "application/json"})
    with pytest.raises(NotFoundError, match="no such file"):
        run_flow(make_hook(), send_request(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert not (tmp_path / "file").exists()


def test_a_truncated_download_is_repeated_from_the_start(make_hook: MakeHook, run_flow, toy, tmp_path):
    toy.truncate_at = [100_000, 1000]
    run_flow(make_hook(), send_request(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert toy.count_requests("GET", "/file") == 3


def test_a_truncated_response_leaves_the_outcome_unknown(make_hook: MakeHook, run_flow, toy):
    toy.truncate_at = [1000]
    with pytest.raises(OutcomeUnknownError, match="the response was lost"):
        run_flow(make_hook(), send_request(Request("GET", "/file", idempotent=False)))
