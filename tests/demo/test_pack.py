from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import pytest

from demo.catalogue import COLUMNS
from demo.pack import deliver
from demo.paper import scanner_test_file

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def delivery(tmp_path_factory) -> Path:
    return deliver(tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def flagged(tmp_path_factory) -> Path:
    return deliver(tmp_path_factory.mktemp("flagged"), flagged=True)


@pytest.fixture(scope="module")
def products(delivery) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((delivery / "catalogue.csv").read_text(encoding="utf-8"))))


def test_every_delivery_is_the_same(delivery, tmp_path):
    assert _digests(delivery) == _digests(deliver(tmp_path / "again"))


def test_flagged_delivery_differs_in_the_documents_only(delivery, flagged):
    clean, dirty = _digests(delivery), _digests(flagged)
    assert [name for name in clean if clean[name] != dirty[name]] == ["documents.zip"]


def test_test_file_is_the_one_that_scanners_agreed_on():
    assert len(scanner_test_file()) == 68
    assert hashlib.md5(scanner_test_file()).hexdigest() == "44d88612fea8a8f36de82e1278abb02f"


def test_test_file_can_be_seen_in_the_flagged_archive_and_nowhere_else(delivery, flagged):
    assert scanner_test_file() in (flagged / "documents.zip").read_bytes()
    assert not any(scanner_test_file() in path.read_bytes() for path in delivery.iterdir())


def test_no_file_of_the_repository_holds_the_test_file():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], check=False, cwd=CHECKOUT, capture_output=True, text=True
    )
    paths = [CHECKOUT / line for line in listed.stdout.splitlines()]
    assert [path for path in paths if path.is_file() and scanner_test_file() in path.read_bytes()] == []


def test_one_product_number_is_used_twice_and_only_that(products):
    assert len(products) > 500
    repeated = [number for number, times in Counter(row["number"] for row in products).items() if times > 1]
    assert repeated == ["MB-0000"]


def test_catalogue_is_as_untidy_as_real_ones(products):
    assert list(products[0]) == COLUMNS
    assert any("ü" in row["name"] for row in products)
    assert any("é" in row["name"] for row in products)
    assert 0 < sum(not row["quantity"] for row in products) < len(products) / 2


def test_article_numbers_have_a_right_check_digit(products):
    assert all(_weighed(row["ean"]) % 10 == 0 for row in products)
    assert len({row["ean"] for row in products}) == len(products) - 1


def test_pictures_can_be_decoded(delivery):
    with zipfile.ZipFile(delivery / "pictures.zip") as archive:
        names = archive.namelist()
        assert len({name.rpartition("/")[0] for name in names}) == 4
        for name in names:
            _check_png(archive.read(name))


def test_pictures_have_the_size_of_real_ones(delivery):
    assert 200_000 < (delivery / "pictures.zip").stat().st_size < 800_000


def test_pdf_says_truly_where_its_objects_are(delivery):
    with zipfile.ZipFile(delivery / "documents.zip") as archive:
        pdf = archive.read("delivery-note.pdf")
    table = int(pdf.split()[-2])
    assert pdf[table:].startswith(b"xref")
    places = [int(line.split()[0]) for line in pdf[table:].splitlines()[3:8]]
    assert [pdf[place:].split()[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]


def test_licence_is_the_same_as_table_and_as_data(delivery):
    with zipfile.ZipFile(delivery / "documents.zip") as archive:
        table = list(csv.DictReader(io.StringIO(archive.read("licence/licence.csv").decode())))
        assert table == json.loads(archive.read("licence/licence.json"))


def test_archives_are_not_compressed(flagged):
    for name in ("documents.zip", "pictures.zip"):
        with zipfile.ZipFile(flagged / name) as archive:
            assert archive.testzip() is None
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_command_writes_the_same(flagged, tmp_path):
    command = [sys.executable, "-m", "demo.pack", str(tmp_path / "delivery"), "--flagged"]
    subprocess.run(command, check=True, cwd=CHECKOUT, capture_output=True, timeout=60)
    assert _digests(tmp_path / "delivery") == _digests(flagged)


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _weighed(ean: str) -> int:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(ean))


def _check_png(data: bytes) -> None:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, pixels = 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0]
        pixels += body if kind == b"IDAT" else b""
        place += 12 + length
    width, height = struct.unpack(">II", data[16:24])
    assert len(zlib.decompress(pixels)) == height * (1 + 3 * width)
