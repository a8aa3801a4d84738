"""The stand-in's files, results and reports: its quirks, in the words of the real server."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import IO, cast

import pytest
import requests

from self_hosted.sandbox.assemblyline.cart import unpacked
from self_hosted.sandbox.assemblyline.scan import KEPT, scan

KEYS = {
    "admin": {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"},
    "readonly": {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"},
    "full": {"X-User": "admin", "X-Apikey": "full:full-secret"},
}
UNKNOWN = "0" * 64


@pytest.fixture
def served(served):
    served.seed({"delay": 0})
    return served


@pytest.fixture
def call(served):
    def send(method, path, user="admin", **options):
        url = f"{served.base_url}/api/v4{path}"
        return requests.request(method, url, headers=KEYS[user], timeout=10, **options)

    return send


@pytest.fixture
def submit(call):
    def send(content="x", **options):
        data = content if isinstance(content, bytes) else content.encode()
        files = {"json": (None, json.dumps(options)), "bin": ("a.txt", data)}
        return call("POST", "/submit/", files=files).json()["api_response"]["sid"], hashlib.sha256(data).hexdigest()

    return send


def told(reply):
    return reply.json()["api_response"]


def words(reply):
    return reply.status_code, reply.json()["api_error_message"]


def test_a_completed_submission_lists_the_keys_of_its_results_and_errors(call, submit):
    sid, sha256 = submit("RIG-CHILD:inner")
    document = told(call("GET", f"/submission/{sid}/"))
    start = "RigScan.v4_7_0_1.c194ZBEYk2AF"
    child = hashlib.sha256(b"inner").hexdigest()
    assert document["results"] == [f"{sha256}.{start}", f"{child}.{start}.e"]
    sid, sha256 = submit("RIG-FAIL")
    document = told(call("GET", f"/submission/{sid}/"))
    assert (document["results"], document["errors"]) == ([], [f"{sha256}.{start}.e1"])


def test_a_running_submission_has_no_results_yet(served, call, submit):
    served.seed({"delay": 60})
    sid, sha256 = submit("RIG-SCORE:700")
    assert told(call("GET", f"/submission/{sid}/"))["results"] == []
    assert told(call("GET", f"/submission/full/{sid}/"))["results"] == {}
    assert told(call("GET", f"/submission/summary/{sid}/"))["heuristics"] == {}
    assert told(call("GET", f"/submission/{sid}/file/{sha256}/"))["heuristics"] == {}


def test_the_files_of_an_archive_have_their_names_in_the_tree(call, submit):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/a.txt", "RIG-SCORE:5")
    sid, sha256 = submit(packed.getvalue())
    [top] = told(call("GET", f"/submission/tree/{sid}/"))["tree"].values()
    assert (top["type"], [one["name"] for one in top["children"].values()]) == ("archive/zip", [["in/a.txt"]])
    assert told(call("GET", f"/file/children/{sha256}/")) == [
        {"name": "in/a.txt", "sha256": hashlib.sha256(b"RIG-SCORE:5").hexdigest()}
    ]


def test_the_parents_of_a_file_are_known(call, submit):
    _, sha256 = submit("RIG-CHILD:inner")
    assert told(call("GET", f"/file/result/{hashlib.sha256(b'inner').hexdigest()}/"))["parents"] == [sha256]


@pytest.mark.parametrize(
    ("score", "kind"),
    [(-5, "safe"), (0, "info"), (299, "info"), (300, "suspicious"), (999, "suspicious"), (1000, "malicious")],
)
def test_heuristics_are_never_highly_suspicious(call, submit, score, kind):
    sid, _ = submit(f"RIG-SCORE:{score}")
    assert list(told(call("GET", f"/submission/summary/{sid}/"))["heuristics"]) == [kind]
    report = told(call("GET", f"/submission/report/{sid}/"))["heuristics"]
    assert [name for name, found in report.items() if found] == [kind]


def test_a_report_says_too_early_with_a_status_of_its_own(served, call, submit):
    served.seed({"delay": 60})
    sid, _ = submit()
    text = f"It is too early to generate the report. Submission ID {sid} is incomplete."
    assert words(call("GET", f"/submission/report/{sid}/")) == (425, text)


def test_a_report_names_the_services_that_failed_and_not_the_keys(call, submit):
    sid, _ = submit("RIG-FAIL")
    report = told(call("GET", f"/submission/report/{sid}/"))
    assert report["params"]["services"]["errors"] == ["RigScan"]
    assert not {"results", "errors"} & set(report)
    assert "errors" not in told(call("GET", f"/submission/{sid}/"))["params"]["services"]


def test_not_found_has_many_words(call, submit):
    sid, _ = submit()
    texts = {
        f"/file/info/{UNKNOWN}/": "This file does not exists.",
        f"/file/score/{UNKNOWN}/": "This file does not exists",
        f"/file/result/{UNKNOWN}/": "This file does not exists",
        f"/file/hex/{UNKNOWN}/": "The file was not found in the system.",
        f"/file/download/{UNKNOWN}/": "The file was not found in the system.",
        f"/submission/{sid}/file/{UNKNOWN}/": "The file you are trying to view is missing from the system",
        f"/result/{UNKNOWN}.X.v1.c0/": f"Cache key {UNKNOWN}.X.v1.c0 does not exists.",
        f"/error/{UNKNOWN}.X.v1.c0.e1/": "The error was not found",
        "/submission/tree/none/": "Submission ID none does not exists.",
    }
    assert {path: words(call("GET", path)) for path in texts} == {path: (404, text) for path, text in texts.items()}


def test_one_error_is_told_by_two_addresses(call, submit):
    sid, _ = submit("RIG-FAIL")
    [key] = told(call("GET", f"/submission/{sid}/"))["errors"]
    assert told(call("GET", f"/error/{key}/")) == told(call("GET", f"/result/error/{key}/"))


def test_results_go_with_their_submission(call, submit):
    sid, _ = submit("RIG-SCORE:1")
    [key] = told(call("GET", f"/submission/{sid}/"))["results"]
    assert call("GET", f"/result/{key}/").status_code == 200
    call("DELETE", f"/submission/{sid}/")
    assert call("GET", f"/result/{key}/").status_code == 404


def test_files_and_results_can_be_searched(call, submit):
    _, sha256 = submit("RIG-SCORE:77")
    submit("nothing")
    found = told(call("GET", "/search/result/", params={"query": "result.score:77"}))
    assert [one["id"].partition(".")[0] for one in found["items"]] == [sha256]
    assert told(call("GET", "/search/result/", params={"query": "*"}))["total"] == 1
    found = told(call("GET", "/search/file/", params={"query": f'sha256:"{sha256}"'}))
    assert [one["type"] for one in found["items"]] == ["text/plain"]


def test_a_download_says_how_long_it_is_and_what_it_is_called(call, submit):
    _, sha256 = submit("words")
    reply = call("GET", f"/file/download/{sha256}/", params={"encoding": "raw", "name": "../a b.txt"})
    assert (reply.content, reply.headers["content-length"]) == (b"words", "5")
    assert reply.headers["content-disposition"] == "attachment; filename=file.bin; filename*=UTF-8''a%20b.txt"


def test_a_download_is_a_cart_by_default(call, submit):
    sid, sha256 = submit("words", metadata={"case": 7})
    header, content = unpacked(call("GET", f"/file/download/{sha256}/", params={"sid": sid}).content)
    assert (header, content) == ({"name": sha256, "case": "7"}, b"words")


@pytest.mark.parametrize(
    ("asked", "status", "text"),
    [
        ({"encoding": "tar"}, 403, "TAR is not in the valid encoding types: "),
        ({"encoding": "zip", "password": " "}, 403, "No password given or retrieved from user's settings."),
        ({"encoding": "zip", "password": "x" * 129}, 400, "Invalid password for protected file download."),
        ({"encoding": "zip", "password": "a\n"}, 400, "Invalid password for protected file download."),
    ],
)
def test_downloads_that_are_refused(call, submit, asked, status, text):
    _, sha256 = submit()
    code, said = words(call("GET", f"/file/download/{sha256}/", params=asked))
    assert code == status
    assert said.startswith(text)


def test_only_the_first_mib_is_shown(call, submit):
    _, sha256 = submit("x" * (1024 * 1024 + 1))
    for what in ("hex", "ascii"):
        assert told(call("GET", f"/file/{what}/{sha256}/"))["truncated"]
    assert len(told(call("GET", f"/file/ascii/{sha256}/"))["content"]) == 1024 * 1024


def test_text_of_two_bytes_a_character_is_found(call, submit):
    _, sha256 = submit("secret words".encode("utf-16"))
    assert "secret words" in told(call("GET", f"/file/strings/{sha256}/"))["content"]


def test_the_content_of_a_large_file_is_not_kept():
    class Large(io.RawIOBase):
        """Reads as zeros, and has none of them in memory."""

        def __init__(self):
            self.left = KEPT + 1

        def seek(self, offset, whence=0):
            self.left = 0 if whence else KEPT + 1
            return KEPT + 1 - self.left

        def read(self, size=-1):
            piece = min(size, self.left)
            self.left -= piece
            return bytes(piece)

    found = scan(cast("IO[bytes]", Large()))
    assert (found.size, found.files[found.sha256].content) == (KEPT + 1, None)
    assert scan(io.BytesIO(b"small")).files[hashlib.sha256(b"small").hexdigest()].content == b"small"


def test_purging_needs_a_role_of_its_own(call, submit):
    _, sha256 = submit()
    assert "requires one of the following roles: file_purge" in words(call("DELETE", f"/file/filestore/{sha256}/"))[1]
    assert told(call("DELETE", f"/file/filestore/{sha256}/", user="full")) == {"success": True}
    assert words(call("DELETE", f"/file/filestore/{UNKNOWN}/", user="full")) == (
        404,
        "The file was not found in the system.",
    )


def test_a_verdict_is_one_of_two(call, submit):
    sid, _ = submit()
    assert words(call("PUT", f"/submission/verdict/{sid}/fine/")) == (400, "'fine' is not a valid verdict.")
    assert words(call("PUT", "/submission/verdict/none/malicious/")) == (404, "There are no submission with id: none")
    assert call("PUT", f"/submission/verdict/{sid}/malicious/", user="readonly").status_code == 403


def test_a_verdict_goes_to_the_alerts_too(call, submit):
    sid, _ = submit("RIG-SCORE:600", params={"generate_alert": True})
    assert told(call("GET", f"/alert/{sid}/"))["verdict"]["malicious"] == []
    call("PUT", f"/submission/verdict/{sid}/malicious/")
    assert told(call("GET", f"/alert/{sid}/"))["verdict"]["malicious"] == ["admin"]


def test_lists_of_other_users_are_for_administrators(call, submit):
    submit()
    refused = words(call("GET", "/submission/list/user/user/"))
    assert refused == (403, "Your username does not match requested username")
    assert told(call("GET", "/submission/list/user/user/", user="full"))["total"] == 0
    assert words(call("GET", "/submission/list/user/none/", user="full")) == (404, "User none does not exists.")
    assert told(call("GET", "/submission/list/user/admin/"))["total"] == 1
    assert told(call("GET", "/submission/list/group/ALL/", params={"query": "max_score:>5"}))["total"] == 0
