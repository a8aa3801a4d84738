"""Names of files that attackers chose: any bytes, any length.

The server drops backslashes from the name of an upload, answers HTTP 400 for names that are not UTF-8, and keeps only
what follows the last slash. The name in the options arrives as it is.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from self_hosted.core.http.flow import Upload

METADATA_KEY = "original_file_name"
"""The key in the metadata of a submission whose file has another name in Assemblyline."""

MAX_NAME_BYTES, MAX_ORIGINAL_CHARACTERS = 255, 1000
MAX_EXTENSION_CHARACTERS = 20
MISREAD = re.compile(r'[\\%"]')  # characters that a name in a header of the upload may lose
UNNAMED = "unnamed"
UPLOAD_NAME = "file"
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def escape(name: str) -> str:
    r"""Return a name without characters that logs, JSON or databases cannot hold; different names remain different.

    >>> print(escape("a\x1b[31m.exe"), escape("\udcff.exe"), escape("\u00e9.txt"))
    a\x1b[31m.exe \xff.exe é.txt

    :param name: any
    """
    if "\\" not in name and not any(map(_is_invisible, name)):
        return name
    return "".join(map(_escape_character, name))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE_CATEGORIES and character != " "


def _escape_character(character: str) -> str:
    if character == "\\":
        return "\\\\"
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python reads a byte of a name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode() if _is_invisible(character) else character


def build_safe_name(name: str) -> str:
    """Return the name of a file in Assemblyline: of limited length, without folders and invisible characters.

    :param name: any
    """
    base = posixpath.basename(name).strip()
    visible = "".join(_escape_character(each) if _is_invisible(each) else each for each in base)
    return _shorten(visible) if visible.strip(".") else UNNAMED


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    extension = posixpath.splitext(name)[1]
    extension = extension if len(extension) <= MAX_EXTENSION_CHARACTERS else ""
    room = MAX_NAME_BYTES - len(extension.encode())
    return name.encode()[:room].decode(errors="ignore") + extension


def use_safe_name(upload: Upload, options: Mapping[str, Any]) -> tuple[Upload, dict[str, Any]]:
    """Return an upload and its options with a name that the server stores; another original one is in the metadata.

    :param upload: the file
    :param options: name, metadata, params, submission_profile
    """
    safe, original = build_safe_name(upload.filename), upload.filename
    if safe == original and safe.isascii() and not MISREAD.search(safe):
        return upload, dict(options)
    named = {"name": safe, **options}  # a name of the task's own comes first
    if safe != posixpath.basename(original):
        metadata = {METADATA_KEY: escape(original)[:MAX_ORIGINAL_CHARACTERS], **options.get("metadata", {})}
        named["metadata"] = metadata
    return upload._replace(filename=UPLOAD_NAME), named
