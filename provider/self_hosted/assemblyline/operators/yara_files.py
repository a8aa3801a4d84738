"""The YARA files of a checkout: which there are, and the rules in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.api.signatures import yara
from self_hosted.assemblyline.operators.input_files import InputFile, find_input_files, list_input_files
from self_hosted.core.tasks.lineage import record_input

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook

MAX_FILE_BYTES = 5_000_000
"""The parser needs about a second for a megabyte."""

MAX_TOTAL_BYTES = 100_000_000
"""All rules are read before the first is sent, so that an invalid file changes nothing."""


def find_files(files: Any, folder: str | None, pattern: Any, max_files: int, *, recursive: bool) -> list[InputFile]:
    """Return files; those of a folder must be in it, also if they are links.

    :param files: paths or URIs, or None
    :param folder: path or URI of a folder, if there are no files
    :param pattern: glob pattern of the file names in the folder
    :param max_files: how many files are allowed
    :param recursive: whether to search the folders below, too
    :raises ValueError: for invalid arguments, a file that does not exist, and too many or too large files
    """
    if folder:
        found = find_input_files(folder, pattern, recursive=recursive, max_files=max_files)
    else:
        found = list_input_files(files)
    if len(found) > max_files:
        raise ValueError(f"{'folder' if folder else 'files'}: there are more than {max_files} files")
    missing = [file.name for file in found if file.size is None]
    if missing:
        raise ValueError(f"files: {missing[0]!r} does not exist")
    if sum(file.size or 0 for file in found) > MAX_TOTAL_BYTES:
        raise ValueError(f"{'folder' if folder else 'files'}: the files have more than {MAX_TOTAL_BYTES} bytes in all")
    return found


def read_rules(
    hook: SelfHostedHook, files: Sequence[InputFile], invalid: dict[str, str] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rules of files, each with the name of its file.

    :param hook: the hook in use, for Airflow's lineage
    :param files: see `find_files`
    :param invalid: receives why files are skipped, by name; None = an invalid file is an error
    :raises ValueError: for an invalid file, and for two rules with one name
    """
    names: dict[str, str] = {}
    for file in files:
        try:
            found = yara.split(_read_text(file), file.name)
        except ValueError as error:
            if invalid is None:
                raise
            invalid[file.name] = str(error).removeprefix(f"{file.name}: ")
            continue
        record_input(hook, str(file.path))
        for row in found:
            if row["name"] in names:
                raise ValueError(f"{file.name}: the rule {row['name']} is also in {names[row['name']]}")
            names[row["name"]] = file.name
            yield file.name, row


def _read_text(file: InputFile) -> str:
    if file.is_outside:
        raise ValueError(f"{file.name}: the link points outside of the folder")
    with file.upload.open() as opened:
        content = opened.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{file.name}: the file has more than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{file.name}: the file is not a text in UTF-8") from None
