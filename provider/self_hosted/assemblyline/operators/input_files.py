"""The input files of a bulk operator: those of a list, or those of a folder that match a pattern."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from self_hosted.core.arguments import MISSING_RESULT, parse_list
from self_hosted.core.http.flow import Upload
from self_hosted.core.tasks.storage import resolve_path


class InputFile(NamedTuple):
    """One file, and its state when the task found it.

    :param name: its path below the folder; the whole path or URI for a list, and where the store does not tell
    :param path: the result of `self_hosted.core.tasks.storage.resolve_path`
    :param size: in bytes; None if the file does not exist
    :param modified_at: time of the last change, in seconds since the epoch; 0 where the store does not tell
    """

    name: str
    path: Any
    size: int | None
    modified_at: float

    def tag(self, key: str) -> str:
        """Return 32 hex digits that identify the file's submission. A file that has changed gets another tag.

        :param key: the task's idempotency key
        """
        return hashlib.sha256(repr((key, str(self.path), self.size, self.modified_at)).encode()).hexdigest()[:32]

    @property
    def upload(self) -> Upload:
        """The file's content, to send."""
        return Upload(self.path.name, lambda: cast("BinaryIO", self.path.open("rb")), self.size or 0)


def list_input_files(files: Any) -> list[InputFile]:
    """Return the files of a list; duplicates are left out.

    :param files: a path or URI, or a list of them; a list may also be its text
    :raises ValueError: for anything else
    """
    paths = parse_list(files)
    if not isinstance(paths, list) or not all(path and path != MISSING_RESULT for path in paths):
        raise ValueError(f"files must be a list of paths or URIs, not {files!r}")
    resolved = {str(path): resolve_path(str(path)) for path in paths}
    return [
        _read_status(name, path) if path.is_file() else InputFile(name, path, None, 0)
        for name, path in resolved.items()
    ]


def find_input_files(folder: str, pattern: Any, *, recursive: bool, max_files: int) -> list[InputFile]:
    """Return the files of a folder, sorted by name; at most one more than allowed, so that a huge folder is not read.

    :param folder: its path, or the URI of a prefix in an object store
    :param pattern: glob pattern of the file names, such as ``*.zip``
    :param recursive: whether to search the folders below, too
    :param max_files: how many files are allowed
    :raises ValueError: if the folder does not exist, or the pattern could match files outside of it
    """
    if not isinstance(pattern, str) or not pattern or "/" in pattern:
        raise ValueError(f"pattern must be a pattern of file names, such as *.zip, not {pattern!r}")
    root = resolve_path(folder)
    if not root.is_dir():
        raise ValueError(f"folder: {folder!r} does not exist")
    matches: Iterator[Any] = root.rglob(pattern) if recursive else root.glob(pattern)
    prefix = f"{str(root).rstrip('/')}/"  # older object store paths have no `relative_to`
    paths = islice((path for path in matches if path.is_file()), max_files + 1)
    files = (_read_status(str(path).removeprefix(prefix), path) for path in paths)
    return sorted(files, key=lambda file: file.name)


def find_unsendable(files: Sequence[InputFile], max_bytes: int | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return why files are missing, and why the server would reject others, by name.

    :param files: the files
    :param max_bytes: the server's limit; None = no limit
    """
    missing = {file.name: "the file does not exist" for file in files if file.size is None}
    reasons = {file.name: _find_rejection(file.size, max_bytes) for file in files if file.size is not None}
    return missing, {name: reason for name, reason in reasons.items() if reason}


def _find_rejection(size: int, max_bytes: int | None) -> str:
    if not size:
        return "the file is empty"
    is_too_large = max_bytes is not None and size > max_bytes
    return f"the file has {size} bytes, more than the server's limit of {max_bytes}" if is_too_large else ""


def _read_status(name: str, path: Any) -> InputFile:
    status = path.stat()
    return InputFile(name, path, status.st_size, float(status.st_mtime or 0))
