"""The badlist and the safelist."""

from __future__ import annotations

import pytest

from tests.sandbox.assemblyline.api import FULL_KEY

SHA256 = "ab" * 32
SOURCE = {"name": "admin", "type": "user", "reason": ["a"]}
OTHER_SOURCE = {**SOURCE, "name": "other"}
ENTRY = {"type": "file", "hashes": {"sha256": SHA256}, "sources": [SOURCE]}


def test_the_table_has_the_newest_entries_first(served):
    served.seed({"badlist": [ENTRY, {**ENTRY, "hashes": {"md5": "cd" * 16}}]})
    assert [row["id"] for row in served.tables()["badlist"]] == ["cd" * 16, SHA256]


def test_errors_of_single_and_of_several_entries_differ(call):
    invalid = {**ENTRY, "hashes": {"sha256": "AB" * 32}}
    assert call("PUT", "badlist/", json=invalid).error == (500, "Internal Server Error")
    message = f"[sha256] '{'AB' * 32}' not match the validator: ^[a-f0-9]{{64}}$"
    assert call("PUT", "badlist/add_update_many/", json=[invalid]) == (400, message, None)
    assert call("PUT", "badlist/add_update_many/", json=ENTRY).message == "Could not get the list of hashes"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**ENTRY, "hashes": {}}, "No valid hash found"),
        ({"type": "tag", "tag": {"type": "a.b"}, "sources": [SOURCE]}, "Tag data not found"),
        ({"type": "signature", "sources": [SOURCE]}, "Signature data not found"),
    ],
)
def test_an_entry_without_an_id_is_rejected(call, entry, message):
    assert call("PUT", "safelist/", json=entry) == (400, message, None)


def test_enabled_applies_only_to_a_new_single_entry(call):
    disabled = {**ENTRY, "enabled": False}
    assert call("PUT", "badlist/", json=disabled).status == 200
    assert call("PUT", "safelist/add_update_many/", json=[disabled]).status == 200
    enabled = [call("GET", f"{name}/{SHA256}/").response["enabled"] for name in ("badlist", "safelist")]
    assert enabled == [False, True]
    call("PUT", "badlist/", json={**ENTRY, "enabled": True})
    assert call("GET", f"badlist/{SHA256}/").response["enabled"] is False


def test_administrators_delete_any_entry_and_always_succeed(call, served):
    served.seed({"badlist": [{**ENTRY, "sources": [OTHER_SOURCE]}]})
    assert call("DELETE", f"badlist/{SHA256}/").response == {"success": True}
    assert len(served.tables()["badlist"]) == 1
    replies = [call("DELETE", f"badlist/{SHA256}/", FULL_KEY).response for _ in range(2)]
    assert replies == [{"success": True}] * 2
    assert call("DELETE", f"badlist/{SHA256}/").response == {"success": False}
    assert served.tables()["badlist"] == []


def test_users_remove_only_their_own_sources_and_not_the_last_one(call, served):
    served.seed({"badlist": [{**ENTRY, "sources": [SOURCE, OTHER_SOURCE]}]})
    path = f"badlist/source/{SHA256}/other/user/"
    assert call("DELETE", path).error == (403, "You are not allowed to remove this source from this badlist item")
    assert call("DELETE", path, FULL_KEY).response == {"success": True}
    message = "You are not allowed to remove the last source from this badlist item"
    assert call("DELETE", f"badlist/source/{SHA256}/admin/user/").error == (403, message)


def test_an_entry_is_found_by_its_tag_and_similar_files_by_their_hashes(call):
    tag = {"type": "network.static.domain", "value": "Example.COM"}
    call("PUT", "badlist/", json={"type": "tag", "tag": tag, "sources": [SOURCE]})
    assert call("GET", "badlist/network.static.domain/example.com/").response["tag"]["value"] == "example.com"
    hashes = {"sha256": SHA256, "ssdeep": "3:abc/x:def", "tlsh": "T1" + "0" * 70}
    call("PUT", "badlist/", json={**ENTRY, "hashes": hashes})
    for path in ("ssdeep/3:abc/x:other", f"tlsh/{hashes['tlsh']}"):
        assert [entry["hashes"]["sha256"] for entry in call("GET", f"badlist/{path}/").response] == [SHA256]
