"""Encodings of downloaded files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.cart import pack_cart
from self_hosted.sandbox.assemblyline.errors import ApiError

ENCODINGS = ("cart", "raw", "zip")
OPTIONAL_ENCODINGS = {"raw": "RAW", "zip": "PROTECTED"}
MAX_PASSWORD_LENGTH = 128


def check_encoding(encoding: str, password: str, configuration: Mapping[str, Any]) -> None:
    """Check that an encoding exists and is enabled, and that its password is valid.

    :param encoding: cart, raw or zip
    :param password: password of a zip archive
    :param configuration: configuration of the server
    """
    if encoding not in ENCODINGS:
        raise ApiError(403, f"{encoding.upper()} is not in the valid encoding types: {set(ENCODINGS)}", {})
    title = OPTIONAL_ENCODINGS.get(encoding)
    if title and not configuration.get(f"ui.allow_{encoding}_downloads", True):
        raise ApiError(403, f"{title} file download has been disabled by administrators.", {})
    if encoding == "zip" and not password.strip():
        raise ApiError(403, "No password given or retrieved from user's settings.", {})
    if encoding == "zip" and (len(password) > MAX_PASSWORD_LENGTH or min(password) < " "):
        raise ApiError(400, "Invalid password for protected file download.", {})


def encode_file(
    encoding: str, name: str, sha256: str, content: bytes, metadata: Mapping[str, Any]
) -> tuple[str, bytes]:
    """Return the name and the content of a download.

    :param encoding: cart, raw or zip
    :param name: name of the file
    :param sha256: hash of the file, which is its name in a zip archive
    :param content: content of the file
    :param metadata: metadata for the header of a CaRT
    """
    if encoding == "cart":
        return f"{name}.cart", pack_cart(content, {"name": name, **metadata})
    if encoding == "zip":
        return f"{name}.zip", _build_zip(sha256, content)
    return name, content


def _build_zip(name: str, content: bytes) -> bytes:
    """Return a zip archive without a password, because the standard library cannot encrypt."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target.getvalue()
