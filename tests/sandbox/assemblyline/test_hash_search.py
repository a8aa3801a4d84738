"""Searches for hashes in internal and external sources."""

from __future__ import annotations

import pytest

SHA256 = "ab" * 32
ITEM = {"confirmed": False, "data": {}, "description": "d", "malicious": False}
SOURCES = {
    "x.finds": {SHA256: [ITEM]},
    "x.empty": {SHA256: []},
    "x.fails": {"error": "e"},
    "x.unsupported": {"error": "Unsupported hash type."},
}
FAILED = "One or more errors occured. See individual source results for more details."


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("xyz/", (400, "Invalid hash. This API only supports sha256, md5, sha1, ssdeep, tlsh.")),
        (f"{SHA256}/", (200, None)),
        (f"{SHA256.upper()}/", (200, None)),
        ("3:abc:def/", (200, None)),
        (f"{SHA256}/?db=nosuch", (404, "File hash not found.")),
        (f"{SHA256}/?db=x.empty", (404, "File hash not found.")),
        (f"{SHA256}/?db=x.unsupported", (422, "Unsupported hash type.")),
        (f"{SHA256}/?db=x.empty|x.fails", (500, FAILED)),
        (f"{SHA256}/?db=x.finds|x.fails", (200, None)),
    ],
)
def test_the_status_depends_on_the_results_of_all_sources(served, call, path, error):
    served.seed({"hash_sources": SOURCES})
    assert call("GET", f"hash_search/{path}").error == error


@pytest.mark.usefixtures("fast")
def test_files_and_alerts_are_sources(call, submit):
    sha256 = submit("RIG-SCORE:600", params={"generate_alert": True})["files"][0]["sha256"]
    sources = call("GET", f"hash_search/{sha256}/").response
    assert sources["al"]["items"][0]["description"] == "File found in AL with score of 600."
    assert sources["alert"]["items"][0]["malicious"] is True
