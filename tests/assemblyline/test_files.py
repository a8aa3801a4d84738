"""Files, downloads and results."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import socket
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from self_hosted.assemblyline.api.files import downloads, files
from self_hosted.assemblyline.api.submissions import results
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Secret
from self_hosted.core.tasks.storage import atomic_writer
from tests.assemblyline.flows import reply, result_of

SHA256 = hashlib.sha256(b"words").hexdigest()
KEY = f"{SHA256}.Extract.v4_7_0_1.c0"


def test_a_key_contains_file_service_and_version():
    assert results.parse_key(KEY) == (SHA256, "Extract", "4.7.0.1", False, None)


def test_a_key_marks_an_empty_result():
    assert results.parse_key(f"{KEY}.e").is_empty
    assert results.parse_key(f"{KEY}.e").error is None


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(0, "unknown"), (1, "exception"), (10, "max depth reached"), (21, "service down"), (30, "task pre-empted")],
)
def test_a_key_contains_the_kind_of_error(code, meaning):
    parts = results.parse_key(f"{KEY}.e{code}")
    assert (parts.error, parts.is_empty) == (meaning, False)


def test_an_unknown_kind_of_error_is_shown_by_its_number():
    assert results.parse_key(f"{KEY}.e77").error == "error 77"


@pytest.mark.parametrize("key", ["", SHA256, f"{SHA256}.Extract", f"{KEY}.x", KEY.upper()])
def test_a_malformed_key_is_rejected_before_anything_is_sent(key):
    with pytest.raises(ValueError, match="key must be that of a result"):
        results.get(key)


def test_a_hundred_keys_cost_one_request():
    keys = [f"{KEY}{number}" for number in range(150)]
    batches = (keys[:100], keys[100:])
    responses: list[Any] = [{"result": {key: {} for key in batch}, "error": {}} for batch in batches]
    found, steps = result_of(results.get_many(keys, [f"{KEY}.e1"]), *map(reply, responses))
    assert [len(step.json["result"]) for step in steps] == [100, 50]
    assert [step.json["error"] for step in steps] == [[], [f"{KEY}.e1"]]
    assert list(found["result"]) == keys


def test_no_keys_cost_no_request():
    with pytest.raises(StopIteration) as end:
        next(results.get_many([]))
    assert end.value.value == {"result": {}, "error": {}}


@pytest.mark.parametrize("sha256", ["", "abc", "../../etc", SHA256 + "0", None])
def test_a_malformed_sha256_is_rejected(sha256):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        files.get(sha256)


@pytest.mark.parametrize(
    ("encoding", "password", "message"),
    [
        ("tar", None, "cart, zip, raw"),
        ("raw", "secret", "encoding 'zip', not 'raw'"),
        ("zip", "  ", "1 to 128"),
        ("zip", "x" * 129, "1 to 128"),
        ("zip", "a\nb", "control"),
    ],
)
def test_arguments_that_the_server_would_reject_are_rejected_first(encoding, password, message):
    with pytest.raises(ValueError, match=message) as error:
        downloads.check_arguments(encoding, password)
    assert password is None or password not in str(error.value)


def test_the_password_of_a_zip_is_masked_plain_and_encoded():
    _, steps = result_of(downloads.download(SHA256, io.BytesIO, encoding="zip", password="p&q r"), *[reply()] * 3)
    assert steps[:2] == [Secret("p&q r"), Secret("p%26q+r")]
    assert parse_qs(urlsplit(steps[2].target).query)["password"] == ["p&q r"]
    assert "password" not in steps[2].path


def test_an_error_does_not_show_the_password_of_a_zip(served, hook):
    flow = downloads.download("0" * 64, io.BytesIO, encoding="zip", password="hush-hush")
    with pytest.raises(NotFoundError, match="not found") as error:
        hook.run(flow)
    assert "hush" not in str(error.value)


def test_no_password_is_sent_by_default():
    _, [request] = result_of(downloads.download(SHA256, io.BytesIO, encoding="zip"), reply())
    assert "password" not in request.target


@pytest.mark.parametrize(
    ("encoding", "content", "message"),
    [("raw", b"other words", "has the SHA-256"), ("cart", b"words", "is not cart"), ("zip", b"", "is not zip")],
)
def test_other_content_leaves_no_file_behind(tmp_path, encoding, content, message):
    path = tmp_path / "kept"
    path.write_text("before")
    _, [request] = result_of(downloads.download(SHA256, lambda: atomic_writer(str(path)), encoding=encoding), reply())
    with pytest.raises(ServerError, match=message), request.save_to() as file:
        file.write(content)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"kept": "before"}


def test_content_in_chunks_is_verified_as_a_whole(tmp_path):
    _, [request] = result_of(
        downloads.download(SHA256, lambda: atomic_writer(str(tmp_path / "a")), encoding="raw"), reply()
    )
    with request.save_to() as file:
        for chunk in (b"w", b"or", b"ds"):
            file.write(chunk)
    assert (tmp_path / "a").read_bytes() == b"words"


@pytest.fixture
def interrupting(connect, served):
    """``interrupting(2)`` starts a server that interrupts two downloads, and returns a hook to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as ended:

        def start(times: int) -> AssemblylineHook:
            thread = threading.Thread(target=serve, args=(times,))
            thread.start()
            ended.callback(thread.join)
            ended.callback(end)
            port = listener.getsockname()[1]
            connection = served.connection(
                host=f"http://127.0.0.1:{port}", extra={"retry_timeout": 1 if times > 1 else 20}
            )
            return AssemblylineHook(connect("interrupting", connection))

        def serve(times: int) -> None:
            for number in itertools.count():
                client, _ = listener.accept()
                with client:
                    if not client.recv(65536):
                        return
                    body = b"words" if number >= times else b"wo"
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        def end() -> None:
            """Connect without a request, which ends the server."""
            socket.create_connection(listener.getsockname()).close()

        yield start


def test_an_interrupted_download_is_repeated(interrupting, tmp_path):
    path = tmp_path / "a"
    interrupting(1).run(downloads.download(SHA256, lambda: atomic_writer(str(path)), encoding="raw"))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"words"]


def test_a_download_that_is_always_interrupted_leaves_no_file(interrupting, tmp_path):
    flow = downloads.download(SHA256, lambda: atomic_writer(str(tmp_path / "a")), encoding="raw")
    with pytest.raises(OutcomeUnknownError, match="lost"):
        interrupting(50).run(flow)
    assert list(tmp_path.iterdir()) == []


def test_administrators_may_disable_downloads(served, hook):
    served.seed({"configuration": {"ui.allow_raw_downloads": False, "ui.allow_zip_downloads": False}})
    sha256 = hook.submit({"plaintext": "words"}, {})["files"][0]["sha256"]
    for encoding, message in (("raw", "RAW file download"), ("zip", "PROTECTED file download")):
        with pytest.raises(PermissionDeniedError, match=message):
            hook.download_file(sha256, io.BytesIO, encoding=encoding)


def test_a_purged_file_keeps_its_record(served, connect):
    hook = AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))
    sha256 = hook.submit({"plaintext": "words"}, {})["files"][0]["sha256"]
    hook.purge_file(sha256)
    hook.purge_file(sha256)
    assert hook.get_file(sha256)["size"] == 5
    with pytest.raises(NotFoundError, match="not found in the system"):
        hook.get_file_ascii(sha256)
    with pytest.raises(NotFoundError, match="not found in the system"):
        hook.download_file(sha256, io.BytesIO)
