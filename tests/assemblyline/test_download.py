"""AssemblylineDownloadFileOperator against the sandbox."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api.bundles import carts
from self_hosted.assemblyline.operators import AssemblylineDownloadFileOperator
from self_hosted.core.http.errors import ServerError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.context import context

CONTENT = "RIG-SCORE:900"
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()


@pytest.fixture(autouse=True)
def _known(submitted):
    submitted(CONTENT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "quarantine"


@pytest.fixture
def download(folder):
    def run(**arguments):
        given = {"sha256": SHA256, "folder": str(folder), **arguments}
        task = AssemblylineDownloadFileOperator(task_id="t", **given)
        task_context = context(task)
        return task.execute(task_context), task_context["ti"].xcoms

    return run


def test_a_file_is_neutered_by_default(served, folder, download):
    result, xcoms = download(sha256=SHA256.upper())
    path = folder / f"{SHA256}.cart"
    url = f"{served.base_url}/file/detail/{SHA256}"
    size = path.stat().st_size
    assert result == {"sha256": SHA256, "path": str(path), "size": size, "encoding": "cart", "url": url}
    assert xcoms == {LINK_KEY: url}
    assert path.read_bytes().startswith(b"CART")
    assert CONTENT.encode() not in path.read_bytes()


def test_a_cart_contains_name_and_metadata(folder, download, submitted):
    sid = submitted(CONTENT, metadata={"case": "77"})
    download(name="invoice.doc", sid=sid)
    header = carts.read_header((folder / "invoice.doc.cart").read_bytes())
    assert (header["name"], header["case"]) == ("invoice.doc", "77")


def test_the_suffix_is_appended_once(folder, download):
    assert download(encoding="zip", name="a.zip", zip_password="infected")[0]["path"] == str(folder / "a.zip")


def test_raw_malware_must_be_allowed(folder, download):
    with pytest.raises(AirflowFailException, match="raw_malware=True"):
        download(encoding="raw")
    assert not folder.exists()
    result, _ = download(encoding="raw", raw_malware="True")
    assert Path(result["path"]).read_bytes() == CONTENT.encode()
    assert result["path"] == str(folder / SHA256)


def test_a_file_that_is_too_large_is_an_error_and_leaves_nothing(folder, download):
    with pytest.raises(ServerError, match="max_size of the request"):
        download(encoding="raw", raw_malware=True, max_size=str(len(CONTENT) - 1))
    assert [*folder.iterdir()] == []
    assert download(encoding="raw", raw_malware=True, max_size=len(CONTENT))[0]["size"] == len(CONTENT)


def test_an_existing_file_is_replaced(folder, download):
    folder.mkdir()
    (folder / "a").write_text("x" * 1000)
    assert download(encoding="raw", raw_malware=True, name="a")[0]["size"] == len(CONTENT)
    assert [one.name for one in folder.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/b", "..", ".", "a\\b", "a\0b", "a\nb", "x" * 201])
def test_a_name_never_leads_out_of_the_folder(folder, download, name):
    with pytest.raises(AirflowFailException, match="name must be a file name without folders"):
        download(name=name)
    assert not folder.exists()


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path, folder, download):
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    download(name="a", encoding="raw", raw_malware=True)
    assert outside.read_text() == "untouched"
    assert (folder / "a").read_text() == CONTENT
    assert not (folder / "a").is_symlink()


def test_the_folder_may_be_in_an_object_store(tmp_path, download):
    result, _ = download(folder=f"file://{tmp_path}/", name="a.exe")
    assert result["path"] == f"{tmp_path}/a.exe.cart"
    assert result["size"] == (tmp_path / "a.exe.cart").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"folder": ""}, "folder must be"),
        ({"encoding": "tar"}, "encoding must be one of cart, zip, raw"),
        ({"zip_password": "infected"}, "password requires the encoding 'zip'"),
    ],
)
def test_an_invalid_argument_is_named(download, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        download(**arguments)


def test_an_unknown_file_fails_the_task_without_retries(folder, download):
    with pytest.raises(AirflowFailException, match="not found"):
        download(sha256="0" * 64)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_empty_templates_are_unset_arguments(folder, download):
    assert download(name="", sid="", zip_password="")[0]["path"] == str(folder / f"{SHA256}.cart")


def test_airflow_masks_the_password_in_the_rendered_fields():
    from airflow.sdk._shared.secrets_masker import redact

    assert "zip_password" in AssemblylineDownloadFileOperator.template_fields
    assert redact("hush-hush", "zip_password") == "***"
