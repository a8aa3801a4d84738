"""The kinds of hashes that the server knows, and the spelling of each kind."""

from __future__ import annotations

import contextlib
import re

PATTERNS = {
    "md5": r"[0-9a-f]{32}",
    "sha1": r"[0-9a-f]{40}",
    "sha256": r"[0-9a-f]{64}",
    "ssdeep": r"\d+:[A-Za-z0-9/+]*:[A-Za-z0-9/+]*",
    "tlsh": r"(?:T1)?[0-9A-F]{70}",
}
"""Regular expressions of the hashes in the server's spelling, by kind."""


def parse(kind: str, value: str) -> str:
    """Return a hash in the server's spelling: the server finds no other one.

    :param kind: a key of `PATTERNS`
    :param value: the hash, in upper or lower case
    :raises ValueError: if it is no hash of this kind
    """
    spelling = {"ssdeep": value, "tlsh": value.upper()}.get(kind, value.lower())
    if not re.fullmatch(PATTERNS[kind], spelling):
        raise ValueError(f"{value!r} is not a valid {kind}")
    return spelling


def identify(value: str) -> dict[str, str]:
    """Return a hash by its kind, in the server's spelling.

    >>> identify("D41D8CD98F00B204E9800998ECF8427E")
    {'md5': 'd41d8cd98f00b204e9800998ecf8427e'}

    :param value: SHA-256, SHA-1, MD5, ssdeep or TLSH, in upper or lower case
    :raises ValueError: if it is no hash
    """
    for kind in PATTERNS if isinstance(value, str) else ():
        with contextlib.suppress(ValueError):
            return {kind: parse(kind, value)}
    raise ValueError(f"hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not {value!r}")
