"""The package of an XLSX file: its size and content are checked before a library unpacks it."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from self_hosted.core.http.logs import BYTES_PER_MEGABYTE

MAX_PACKAGE_BYTES = 4_000 * BYTES_PER_MEGABYTE  # all parts, unpacked
MAX_PART_BYTES = 200 * BYTES_PER_MEGABYTE  # a part that is read into memory as a whole, such as the shared texts
STREAMED_PARTS = "xl/worksheets/"
XML_ENDINGS = (".xml", ".rels")
HEAD_BYTES = 4096
OLD_FORMAT = b"\xd0\xcf\x11\xe0"


def check_package(path: Path, name: str) -> None:
    """Check an XLSX file before it is unpacked.

    :param path: the file
    :param name: the source, for messages
    :raises ValueError: if it is no package, encrypted, too large, or declares entities
    """
    with path.open("rb") as file:
        if file.read(len(OLD_FORMAT)) == OLD_FORMAT:
            raise ValueError(f"source: {name} is encrypted, or in an old format of Excel; save it as .xlsx")
    try:
        with ZipFile(path) as package:
            _check_sizes(package, name)
            _check_declarations(package, name)
    except (BadZipFile, NotImplementedError, RuntimeError) as error:  # unknown compression; a password
        raise ValueError(f"source: {name} is not a valid XLSX file: {error}") from None


def _check_sizes(package: ZipFile, name: str) -> None:
    sizes = {part.filename: part.file_size for part in package.infolist()}
    total = sum(sizes.values())
    if total > MAX_PACKAGE_BYTES:
        raise ValueError(f"source: {name} has {total // BYTES_PER_MEGABYTE} MB unpacked; save it as .csv")
    for part, size in sizes.items():
        if size > MAX_PART_BYTES and _is_xml(part) and not part.startswith(STREAMED_PARTS):
            raise ValueError(f"source: {part} of {name} has {size // BYTES_PER_MEGABYTE} MB unpacked; save it as .csv")


def _check_declarations(package: ZipFile, name: str) -> None:
    """Check that no part declares entities, which could unpack to any size; no program that writes XLSX does."""
    for part in package.infolist():
        if _is_xml(part.filename):
            with package.open(part) as file:
                if b"<!DOCTYPE" in file.read(HEAD_BYTES):
                    raise ValueError(f"source: {part.filename} of {name} declares a document type; save it in Excel")


def _is_xml(part: str) -> bool:
    return part.lower().endswith(XML_ENDINGS)
