"""Files by name and content: a file of the source is stored already if its content is, whatever its name.

A label is such a file as text, in plans and reports: the path, or the stored name, and the MD5 hash that AtroCore
states, such as ``pictures/door.png md5:5d41402abc4b2a76b9719d911017c592``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.core.tasks.storage import parse_uri, resolve_path

SEPARATOR = " md5:"
MAX_FILE_SIZE = 256 * 1024 * 1024
PIECE_SIZE = 2 * 1024 * 1024  # as servers state (``chunkFileSize``)


def make_label(name: str, content_hash: str) -> str:
    """Return the label of a file.

    :param name: its path or name
    :param content_hash: MD5 of its content
    """
    return f"{name}{SEPARATOR}{content_hash}"


def get_path(label: str) -> str:
    """Return the path or name of a label.

    :param label: see `make_label`
    """
    return label.rpartition(SEPARATOR)[0]


def get_hash(label: str) -> str:
    """Return the hash of a label.

    :param label: see `make_label`
    """
    return label.rpartition(SEPARATOR)[2]


def get_name(label: str) -> str:
    """Return the name that the stored file gets.

    :param label: see `make_label`
    """
    return get_path(label).replace("\\", "/").rpartition("/")[2]


def get_file_id(label: str) -> str:
    """Return the id of the stored file, which is always the same for the same name and content.

    :param label: see `make_label`
    """
    return deterministic_id("File", f"{get_hash(label)} {get_name(label)}")


def label_file(path: str) -> str:
    """Return the label of a file; it is read piece by piece.

    :param path: see `storage.parse_uri`
    :raises ValueError: if it cannot be read, is empty, or is too large
    """
    return make_label(path, _hash(read_pieces(path)))


def _hash(pieces: Iterator[bytes]) -> str:
    content_hash = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        content_hash.update(piece)
    return content_hash.hexdigest()


def read_pieces(path: str) -> Iterator[bytes]:
    """Yield the content of a file, piece by piece.

    :param path: see `storage.parse_uri`
    :raises ValueError: if it cannot be read, is empty, or is too large
    """
    size = 0
    with _open(path) as file:
        while piece := _read(file):
            size += len(piece)
            if size > MAX_FILE_SIZE:
                raise ValueError(f"is larger than {MAX_FILE_SIZE // 1024 // 1024} MiB; upload it in another way")
            yield piece
    if not size:
        raise ValueError("is an empty file; give one with content, or leave the cell empty")


def _open(path: str) -> Any:
    try:
        return resolve_path(parse_uri("path", path)).open("rb")
    except Exception as error:  # object stores raise their own errors
        raise _unreadable(error) from error


def _read(file: Any) -> bytes:
    try:
        piece: bytes = file.read(PIECE_SIZE)
    except Exception as error:
        raise _unreadable(error) from error
    return piece


def _unreadable(error: Exception) -> ValueError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return ValueError(f"cannot be read ({reason}); give the path or URI of a file")
