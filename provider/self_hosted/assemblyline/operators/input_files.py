"""The input files of a bulk operator: those of a list, or those of a folder that match a pattern."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from self_hosted.assemblyline.api.submissions import file_names
from self_hosted.core.arguments import parse_list, parse_text
from self_hosted.core.http.flow import Upload
from self_hosted.core.tasks.drop_folder import find_local_path, is_inside, open_inside
from self_hosted.core.tasks.storage import parse_uri, resolve_path


class InputFile(NamedTuple):
    """One file, and its state when the task found it.

    :param name: its path below the folder; the whole path or URI for a list, and where the store does not tell. See
        `file_names.escape`
    :param path: the result of `self_hosted.core.tasks.storage.resolve_path`
    :param size: in bytes; None if the file does not exist
    :param modified_at: time of the last change, in seconds since the epoch; 0 where the store does not tell
    :param folder: the folder on this machine that must contain it; None for a file of a list, or of an object store
    :param is_outside: whether it is a link that points outside of the folder
    """

    name: str
    path: Any
    size: int | None
    modified_at: float
    folder: Path | None = None
    is_outside: bool = False

    @property
    def identity(self) -> tuple[str, int | None]:
        """Path and size, which are the same on every worker; the time of a copy may differ."""
        return str(self.path), self.size

    @property
    def upload(self) -> Upload:
        """The file's content, to send."""
        return Upload(self.path.name, self._open, self.size or 0)

    def _open(self) -> BinaryIO:
        local_path = find_local_path(self.path) if self.folder else None
        if self.folder and local_path:
            return open_inside(self.folder, local_path)  # a link may have replaced the file since it was found
        return cast("BinaryIO", self.path.open("rb"))


def list_input_files(files: Any) -> list[InputFile]:
    """Return the files of a list; duplicates are left out.

    :param files: a path or URI, or a list of them; a list may also be its text
    :raises ValueError: for anything else
    """
    paths = parse_list(files)
    paths = paths if isinstance(paths, list) else [paths]
    return [read_input_file(path) for path in dict.fromkeys(parse_uri("files", path) for path in paths)]


def read_input_file(file: str) -> InputFile:
    """Return a file; its size is None if it does not exist.

    :param file: path or URI
    """
    path, name = resolve_path(file), file_names.escape(file)
    return _read_status(name, path) if path.is_file() else InputFile(name, path, None, 0)


def find_input_files(folder: str, pattern: Any, *, recursive: bool, max_files: int) -> list[InputFile]:
    """Return the files of a folder, sorted by name; at most one more than allowed, so that a huge folder is not read.

    Links that point outside of the folder are marked, and not read.

    :param folder: its path, or the URI of a prefix in an object store
    :param pattern: glob pattern of the file names, such as ``*.zip``
    :param recursive: whether to search the folders below, too
    :param max_files: how many files are allowed
    :raises ValueError: if the folder does not exist, or the pattern could match files outside of it
    """
    pattern = parse_text("pattern", pattern)
    if not pattern or "/" in pattern:
        raise ValueError(f"pattern must be a pattern of file names, such as *.zip, not {pattern!r}")
    root = resolve_path(folder)
    if not root.is_dir():
        raise ValueError(f"folder: {folder!r} does not exist")
    matches: Iterator[Any] = root.rglob(pattern) if recursive else root.glob(pattern)
    prefix = f"{str(root).rstrip('/')}/"  # older object store paths have no `relative_to`
    local_root = find_local_path(root)
    named = ((file_names.escape(str(path).removeprefix(prefix)), path) for path in matches)
    found = (_read_entry(name, path, local_root, recursive=recursive) for name, path in named)
    files = islice((file for file in found if file), max_files + 1)
    return sorted(files, key=lambda file: file.name)


def _read_entry(name: str, path: Any, root: Path | None, *, recursive: bool) -> InputFile | None:
    """Return a file, or a link out of the folder; None for anything else, such as a folder or a broken link."""
    is_file = path.is_file()
    if not is_file and not (recursive and path.is_dir()):
        return None
    local_path = find_local_path(path)
    if root and local_path and not is_inside(root, local_path):
        return InputFile(name, path, 0, 0, root, is_outside=True)
    return _read_status(name, path, root) if is_file else None


def find_unsendable(files: Sequence[InputFile], max_bytes: int | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return why files are missing, and why the server would reject others, by name.

    :param files: the files
    :param max_bytes: the server's limit; None = no limit
    """
    missing = {file.name: "the file does not exist" for file in files if file.size is None}
    reasons = {file.name: _find_rejection(file, file.size, max_bytes) for file in files if file.size is not None}
    return missing, {name: reason for name, reason in reasons.items() if reason}


def _find_rejection(file: InputFile, size: int, max_bytes: int | None) -> str:
    if file.is_outside:
        return "the link points outside of the folder"
    if not size:
        return "the file is empty"
    is_too_large = max_bytes is not None and size > max_bytes
    return f"the file has {size} bytes, more than the server's limit of {max_bytes}" if is_too_large else ""


def _read_status(name: str, path: Any, folder: Path | None = None) -> InputFile:
    status = path.stat()
    return InputFile(name, path, status.st_size, float(status.st_mtime or 0), folder)
