"""Downloads: a file of the server's, neutered or as it is, checked as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import quote_plus

from self_hosted.assemblyline.api.cart import MAGIC
from self_hosted.assemblyline.api.files import checked_sha256, file_path
from self_hosted.core.errors import Broken
from self_hosted.core.flow import Flow, Request, SaveTo, Secret

ENCODINGS = ("cart", "zip", "raw")
"""Neutered so that nothing can open it by accident; in an archive with a password; as it is."""

BEGINNINGS = {"cart": MAGIC, "zip": b"PK"}
LONGEST_PASSWORD = 128


def download_file(
    sha256: str,
    save_to: SaveTo,
    *,
    encoding: str = "cart",
    name: str | None = None,
    sid: str | None = None,
    password: str | None = None,
) -> Flow[None]:
    """Write a file's content to a file, piece by piece; what does not come whole, or is another, is an error.

    The server takes a zip's password only in the address, where logs between here and there may show it. Without one it
    takes that of the user's settings.

    ``GET /api/v4/file/download/<sha256>/``

    :param sha256: of the file
    :param save_to: opens the file that is written to; called anew for each attempt, so that it begins empty
    :param encoding: cart, zip, or raw: that is the malware itself
    :param name: what the file is called within a CaRT
    :param sid: the submission whose metadata a CaRT is to hold
    :param password: of the zip, 128 characters at most
    :raises ValueError: for another encoding, or a password that the server would not take
    :raises NotFound: when there is no such file, or its content is gone
    :raises Forbidden: also when the administrators do not let anybody download files as they are, or as a zip
    :raises Broken: when something else than the file came
    """
    check_download(encoding, password)
    sha256 = checked_sha256(sha256)
    if password:
        yield Secret(password)
        yield Secret(quote_plus(password))
    query = {"encoding": encoding, "name": name, "sid": sid, "password": password}
    yield Request(
        "GET", file_path("download", sha256), query, save_to=checked_download(save_to, encoding, sha256), slow=True
    )


def check_download(encoding: str, password: str | None) -> None:
    """Validate how a file is to come.

    :param encoding: one of `ENCODINGS`
    :param password: of the zip
    :raises ValueError: naming the argument, never the password
    """
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding must be one of {', '.join(ENCODINGS)}, not {encoding!r}")
    if password is None:
        return
    if encoding != "zip":
        raise ValueError(f"a password is for encoding 'zip' only, not for {encoding!r}")
    if not password.strip() or len(password) > LONGEST_PASSWORD or min(password) < " ":
        raise ValueError(
            f"the password of a zip must have 1 to {LONGEST_PASSWORD} characters, and no control characters"
        )


class _Watched:
    """A file that is written to, and what came so far."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.beginning = file, hashlib.sha256(), b""

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        self.beginning = (self.beginning + piece[:4])[:4]
        return self.file.write(piece)


def checked_download(save_to: SaveTo, encoding: str, name: str) -> SaveTo:
    """Open a file, and look before it is closed at what was written: what is something else leaves no file behind.

    :param save_to: opens the file
    :param encoding: cart, zip or raw
    :param name: what is written: a file's SHA-256, which raw content must have
    """

    @contextmanager
    def opened() -> Generator[BinaryIO]:
        with save_to() as file:
            watched = _Watched(file)
            yield cast("BinaryIO", watched)  # noqa: RUF075 what did not come whole is not looked at
            if encoding == "raw" and watched.digest.hexdigest() != name:
                raise Broken(f"what came for {name} has the SHA-256 {watched.digest.hexdigest()}")
            if not watched.beginning.startswith(BEGINNINGS.get(encoding, b"")):
                raise Broken(f"what came for {name} is no {encoding}: it begins with {watched.beginning!r}")

    return opened
