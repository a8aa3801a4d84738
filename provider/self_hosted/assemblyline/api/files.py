"""Files that the server knows: what they are, what was found in them, and what is written in them."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path

SHA256 = re.compile(r"[0-9a-f]{64}")


def file_url(base_url: str, sha256: str) -> str:
    """The page of a file.

    :param base_url: the connection's base URL
    :param sha256: the file's
    """
    return f"{base_url}{url_path('file', 'detail', sha256)}"


def checked_sha256(sha256: str) -> str:
    """A SHA-256 as the server writes it; it knows no upper case.

    :param sha256: in hex digits
    :raises ValueError: when it is none
    """
    found = sha256.lower() if isinstance(sha256, str) else ""
    if not SHA256.fullmatch(found):
        raise ValueError(f"sha256 must be 64 hex digits, not {sha256!r}")
    return found


def file_info(sha256: str) -> Flow[dict[str, Any]]:
    """A file's record: hashes, size, type, classification, when it was seen, labels.

    ``GET /api/v4/file/info/<sha256>/``

    :param sha256: of the file
    :raises NotFound: when there is no such file
    """
    return asked(Request("GET", file_path("info", sha256)))


def file_results(sha256: str) -> Flow[dict[str, Any]]:
    """What was found in a file, in whatever submission: {file_info, results, tags, heuristics, parents, ...}.

    ``GET /api/v4/file/result/<sha256>/``

    :param sha256: of the file
    :raises NotFound: when there is no such file
    """
    return asked(Request("GET", file_path("result", sha256), slow=True))


def file_results_of_service(sha256: str, service: str, *, every: bool = False) -> Flow[dict[str, Any]]:
    """What a service found in a file: {file_info, results}; no results from a service that is unknown.

    ``GET /api/v4/file/result/<sha256>/<service>/``

    :param sha256: of the file
    :param service: its name
    :param every: its hundred newest results, and not only the newest
    :raises NotFound: when there is no such file
    """
    query = {"all": True} if every else {}
    return asked(Request("GET", f"{file_path('result', sha256)[:-1]}{url_path(service)}/", query))


def file_score(sha256: str) -> Flow[dict[str, Any]]:
    """A file's score, from the newest result of each service: {score, result_keys, file_info}.

    ``GET /api/v4/file/score/<sha256>/``

    :param sha256: of the file
    :raises NotFound: when there is no such file
    """
    return asked(Request("GET", file_path("score", sha256)))


def file_children(sha256: str) -> Flow[list[dict[str, str]]]:
    """What was extracted from a file: [{sha256, name}].

    ``GET /api/v4/file/children/<sha256>/``

    :param sha256: of the file
    :raises NotFound: when there is no such file
    """
    return asked(Request("GET", file_path("children", sha256)))


def file_hex(sha256: str, *, bytes_only: bool = False, length: int = 16) -> Flow[dict[str, Any]]:
    """The first MiB of a file in hex digits: {content, truncated}.

    ``GET /api/v4/file/hex/<sha256>/``

    :param sha256: of the file
    :param bytes_only: the bytes alone, without addresses and characters
    :param length: bytes in a line, when it is not the bytes alone
    :raises NotFound: when there is no such file, or its content is gone
    """
    return asked(Request("GET", file_path("hex", sha256), {"bytes_only": bytes_only, "length": length}, slow=True))


def file_ascii(sha256: str) -> Flow[dict[str, Any]]:
    """The first MiB of a file as text, with a dot for what is none: {content, truncated}.

    ``GET /api/v4/file/ascii/<sha256>/``

    :param sha256: of the file
    :raises NotFound: when there is no such file, or its content is gone
    """
    return asked(Request("GET", file_path("ascii", sha256), slow=True))


def file_strings(sha256: str, length: int = 6) -> Flow[dict[str, Any]]:
    """The different texts in a file, ASCII and UTF-16, one a line, a MiB at most: {content, truncated}.

    ``GET /api/v4/file/strings/<sha256>/``

    :param sha256: of the file
    :param length: characters that a text has at least
    :raises NotFound: when there is no such file, or its content is gone
    """
    return asked(Request("GET", file_path("strings", sha256), {"len": length}, slow=True))


def purge_file(sha256: str) -> Flow[None]:
    """Delete a file's content, so that nobody can download or analyse it any more. Its record and results stay.

    ``DELETE /api/v4/file/filestore/<sha256>/``, which does nothing to a file whose content is gone

    :param sha256: of the file
    :raises NotFound: when there is no such file
    :raises Forbidden: also without the role file_purge, which only keys with extended rights have
    """
    yield from asked(Request("DELETE", file_path("filestore", sha256), repeatable=True))


def file_path(what: str, sha256: str) -> str:
    """The path of something of a file.

    :param what: info, score, download, ...
    :param sha256: the file's
    :raises ValueError: when it is no SHA-256
    """
    return f"{API}{url_path('file', what, checked_sha256(sha256))}/"
