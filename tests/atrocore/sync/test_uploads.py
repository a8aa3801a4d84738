"""Uploads, by hand: responses that are lost or wrong, and files that change."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from self_hosted.atrocore.api import files
from self_hosted.atrocore.sync import file_labels, uploads
from self_hosted.atrocore.sync.file_fields import FileBinding, FileSupplement
from self_hosted.core.http.errors import InvalidRequestError, OutcomeUnknownError, ServerError
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Change, Field
from tests.atrocore.conftest import reply, run_by_hand

BINDING = FileBinding(Field("imageId", "reference", FieldSpec("image", kind="file"), collection="File"), "imageId")
CONTENT = b"content"
HASH = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
NONE, STORED = reply(200, {"list": []}), {"name": "door.png", "hash": HASH}


@pytest.fixture
def label(tmp_path):
    path = tmp_path / "door.png"
    path.write_bytes(CONTENT)
    return file_labels.label_file(str(path))


def upload(label, *replies):
    """Upload the file of one change; return the requests and the outcome, None if it worked."""
    flow = uploads.upload_named({"image": BINDING}, [Change("update", "A", "1", {"image": label})])
    requests, failed = run_by_hand(flow, *replies)
    return requests, failed.get(0)


def uploaded(label, **changes):
    return reply(200, {"id": file_labels.get_file_id(label), **STORED, **changes})


def test_a_file_that_is_stored_is_not_uploaded(label):
    stored = reply(200, {"list": [{"id": file_labels.get_file_id(label), **STORED}]})
    assert upload(label, stored)[1] is None


def test_a_missing_file_is_uploaded_with_its_id(label):
    [_, request], failed = upload(label, NONE, uploaded(label))
    assert failed is None
    assert request.json == {
        "id": file_labels.get_file_id(label),
        "name": "door.png",
        "fileContents": "data:image/png;base64,Y29udGVudA==",
    }


def test_an_upload_whose_response_is_lost_is_looked_up(label):
    stored = reply(200, {"list": [{"id": file_labels.get_file_id(label), **STORED}]})
    assert upload(label, NONE, OutcomeUnknownError("lost"), stored)[1] is None
    failed = upload(label, NONE, OutcomeUnknownError("lost"), NONE)[1]
    assert (failed.result, failed.is_final) == ("failed", False)


@pytest.mark.parametrize(
    ("answer", "message", "is_final"),
    [
        (InvalidRequestError("too large"), "too large", True),
        (ServerError("broken"), "broken", False),
        (reply(200, {"id": "f", "hash": "other"}), "its content arrived with the hash other", True),
        (reply(200, {"name": "no id"}), "unexpected response", False),
    ],
)
def test_an_upload_that_fails_fails_its_change(label, answer, message, is_final):
    _, failed = upload(label, NONE, answer)
    assert message in failed.message
    assert failed.message.startswith(file_labels.get_path(label))
    assert (failed.key, failed.result, failed.is_final) == ("A", "failed", is_final)


def test_a_file_that_was_changed_since_it_was_compared_is_not_uploaded(label, tmp_path):
    (tmp_path / "door.png").write_bytes(b"other")
    [_], failed = upload(label, NONE)
    assert failed.message.endswith("door.png was changed since it was compared")


def test_pieces_have_the_same_size_whatever_is_read_at_once(label, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_SIZE", 3)
    monkeypatch.setattr(file_labels, "PIECE_SIZE", 2)
    [_, *pieces], failed = upload(label, NONE, *[reply(200, {"chunks": []})] * 2, uploaded(label))
    assert failed is None
    sent = [(request.json["start"], request.json["piece"].partition(",")[2]) for request in pieces]
    assert sent == [(0, "Y29u"), (3, "dGVu"), (6, "dA==")]
    assert {(request.json["piecesCount"], request.json["fileSize"]) for request in pieces} == {(3, 7)}


def test_an_upload_without_a_piece_is_refused():
    with pytest.raises(ValueError, match="a file without content cannot be uploaded"):
        run_by_hand(files.upload_pieces("f", "a.txt", 0, 2, iter(())))


def test_ids_become_names_and_hashes():
    records: list[dict[str, Any]] = [
        {"id": "1", "imageId": "f1"},
        {"id": "2", "imageId": None},
        {"id": "3", "imageId": "gone"},
    ]
    listed = reply(200, {"list": [{"id": "f1", **STORED}]})
    [request], _ = run_by_hand(FileSupplement([BINDING]).load(records), listed)
    assert request.query["where"] == '[{"type":"in","attribute":"id","value":["f1","gone"]}]'
    assert [record["imageId"] for record in records] == [f"door.png md5:{HASH}", None, "gone md5:"]


def test_several_files_are_compared_by_their_contents():
    first, second, renamed = (file_labels.make_label(*pair) for pair in (("a", "1"), ("b", "2"), ("c", "1")))
    assert BINDING.is_same([first, second], [second, renamed])
    assert not BINDING.is_same([first], [first, second])
    assert BINDING.write([first, renamed]) == [file_labels.get_file_id(first), file_labels.get_file_id(renamed)]
    assert BINDING.write(None) is None


def test_the_error_of_an_object_store_is_a_reason(monkeypatch):
    class Store:
        def open(self, mode):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def read(self, size):
            raise RuntimeError("the store is closed")

    monkeypatch.setattr(file_labels, "resolve_path", lambda uri: Store())
    with pytest.raises(ValueError, match=r"cannot be read \(the store is closed\)"):
        file_labels.label_file("s3://bucket/a.png")
