"""Files: records, contents and downloads."""

from __future__ import annotations

import hashlib
import io
from typing import IO, cast

import pytest

from self_hosted.sandbox.assemblyline.analysis.analyzer import analyze
from self_hosted.sandbox.assemblyline.analysis.files import MAX_STORED_BYTES
from self_hosted.sandbox.assemblyline.cart import unpack_cart
from tests.sandbox.assemblyline.api import FULL_KEY, UNKNOWN_SHA256

pytestmark = pytest.mark.usefixtures("fast")


@pytest.fixture
def add_file(submit):
    """``add_file("content")``: the hash of the submitted file."""
    return lambda content="x", **options: submit(content, **options)["files"][0]["sha256"]


def test_the_record_has_the_dates_of_the_first_and_the_last_submission(call, add_file):
    sha256 = add_file()
    [first] = call("POST", "search/file/", json={"query": "seen.last:[now-1m TO now]"}).response["items"]
    add_file()
    [again] = call("POST", "search/file/", json={"query": "*"}).response["items"]
    assert first["sha256"] == sha256
    assert (again["seen"]["first"], again["seen"]["count"]) == (first["seen"]["first"], 2)
    assert again["seen"]["last"] > first["seen"]["last"]


def test_the_parents_of_a_file_are_listed(call, add_file):
    sha256 = add_file("RIG-CHILD:inner")
    assert call("GET", f"file/result/{hashlib.sha256(b'inner').hexdigest()}/").response["parents"] == [sha256]


def test_messages_for_unknown_files_and_results_differ(call, submit):
    sid = submit("x")["sid"]
    messages = {
        f"file/info/{UNKNOWN_SHA256}/": "This file does not exists.",
        f"file/score/{UNKNOWN_SHA256}/": "This file does not exists",
        f"file/result/{UNKNOWN_SHA256}/": "This file does not exists",
        f"file/hex/{UNKNOWN_SHA256}/": "The file was not found in the system.",
        f"file/download/{UNKNOWN_SHA256}/": "The file was not found in the system.",
        f"submission/{sid}/file/{UNKNOWN_SHA256}/": "The file you are trying to view is missing from the system",
        f"result/{UNKNOWN_SHA256}.X.v1.c0/": f"Cache key {UNKNOWN_SHA256}.X.v1.c0 does not exists.",
        f"error/{UNKNOWN_SHA256}.X.v1.c0.e1/": "The error was not found",
        "submission/tree/none/": "Submission ID none does not exists.",
    }
    assert {path: call("GET", path).error for path in messages} == {
        path: (404, text) for path, text in messages.items()
    }


def test_a_download_has_length_and_name(send, add_file):
    sha256 = add_file("words")
    reply = send("GET", f"file/download/{sha256}/", params={"encoding": "raw", "name": "../a b.txt"})
    assert (reply.content, reply.headers["content-length"]) == (b"words", "5")
    assert reply.headers["content-disposition"] == "attachment; filename=file.bin; filename*=UTF-8''a%20b.txt"


def test_a_download_is_a_cart_by_default(send, submit):
    document = submit("words", metadata={"case": 7})
    sha256 = document["files"][0]["sha256"]
    header, content = unpack_cart(send("GET", f"file/download/{sha256}/", params={"sid": document["sid"]}).content)
    assert (header, content) == ({"name": sha256, "case": "7"}, b"words")


@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        ({"encoding": "tar"}, 403, "TAR is not in the valid encoding types: "),
        ({"encoding": "zip", "password": " "}, 403, "No password given or retrieved from user's settings."),
        ({"encoding": "zip", "password": "x" * 129}, 400, "Invalid password for protected file download."),
        ({"encoding": "zip", "password": "a\n"}, 400, "Invalid password for protected file download."),
    ],
)
def test_a_download_with_invalid_parameters_is_rejected(call, add_file, params, status, message):
    reply = call("GET", f"file/download/{add_file()}/", params=params)
    assert reply.status == status
    assert reply.message.startswith(message)


def test_views_are_truncated_after_the_first_mib(call, add_file):
    sha256 = add_file("x" * (1024 * 1024 + 1))
    for view in ("hex", "ascii"):
        assert call("GET", f"file/{view}/{sha256}/").response["truncated"]
    assert len(call("GET", f"file/ascii/{sha256}/").response["content"]) == 1024 * 1024


def test_strings_in_utf_16_are_found(call, add_file):
    sha256 = add_file("secret words".encode("utf-16"))
    assert "secret words" in call("GET", f"file/strings/{sha256}/").response["content"]


class LargeFile(io.RawIOBase):
    """A file of zeros that needs no memory."""

    def __init__(self) -> None:
        self.remaining = MAX_STORED_BYTES + 1

    def seek(self, offset, whence=0):
        self.remaining = 0 if whence else MAX_STORED_BYTES + 1
        return MAX_STORED_BYTES + 1 - self.remaining

    def read(self, size=-1):
        count = min(size, self.remaining)
        self.remaining -= count
        return bytes(count)


def test_the_content_of_a_large_file_is_not_stored():
    result = analyze(cast("IO[bytes]", LargeFile()))
    assert (result.size, result.files[result.sha256].content) == (MAX_STORED_BYTES + 1, None)
    assert analyze(io.BytesIO(b"small")).files[hashlib.sha256(b"small").hexdigest()].content == b"small"


def test_the_content_of_a_file_can_be_purged(call, add_file):
    sha256 = add_file()
    assert call("DELETE", f"file/filestore/{sha256}/", FULL_KEY).response == {"success": True}
    assert call("GET", f"file/download/{sha256}/").error == (404, "The file was not found in the system.")
    error = (404, "The file was not found in the system.")
    assert call("DELETE", f"file/filestore/{UNKNOWN_SHA256}/", FULL_KEY).error == error
