"""Sources of a submission: a file, or something that the server has, decodes or fetches; checked before it is sent."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.api.submissions import file_names
from self_hosted.assemblyline.errors import API_PATH
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.http.logs import shorten
from self_hosted.core.http.redact import strip_query

Source = Upload | Mapping[str, str]
"""A file; or one of {"url": ...}, {"plaintext": ...} and {"base64": ...}; or, for a file that the server has,
{"sha256": ...} or another hash of `hash_kinds.PATTERNS`."""

# the server accepts any text as a URL, and restores defanged ones (hxxp[:]//example[.]com)
URL = re.compile(r"[A-Za-z][\w+.-]*://\S+")
BRACKETS = re.compile(r"[\[\](){}]")
CONTENT_KINDS = ("plaintext", "base64")
KINDS = ("url", *CONTENT_KINDS, *hash_kinds.PATTERNS)


def parse(source: Mapping[str, str]) -> dict[str, str]:
    """Return a source other than a file, with a hash in the server's spelling.

    :param source: exactly one of `KINDS`: of several, the server would use one
    :raises ValueError: if it is invalid
    """
    if len(source) != 1 or not set(source) <= set(KINDS):
        raise ValueError(f"source: give exactly one of {', '.join(KINDS)}, not {', '.join(source) or 'none'}")
    [(kind, value)] = source.items()
    if not isinstance(value, str) or not value:
        raise ValueError(f"source: {kind} must be a text, not {value!r}")
    if kind in hash_kinds.PATTERNS:
        return {kind: _parse_hash(kind, value)}
    if kind == "url" and not URL.match(BRACKETS.sub("", value)):
        raise ValueError(f"source: url must start like https://example.com, not {value!r}")
    get_size({kind: value})
    return {kind: value}


def _parse_hash(kind: str, value: str) -> str:
    try:
        return hash_kinds.parse(kind, value)
    except ValueError as error:
        raise ValueError(f"source: {error}") from None


def get_size(source: Source) -> int:
    """Return the size of a source in bytes; 0 if only the server knows it.

    :param source: see `Source`
    :raises ValueError: for invalid base64, of which the server would leave out parts
    """
    return source.size if isinstance(source, Upload) else len(decode(source))


def decode(source: Mapping[str, str]) -> bytes:
    """Return the content of a text or of base64; nothing for a source that only the server can read.

    :param source: see `Source`
    :raises ValueError: see `get_size`
    """
    try:
        data = base64.b64decode(source.get("base64", ""), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("source: base64 is invalid; encode the data with base64.b64encode") from None
    return data or source.get("plaintext", "").encode()


def describe(source: Source) -> str:
    """Return the name of a source for messages.

    :param source: see `Source`
    """
    return file_names.escape(source.filename) if isinstance(source, Upload) else "the " + "".join(source)


def build_request(endpoint: str, source: Source, options: Mapping[str, Any], *, fail_fast_on_quota: bool) -> Request:
    """Return the request that submits or ingests a source.

    :param endpoint: "submit" or "ingest", which accept the same
    :param source: see `Source`
    :param options: options as the server accepts them
    :param fail_fast_on_quota: see `Request`
    :raises ValueError: if the source is invalid
    """
    if isinstance(source, Upload):
        upload, named = file_names.use_safe_name(source, options)
        body: dict[str, Any] = {"parts": {"json": json.dumps(named), "bin": upload}}
    else:
        body = {"json": {**options, **parse(source)}}
    path = f"{API_PATH}/{endpoint}/"
    return Request("POST", path, long_running=True, fail_fast_on_quota=fail_fast_on_quota, **body)


def describe_content(source: Source) -> str:
    """Return what is sent, for the log: the name and size of a file, the hash or the URL without its query.

    :param source: see `intake.submit`
    """
    if isinstance(source, Upload):
        return f"the file {shorten(source.filename)!r} ({source.size} bytes)"
    [(kind, value)] = source.items()
    if kind == "url":
        return f"the URL {shorten(strip_query(value))}"
    return f"a {kind} of {len(value)} characters" if kind in CONTENT_KINDS else f"the {kind} {shorten(value)}"
