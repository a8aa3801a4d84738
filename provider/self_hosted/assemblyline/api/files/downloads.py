"""Downloads: a file in a neutralised form or as it is, verified while it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO, cast
from urllib.parse import quote_plus

from self_hosted.assemblyline.api.bundles import carts
from self_hosted.assemblyline.api.files import files
from self_hosted.core.arguments import check_id, parse_choice
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, SaveTo, Secret
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

ENCODINGS = ("cart", "zip", "raw")
"""Neutralised as CaRT, in a zip archive with a password, or the content as it is."""

MAGIC_BYTES = {"cart": carts.MAGIC, "zip": b"PK"}
MAX_PASSWORD_LENGTH = 128


def download(
    sha256: str,
    save_to: SaveTo,
    *,
    encoding: str = "cart",
    name: str | None = None,
    sid: str | None = None,
    password: str | None = None,
    max_size: int | None = None,
) -> Flow[None]:
    """Write a file's content to a file, in chunks. Incomplete or other content is an error.

    The server accepts the password of a zip in the URL only, where logs of proxies may show it. Default: the password
    in the user's settings.

    ``GET /api/v4/file/download/<sha256>/``

    :param sha256: SHA-256 of the file
    :param save_to: opens the target for writing; called once per attempt
    :param encoding: cart, zip or raw (the malware itself)
    :param name: name of the file within a CaRT
    :param sid: submission whose metadata a CaRT holds
    :param password: password of the zip, at most 128 characters
    :param max_size: maximum size of what is written, in bytes; None = no limit
    :raises ValueError: for an unknown encoding, or a password that the server would reject
    :raises NotFoundError: if the file, or its content, does not exist
    :raises PermissionDeniedError: also if the administrators disabled raw or zip downloads
    :raises ServerError: if the response is not this file, or is larger
    """
    check_arguments(encoding, password)
    sha256 = files.parse_sha256(sha256)
    if sid is not None:
        check_id("sid", sid)
    if password:
        yield Secret(password)
        yield Secret(quote_plus(password))
    query = {"encoding": encoding, "name": name, "sid": sid, "password": password}
    verified = verify_content(save_to, encoding, sha256)
    path = files.build_path("download", sha256)
    yield Request("GET", path, query, save_to=verified, max_size=max_size, long_running=True)
    log.info("File %s: downloaded as %s", sha256, encoding)


def check_arguments(encoding: str, password: str | None) -> None:
    """Check the encoding of a download and its password.

    :param encoding: one of `ENCODINGS`
    :param password: password of the zip, or None
    :raises ValueError: if one is invalid; the message never shows the password
    """
    parse_choice("encoding", encoding, ENCODINGS)
    if password is None:
        return
    if encoding != "zip":
        raise ValueError(f"password requires the encoding 'zip', not {encoding!r}")
    if not password.strip() or len(password) > MAX_PASSWORD_LENGTH or min(password) < " ":
        raise ValueError(f"password must have 1 to {MAX_PASSWORD_LENGTH} characters and no control characters")


class _ObservedFile:
    """A file that is open for writing, with the digest and the first bytes of what was written."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.first_bytes = file, hashlib.sha256(), b""

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        self.first_bytes = (self.first_bytes + chunk[:4])[:4]
        return self.file.write(chunk)


def verify_content(save_to: SaveTo, encoding: str, name: str) -> SaveTo:
    """Return `save_to` with a check before the file is closed: other content leaves no file behind.

    :param save_to: opens the target for writing
    :param encoding: cart, zip or raw
    :param name: name for messages; for raw, the SHA-256 that the content must have
    """

    @contextmanager
    def open_verified() -> Generator[BinaryIO]:
        with save_to() as file:
            observed = _ObservedFile(file)
            yield cast("BinaryIO", observed)  # noqa: RUF075 incomplete content is not verified
            if encoding == "raw" and observed.digest.hexdigest() != name:
                raise ServerError(f"the downloaded content of {name} has the SHA-256 {observed.digest.hexdigest()}")
            if not observed.first_bytes.startswith(MAGIC_BYTES.get(encoding, b"")):
                raise ServerError(
                    f"the downloaded content of {name} is not {encoding}: it starts with {observed.first_bytes!r}"
                )

    return open_verified
