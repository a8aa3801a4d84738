"""The operator that downloads, against the stand-in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import AssemblylineDownloadFileOperator
from self_hosted.core.operator import LINK_KEY
from tests.context import context

WORDS = "RIG-SCORE:900"
SHA256 = hashlib.sha256(WORDS.encode()).hexdigest()


@pytest.fixture(autouse=True)
def _known(submitted):
    submitted(WORDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "quarantine"


@pytest.fixture
def download(folder):
    def run(**arguments):
        given = {"sha256": SHA256, "folder": str(folder), **arguments}
        task = AssemblylineDownloadFileOperator(task_id="t", **given)
        told = context(task)
        return task.execute(told), told["ti"].xcoms

    return run


def test_a_file_is_neutered_unless_told_otherwise(served, folder, download):
    result, xcoms = download(sha256=SHA256.upper())
    path = folder / f"{SHA256}.cart"
    url = f"{served.base_url}/file/detail/{SHA256}"
    size = path.stat().st_size
    assert result == {"sha256": SHA256, "path": str(path), "size": size, "encoding": "cart", "url": url}
    assert xcoms == {LINK_KEY: url}
    assert path.read_bytes().startswith(b"CART")
    assert WORDS.encode() not in path.read_bytes()


def test_a_cart_tells_name_and_metadata(folder, download, submitted):
    sid = submitted(WORDS, metadata={"case": "77"})
    download(name="invoice.doc", sid=sid)
    header = api.cart_header((folder / "invoice.doc.cart").read_bytes())
    assert (header["name"], header["case"]) == ("invoice.doc", "77")


def test_a_zip_gets_its_ending_once(folder, download):
    assert download(encoding="zip", name="a.zip", zip_password="infected")[0]["path"] == str(folder / "a.zip")


def test_malware_as_it_is_needs_the_word(folder, download):
    with pytest.raises(AirflowFailException, match="raw_malware=True"):
        download(encoding="raw")
    assert not folder.exists()
    result, _ = download(encoding="raw", raw_malware=True)
    assert Path(result["path"]).read_bytes() == WORDS.encode()
    assert result["path"] == str(folder / SHA256)


def test_what_is_there_is_replaced(folder, download):
    folder.mkdir()
    (folder / "a").write_text("x" * 1000)
    assert download(encoding="raw", raw_malware=True, name="a")[0]["size"] == len(WORDS)
    assert [one.name for one in folder.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/b", "..", ".", "a\\b", "a\0b", "a\nb", " ", "x" * 201])
def test_a_name_never_leads_out_of_the_folder(folder, download, name):
    with pytest.raises(AirflowFailException, match="plain name of a file"):
        download(name=name)
    assert not folder.exists()


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path, folder, download):
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    download(name="a", encoding="raw", raw_malware=True)
    assert outside.read_text() == "untouched"
    assert (folder / "a").read_text() == WORDS
    assert not (folder / "a").is_symlink()


def test_a_file_goes_to_an_object_store(tmp_path, download):
    result, _ = download(folder=f"file://{tmp_path}/", name="a.exe")
    assert result["path"] == f"file://{tmp_path}/a.exe.cart"
    assert result["size"] == (tmp_path / "a.exe.cart").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sha256": "abc"}, "64 hex digits"),
        ({"folder": ""}, "folder must be"),
        ({"encoding": "tar"}, "encoding must be one of cart, zip, raw"),
        ({"zip_password": "infected"}, "'zip' only"),
    ],
)
def test_wrong_arguments_are_named(download, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        download(**arguments)


def test_a_file_that_is_unknown_fails_the_task_for_good(folder, download):
    with pytest.raises(AirflowFailException, match="not found"):
        download(sha256="0" * 64)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_empty_templates_count_as_nothing(folder, download):
    assert download(name="", sid="", zip_password="")[0]["path"] == str(folder / f"{SHA256}.cart")


def test_airflow_hides_the_password_among_the_rendered_fields():
    from airflow.sdk._shared.secrets_masker import redact

    assert "zip_password" in AssemblylineDownloadFileOperator.template_fields
    assert redact("hush-hush", "zip_password") == "***"
