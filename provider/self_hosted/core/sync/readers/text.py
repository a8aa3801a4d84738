"""The encoding of text files. No character set is guessed: a rule decides, or the author of the DAG."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

CHUNK_CHARACTERS = 256 * 1024
HEAD_BYTES = 4096
BYTE_ORDER_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
OTHER_FORMATS: Mapping[bytes, str] = {
    b"PK\x03\x04": "XLSX",
    b"PAR1": "Parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel format",
}
WINDOWS = "cp1252"
WRONG_BYTE = "\ud800"  # no decoder returns it, so it marks the place
codecs.register_error("self_hosted.mark_wrong_byte", lambda error: (WRONG_BYTE, error.end))  # type: ignore[attr-defined]


def find_encoding(path: Path, name: str, given: str | None) -> str:
    """Return the encoding of a text file: the given one, its byte order mark, UTF-8, else Windows-1252.

    The whole file is decoded, so that reading it cannot fail later.

    :param path: the file
    :param name: the source, for messages
    :param given: the encoding that the author of the DAG gave, if any
    :raises ValueError: if it has a byte that the encoding does not have, or could be in one of several encodings
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    _check_format(head, name)
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    if encoding := _merge(name, given, marked):
        _check_decodes(path, name, encoding)
        return encoding
    if b"\0" in head:
        candidates = "utf-16-le" if b"\0" in head[1::2] else "utf-16-be"
        raise ValueError(f"source: {name} has NUL bytes and no byte order mark; give encoding, such as {candidates!r}")
    return "utf-8" if (error := _find_error(path, "utf-8")) is None else _check_windows(path, name, error)


def _merge(name: str, given: str | None, marked: str | None) -> str | None:
    """Return the given encoding, in the variant that skips the byte order mark."""
    if not (given and marked):
        return given or marked
    if not given.startswith(marked.removesuffix("-sig")):
        raise ValueError(f"source: {name} begins with the byte order mark of {marked}, so encoding cannot be {given!r}")
    return marked


def _check_format(head: bytes, name: str) -> None:
    for magic, label in OTHER_FORMATS.items():
        if head.startswith(magic):
            raise ValueError(
                f"source: {name} is no text file: its content is {label}. Give source_format, or correct its name"
            )


def _find_error(path: Path, encoding: str) -> UnicodeDecodeError | None:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(CHUNK_CHARACTERS):
                pass
    except UnicodeDecodeError as error:
        return error
    return None


def _check_decodes(path: Path, name: str, encoding: str) -> None:
    if error := _find_error(path, encoding):
        line = find_wrong_line(path, encoding)
        raise ValueError(
            f"source: line {line} of {name} has {_describe(error)}, which is not {encoding}: give encoding"
        )


def _check_windows(path: Path, name: str, error: UnicodeDecodeError) -> str:
    """Return Windows-1252 for a file that is not UTF-8, unless most of it is."""
    line = find_wrong_line(path, "utf-8")
    if _is_mostly_utf8(path):
        raise ValueError(
            f"source: line {line} of {name} has {_describe(error)}, which is not UTF-8, but the rest is UTF-8: "
            "correct the line, or give encoding"
        )
    if windows_error := _find_error(path, WINDOWS):
        line = find_wrong_line(path, WINDOWS)
        raise ValueError(
            f"source: line {line} of {name} has {_describe(windows_error)}, which is neither UTF-8 nor Windows-1252: "
            "give encoding, such as 'cp850', 'cp1250' or 'mac_roman'"
        )
    log.warning("Line %d of %s is not UTF-8; the file is read as Windows-1252 (give encoding if it is not)", line, name)
    return WINDOWS


def _describe(error: UnicodeDecodeError) -> str:
    return f"the byte 0x{error.object[error.start]:02x}"


def find_wrong_line(path: Path, encoding: str) -> int:
    """Return the number of the first line that has a wrong byte.

    The positions in decoding errors count from the start of a chunk, so the file is read once more.

    :param path: a file that has a wrong byte
    :param encoding: the encoding that it does not have
    """
    line = 1
    with path.open(encoding=encoding, errors="self_hosted.mark_wrong_byte") as file:
        while WRONG_BYTE not in (chunk := file.read(CHUNK_CHARACTERS)):
            line += chunk.count("\n")
    return line + chunk[: chunk.index(WRONG_BYTE)].count("\n")


def _is_mostly_utf8(path: Path) -> bool:
    """Return whether more characters outside of ASCII are valid UTF-8 than not, as they are not in Windows-1252."""
    valid = wrong = 0
    with path.open(encoding="utf-8", errors="self_hosted.mark_wrong_byte") as file:
        while chunk := file.read(CHUNK_CHARACTERS):
            marks = chunk.count(WRONG_BYTE)
            wrong += marks
            valid += len(chunk) - len(chunk.encode("ascii", "ignore")) - marks
    return valid > wrong
