"""Files: uploaded once, if the stored file has another content, and never while planning."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from self_hosted.atrocore.sync import file_labels
from self_hosted.core.sync.fields import File

IMAGE = File("mainImage", column="image")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0300050001"
    "5a4f2d5d0000000049454e44ae426082"
)


@pytest.fixture
def image(site, tmp_path):
    """Return a function that writes a picture, and returns its path; stored pictures are deleted."""
    attach(protocol="memory", fs=MemoryFileSystem())

    def write(name, content=b""):
        path = tmp_path / f"{site.prefix}-{name}.png"
        path.write_bytes(PIXEL + content)
        label = file_labels.make_label(str(path), md5(PIXEL + content))
        site.created.append(("File", file_labels.get_file_id(label)))
        return str(path)

    return write


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def main_image(site, key):
    file_id = site.record(key)["mainImageId"]
    return site.hook.get_record("File", file_id) if file_id else None


def count_files(site):
    where = [{"type": "startsWith", "attribute": "name", "value": site.prefix}]
    return len(site.hook.list_records("File", where, ["name"]))


def test_a_file_is_uploaded_once_and_linked(site, image):
    path = image("door")
    rows = [site.row("1", image=path), site.row("2", image=path), site.row("3", image=None)]
    assert site.sync(rows, IMAGE) == {"created": 3}
    stored = main_image(site, "1")
    assert (stored["name"], stored["hash"]) == (Path(path).name, md5(PIXEL))
    assert main_image(site, "2")["id"] == stored["id"]
    assert main_image(site, "3") is None
    assert count_files(site) == 1
    assert site.sync(rows, IMAGE) == {"unchanged": 3}


def test_a_file_with_another_content_replaces_the_stored_one(site, image):
    site.sync([site.row("1", image=image("door"))], IMAGE)
    row = site.row("1", image=image("door", b"other"))
    assert site.sync([row], IMAGE) == {"updated": 1}
    assert main_image(site, "1")["hash"] == md5(PIXEL + b"other")
    assert site.sync([row], IMAGE) == {"unchanged": 1}


def test_the_same_content_with_another_name_is_unchanged(site, image):
    site.sync([site.row("1", image=image("door"))], IMAGE)
    assert site.sync([site.row("1", image=image("gate"))], IMAGE) == {"unchanged": 1}
    assert count_files(site) == 1


def test_a_plan_uploads_nothing(site, image):
    site.sync([site.row("1", image=image("door"))], IMAGE, dry_run=True)
    assert count_files(site) == 0


def test_large_files_are_uploaded_in_pieces(site, image, monkeypatch):
    monkeypatch.setattr(file_labels, "PIECE_SIZE", 16)
    monkeypatch.setattr("self_hosted.atrocore.sync.uploads.PIECE_SIZE", 16)
    assert site.sync([site.row("1", image=image("door"))], IMAGE) == {"created": 1}
    assert main_image(site, "1")["hash"] == md5(PIXEL)


def test_a_file_in_an_object_store_is_uploaded(site, image):
    uri = f"memory://bucket/{site.prefix}.png"
    ObjectStoragePath(uri).write_bytes(Path(image("door")).read_bytes())
    label = file_labels.make_label(uri, md5(PIXEL))
    site.created.append(("File", file_labels.get_file_id(label)))
    assert site.sync([site.row("1", image=uri)], IMAGE) == {"created": 1}
    assert main_image(site, "1")["hash"] == md5(PIXEL)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file or directory"), (b"", "is an empty file"), (b"x" * 99, "is larger than 0 MiB")],
)
def test_a_file_that_cannot_be_used_fails_its_row(site, image, tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(file_labels, "MAX_FILE_SIZE", 90)
    path = tmp_path / "other.png"
    if content is not None:
        path.write_bytes(content)
    rows = [site.row("1", image=str(path)), site.row("2", image=image("door"))]
    assert site.sync(rows, IMAGE) == {"failed": 1, "created": 1}
    assert message in site.problems()


def test_other_fields_hold_no_files(site):
    with pytest.raises(AirflowFailException, match="brand holds no files; declare it without File"):
        site.sync([site.row("1", brand="x")], File("brand"))


def test_an_image_that_the_server_does_not_remove_is_reported(site, image):
    assert site.sync([site.row("1", image=image("door"))], IMAGE) == {"created": 1}
    emptied = File("mainImage", column="image", empty="clear")
    keeps = site.name in {"1.10", "live"}  # it answers 200 and keeps the image
    assert site.sync([site.row("1", image="")], emptied) == ({"failed": 1} if keeps else {"updated": 1})
    assert (main_image(site, "1") is not None) == keeps
