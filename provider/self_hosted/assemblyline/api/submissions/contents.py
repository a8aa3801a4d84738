"""The content of submissions: whether one that was found is of the file, URL or hash of a request.

A tag says whose submission it is, the content says of what. Only both together make a submission one's own.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, BinaryIO

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.api.submissions import sources
from self_hosted.assemblyline.api.submissions.sources import Source
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Upload

CHUNK_BYTES = 1024 * 1024

# The server unpacks CaRTs and rewrites URI files, so that it stores another content than the one that was sent
REWRITTEN = (b"CART", b"# Assemblyline URI file")

TEXTS = ("plaintext", "base64")
DEFANGED = ((r"[\[({]dot[\])}]", "."), (r"[\[\](){}\\]", ""), (r"^hxx?p", "http"), (r"^fxp", "ftp"))

VERDICT_PARAMS = (
    "classification",
    "deep_scan",
    "default_external_sources",
    "filetype_override",
    "ignore_cache",
    "ignore_filtering",
    "ignore_recursion_prevention",
    "initial_data",
    "malicious",
    "max_extracted",
    "max_supplementary",
    "service_spec",
    "services",
)
"""The params that affect which results a submission has."""


class SubmittedFile(TypedDict):
    """The shape of a file of a submission."""

    name: str
    sha256: str


class SubmittedParams(TypedDict):
    """The shape of a submission's params."""

    submitter: str


class SubmittedDocument(TypedDict):
    """The shape of a submission's document."""

    sid: str
    files: list[SubmittedFile]
    params: SubmittedParams


class Content:
    """The content of a request. It is read once a submission is found, and then once.

    :param source: see `Source`; None for any content
    """

    def __init__(self, source: Source | None) -> None:
        self.source = source
        self.left_alone: dict[str, str] = {}
        """Why submissions do not have this content, by their ids."""

    def matches(self, document: Mapping[str, Any]) -> Flow[bool]:
        """Whether a submission has this content; `left_alone` names those that have not.

        Where the content cannot be known, such as that of a CaRT, the tag alone decides.

        :param document: of the submission: its ``sid``, and name and sha256 of its ``files``
        """
        found = yield from self._read(document["files"])
        if None in {found, self._expected} or found == self._expected:
            return True
        self.left_alone[document["sid"]] = (
            f"submission {document['sid']} has the tag of this submission, but another content ({found}, not "
            f"{self._expected}); it is left alone"
        )
        return False

    @property
    def _kind(self) -> str:
        return "sha256" if self.source is None or isinstance(self.source, Upload) else "".join(self.source)

    @cached_property
    def _expected(self) -> str | None:
        """The URL or hash of the request; None if it cannot be known before the server has the file."""
        if self.source is None:
            return None
        if isinstance(self.source, Upload):
            with self.source.open() as file:
                return _hash(file)
        [(kind, value)] = sources.parse(self.source).items()
        if kind == "url":
            return _normalize_url(value)
        return _hash(io.BytesIO(sources.decode(self.source))) if kind in TEXTS else value

    def _read(self, submitted: list[SubmittedFile]) -> Flow[str | None]:
        """Return the same value of a submission."""
        if self._kind == "url":
            return " ".join(_normalize_url(file["name"]) for file in submitted)
        sha256 = " ".join(file["sha256"] for file in submitted)
        if self._kind in {"sha256", *TEXTS}:
            return sha256
        try:
            value = (yield from files.get(sha256)).get(self._kind)
        except NotFoundError:
            return None
        return str(value) if value else None


def is_duplicate(kept: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two submissions with one tag come from one request: the same files, params and user.

    :param kept: document of one submission
    :param other: document of the other one
    """
    return _identify(kept) == _identify(other)


def _identify(document: Mapping[str, Any]) -> tuple[Any, ...]:
    params = document["params"]
    sha256s = [file["sha256"] for file in document["files"]]
    return sha256s, params["submitter"], [params.get(name) for name in VERDICT_PARAMS]


def _hash(content: BinaryIO) -> str | None:
    digest, chunk = hashlib.sha256(), content.read(CHUNK_BYTES)
    if chunk.startswith(REWRITTEN):
        return None
    while chunk:
        digest.update(chunk)
        chunk = content.read(CHUNK_BYTES)
    return digest.hexdigest()


def _normalize_url(url: str) -> str:
    """Return a URL in a form to compare it by; the server restores defanged ones.

    >>> _normalize_url("hxxp[:]//Example[.]com/")
    'http://example.com'
    """
    text = url.lower()
    for pattern, replacement in DEFANGED:
        text = re.sub(pattern, replacement, text)
    return text.rstrip("/")
