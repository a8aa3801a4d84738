"""What is submitted: a file, or what the server finds by itself; checked, since the server is lenient."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.envelope import API
from self_hosted.core.flow import Request, Upload

Source = Upload | Mapping[str, str]
"""A file, or one of {"url": ...}, {"plaintext": ...}, {"base64": ...} and, for a file that the server has already,
{"sha256": ...} or another of `HASHES`."""

HASHES = {
    "md5": r"[0-9a-f]{32}",
    "sha1": r"[0-9a-f]{40}",
    "sha256": r"[0-9a-f]{64}",
    "ssdeep": r"\d+:[^\s:\"\\]*:[^\s:\"\\]*",
    "tlsh": r"(?:T1)?[0-9A-F]{70}",
}
"""The kinds of hashes by which a file is found, and what they look like."""

# the server takes any text for an address; one that is made harmless (hxxp[:]//example[.]com) it puts right
ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://\S+")
BRACKETS = re.compile(r"[\[\](){}]")
KINDS = ("url", "plaintext", "base64", *HASHES)


def checked_source(source: Mapping[str, str]) -> dict[str, str]:
    """What is submitted without a file, with a hash as the server has it: of several it would take just one.

    :param source: exactly one of url, plaintext, base64 and `HASHES`
    :raises ValueError: naming what is wrong
    """
    if len(source) != 1 or not set(source) <= set(KINDS):
        raise ValueError(f"source: give exactly one of {', '.join(KINDS)}, not {', '.join(source) or 'none'}")
    [(kind, value)] = source.items()
    if not isinstance(value, str) or not value:
        raise ValueError(f"source: {kind} must be text, and not empty")
    if kind in HASHES:
        return {kind: _hash(kind, value)}
    if kind == "url" and not ADDRESS.match(BRACKETS.sub("", value)):
        raise ValueError(f"source: {value!r} is no url; it must begin as https://example.com does")
    source_size({kind: value})
    return {kind: value}


def _hash(kind: str, value: str) -> str:
    # the server looks for exactly what it is given, and knows no other case than its own
    cases = {"ssdeep": value, "tlsh": value.upper()}
    found = cases.get(kind, value.lower())
    if not re.fullmatch(HASHES[kind], found):
        raise ValueError(f"source: {value!r} is no {kind}")
    return found


def hash_source(value: str) -> dict[str, str]:
    """The source that a hash of a known file stands for, whatever its kind: {"sha256": ...}.

    >>> hash_source("D41D8CD98F00B204E9800998ECF8427E")
    {'md5': 'd41d8cd98f00b204e9800998ecf8427e'}

    :param value: a hash of one of `HASHES`
    :raises ValueError: when it is none
    """
    for kind in HASHES if isinstance(value, str) else ():
        with contextlib.suppress(ValueError):
            return {kind: _hash(kind, value)}
    raise ValueError(f"hash must be a SHA-256, SHA-1, MD5, ssdeep or TLSH, not {value!r}")


def source_size(source: Source) -> int:
    """Bytes of what is submitted; 0 when only the server knows.

    :param source: see `Source`
    :raises ValueError: for base64 that is none: the server would leave out what it cannot read
    """
    if isinstance(source, Upload):
        return source.size
    try:
        data = base64.b64decode(source.get("base64", ""), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("source: base64 holds what is none; encode with base64.b64encode") from None
    return len(data) or len(source.get("plaintext", "").encode())


def source_name(source: Source) -> str:
    """What an error calls that which is submitted.

    :param source: see `Source`
    """
    return source.filename if isinstance(source, Upload) else "the " + "".join(source)


def handed_in(call: str, source: Source, options: Mapping[str, Any], *, in_turn: bool = False) -> Request:
    """The request that submits or ingests something.

    :param call: "submit" or "ingest", which take the same
    :param source: see `Source`
    :param options: what goes with it
    :param in_turn: see `Request`
    :raises ValueError: when the source is none
    """
    path = f"{API}/{call}/"
    if isinstance(source, Upload):
        parts: dict[str, str | Upload] = {"json": json.dumps(options), "bin": source}
        return Request("POST", path, parts=parts, slow=True, in_turn=in_turn)
    return Request("POST", path, json={**options, **checked_source(source)}, slow=True, in_turn=in_turn)
