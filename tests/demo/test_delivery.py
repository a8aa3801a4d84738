from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from demo.catalogue import COLUMNS
from demo.delivery import write_delivery
from demo.documents import DELIVERY_NOTE, build_scanner_test_file

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def delivery(tmp_path_factory) -> Path:
    return write_delivery(tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def flagged(tmp_path_factory) -> Path:
    return write_delivery(tmp_path_factory.mktemp("flagged"), flagged=True)


@pytest.fixture(scope="module")
def products(delivery) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((delivery / "catalogue.csv").read_text(encoding="utf-8"))))


def test_each_delivery_is_the_same(delivery, tmp_path):
    assert _hash_files(delivery) == _hash_files(write_delivery(tmp_path / "again"))


def test_flagged_delivery_differs_in_the_documents_only(delivery, flagged):
    clean_hashes, flagged_hashes = _hash_files(delivery), _hash_files(flagged)
    assert [name for name in clean_hashes if clean_hashes[name] != flagged_hashes[name]] == ["documents.zip"]


def test_scanner_test_file_is_the_standard_one():
    assert len(build_scanner_test_file()) == 68
    assert hashlib.md5(build_scanner_test_file()).hexdigest() == "44d88612fea8a8f36de82e1278abb02f"


def test_scanner_test_file_is_visible_in_the_flagged_archive_only(delivery, flagged):
    assert build_scanner_test_file() in (flagged / "documents.zip").read_bytes()
    assert not any(build_scanner_test_file() in path.read_bytes() for path in delivery.iterdir())


def test_no_file_of_the_repository_contains_the_scanner_test_file():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], check=False, cwd=CHECKOUT, capture_output=True, text=True
    )
    paths = [CHECKOUT / line for line in listed.stdout.splitlines()]
    assert [path for path in paths if path.is_file() and build_scanner_test_file() in path.read_bytes()] == []


def test_exactly_one_product_number_is_duplicated(products):
    assert len(products) > 500
    duplicates = [number for number, count in Counter(row["number"] for row in products).items() if count > 1]
    assert duplicates == ["MB-0000"]


def test_catalogue_has_the_irregularities_of_real_ones(products):
    assert list(products[0]) == COLUMNS
    assert any("ü" in row["name"] for row in products)
    assert any("é" in row["name"] for row in products)
    assert 0 < sum(not row["quantity"] for row in products) < len(products) / 2


def test_article_numbers_have_a_valid_check_digit(products):
    assert all(_compute_checksum(row["ean"]) % 10 == 0 for row in products)
    assert len({row["ean"] for row in products}) == len(products) - 1


def test_pictures_can_be_decoded_and_differ(delivery):
    with zipfile.ZipFile(delivery / "pictures.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert len({name.rpartition("/")[0] for name in contents}) == 4
    assert len(set(contents.values())) == len(contents)
    for content in contents.values():
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (192, 128))


def test_pictures_have_the_size_of_real_ones(delivery):
    assert 200_000 < (delivery / "pictures.zip").stat().st_size < 800_000


def test_pdf_contains_the_text_of_the_delivery_note(delivery):
    with zipfile.ZipFile(delivery / "documents.zip") as archive:
        pdf = archive.read("delivery-note.pdf")
    assert pdf.startswith(b"%PDF-")
    [page] = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    text = zlib.decompress(page).decode("latin-1")
    assert all(f"({line})" in text for line in DELIVERY_NOTE)


def test_licence_table_and_licence_data_agree(delivery):
    with zipfile.ZipFile(delivery / "documents.zip") as archive:
        table = list(csv.DictReader(io.StringIO(archive.read("licence/licence.csv").decode())))
        assert table == json.loads(archive.read("licence/licence.json"))


def test_archives_are_not_compressed(flagged):
    for name in ("documents.zip", "pictures.zip"):
        with zipfile.ZipFile(flagged / name) as archive:
            assert archive.testzip() is None
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_command_writes_the_same_delivery(flagged, tmp_path):
    command = [sys.executable, "-m", "demo.delivery", str(tmp_path / "delivery"), "--flagged"]
    subprocess.run(command, check=True, cwd=CHECKOUT, capture_output=True, timeout=300)
    assert _hash_files(tmp_path / "delivery") == _hash_files(flagged)


def _hash_files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _compute_checksum(ean: str) -> int:
    return sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(ean))
