"""Files of the fake AtroCore server."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
import requests

from tests.sandbox.atrocore.client import client_of_core

HELLO = b"hello"


def to_uri(content, media_type="text/plain"):
    return f"data:{media_type};base64,{b64encode(content).decode()}"


@pytest.fixture(params=["1.10.30", "2.3.16"])
def client(request, served):
    return client_of_core(served, request.param, "2.3" if request.param == "2.3.16" else "1.x-2.2")


def upload(client, name="hello.txt", content=HELLO, **values):
    return client.call("POST", "/File", {"name": name, "fileContents": to_uri(content), **values})


def download(client, path, **headers):
    return requests.get(f"{client.served.base_url}{path}", headers={**client.headers, **headers}, timeout=60)


def upload_chunk(client, start, content, pieces=2, name="big.bin"):
    body = {"id": "big", "name": name, "fileUniqueHash": "h", "piecesCount": pieces, "start": start}
    path = "/File/createChunk" if client.dialect == "2.3" else "/File"
    return client.call("POST", path, {**body, "piece": to_uri(content)})


def test_an_upload_is_described_and_can_be_downloaded(client):
    created = upload(client).json()
    assert (created["hash"], created["fileSize"]) == (hashlib.md5(HELLO).hexdigest(), 5)
    assert (created["mimeType"], created["extension"], created["name"]) == ("text/plain", "txt", "hello.txt")
    assert download(client, created["downloadUrl"]).content == HELLO


def test_downloads_need_credentials(client):
    url = client.served.base_url + upload(client).json()["downloadUrl"]
    assert requests.get(url, timeout=60).status_code == 401


def test_an_equal_content_is_reported_as_a_duplicate(client):
    first = upload(client).json()
    assert "duplicate" not in first
    second = upload(client, "other.txt").json()
    assert (second["duplicate"]["id"], second["id"] != first["id"]) == (first["id"], True)
    client.call("DELETE", f"/File/{first['id']}")
    assert upload(client, "third.txt").json()["duplicate"]["id"] == second["id"]


def test_a_file_is_found_by_the_hash_of_its_content(client):
    created = upload(client).json()
    where = {"where[0][type]": "equals", "where[0][attribute]": "hash", "where[0][value]": created["hash"]}
    assert [one["id"] for one in client.call("GET", "/File", params=where).json()["list"]] == [created["id"]]


@pytest.mark.parametrize("contents", ["aGVsbG8=", "data:text/plain,hello", "data:text/plain;base64,?", "", None])
def test_a_content_must_be_a_data_uri(client, contents):
    reply = client.call("POST", "/File", {"name": "a.txt", "fileContents": contents})
    assert reply.status_code == 400
    assert client.call("GET", "/File").json()["list"] == []


def test_a_file_needs_a_name(client):
    assert client.call("POST", "/File", {"fileContents": to_uri(HELLO)}).status_code == 400


def test_chunks_become_a_file_when_the_last_one_arrives(client):
    assert upload_chunk(client, 6, b"second").json() == {"chunks": ["6"]}
    created = upload_chunk(client, 0, b"first ").json()
    assert (created["id"], created["chunks"], created["fileSize"]) == ("big", ["0", "6"], 12)
    assert download(client, created["downloadUrl"]).content == b"first second"


def test_a_name_changes_but_not_the_content(client):
    file_id = upload(client).json()["id"]
    assert client.call("PATCH", f"/File/{file_id}", {"fileContents": to_uri(b"other")}).status_code == 304
    changed = client.call("PATCH", f"/File/{file_id}", {"name": "new.txt", "hash": "0"}).json()
    assert (changed["name"], changed["hash"]) == ("new.txt", hashlib.md5(HELLO).hexdigest())


def test_a_content_is_replaced_since_2_3(newest):
    file_id = upload(newest).json()["id"]
    body = {"name": "new.txt", "fileContents": to_uri(b"other")}
    assert newest.call("PATCH", f"/File/{file_id}/reupload", body).json()["fileSize"] == 5
    assert download(newest, f"/downloads/{file_id}.txt").content == b"other"


def test_deleted_and_unknown_files_cannot_be_downloaded(client):
    created = upload(client).json()
    client.call("DELETE", f"/File/{created['id']}")
    assert download(client, created["downloadUrl"]).status_code == 404
    assert download(client, "/?entryPoint=unknown").status_code == 404
    assert download(client, "/downloads/unknown").status_code == 404


def test_folders_and_public_links(client):
    folder = client.call("POST", "/Folder", {"name": "Pictures", "code": "pictures"}).json()
    file = upload(client, folderId=folder["id"]).json()
    assert client.call("GET", f"/File/{file['id']}").json()["folderName"] == "Pictures"
    sharing = client.call("POST", "/Sharing", {"name": "s", "fileId": file["id"]}).json()
    assert sharing["link"] == f"/?entryPoint=sharing&id={sharing['id']}"


def test_seeded_files_have_the_content_of_the_seed(client):
    files = [{"id": "a", "name": "a.txt", "fileContents": to_uri(HELLO)}, {"id": "b", "name": "b"}]
    client.served.seed({"records": {"File": files}})
    found = {one["id"]: (one["fileSize"], one["downloadUrl"]) for one in client.call("GET", "/File").json()["list"]}
    assert {file_id: size for file_id, (size, _) in found.items()} == {"a": 5, "b": 0}
    assert download(client, found["a"][1]).content == HELLO
