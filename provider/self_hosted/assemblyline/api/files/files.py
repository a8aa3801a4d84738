"""Files that the server knows: records, results and content."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.errors import API_PATH, call, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)


class Content(TypedDict):
    """The beginning of a file's content.

    :param content: at most a MiB, as text
    :param truncated: whether there is more
    """

    content: str
    truncated: bool


class ExtractedFile(TypedDict):
    """A file that was extracted from another one.

    :param sha256: its SHA-256
    :param name: its name within the other file
    """

    sha256: str
    name: str


class _File(TypedDict):
    sha256: str


class _Results(TypedDict):
    file_info: _File
    results: list[JsonObject]


class _Score(TypedDict):
    score: int


def build_page_url(base_url: str, sha256: str) -> str:
    """Return the URL of a file's page in the UI.

    :param base_url: the connection's base URL
    :param sha256: SHA-256 of the file
    """
    return f"{base_url}{ids.build_page_path('file', 'detail', sha256)}"


def parse_sha256(sha256: str) -> str:
    """Return a SHA-256 in the server's spelling: lower case.

    :param sha256: hexadecimal digits
    :raises ValueError: if it is no SHA-256
    """
    try:
        return hash_kinds.parse("sha256", str(sha256))
    except ValueError:
        raise ValueError(f"sha256 must be 64 hexadecimal digits, not {sha256!r}") from None


def get(sha256: str) -> Flow[dict[str, Any]]:
    """Return a file's record: hashes, size, type, classification, first and last submission, labels.

    ``GET /api/v4/file/info/<sha256>/``

    :param sha256: SHA-256 of the file
    :raises NotFoundError: if the file does not exist
    """
    return call_object(Request("GET", build_path("info", sha256)), _File)


def get_results(sha256: str) -> Flow[dict[str, Any]]:
    """Return the results of a file in all submissions: {file_info, results, tags, heuristics, parents, ...}.

    ``GET /api/v4/file/result/<sha256>/``

    :param sha256: SHA-256 of the file
    :raises NotFoundError: if the file does not exist
    """
    return call_object(Request("GET", build_path("result", sha256), long_running=True), _Results)


def get_service_results(sha256: str, service: str, *, every: bool = False) -> Flow[dict[str, Any]]:
    """Return one service's results of a file: {file_info, results}; no results if the service is unknown.

    ``GET /api/v4/file/result/<sha256>/<service>/``

    :param sha256: SHA-256 of the file
    :param service: name of the service
    :param every: whether to return its hundred newest results instead of the newest one
    :raises NotFoundError: if the file does not exist
    """
    query = {"all": True} if every else {}
    path = f"{build_path('result', sha256)[:-1]}{url_path(service)}/"
    return call_object(Request("GET", path, query), _Results)


def get_score(sha256: str) -> Flow[dict[str, Any]]:
    """Return a file's score, from the newest result of each service: {score, result_keys, file_info}.

    ``GET /api/v4/file/score/<sha256>/``

    :param sha256: SHA-256 of the file
    :raises NotFoundError: if the file does not exist
    """
    return call_object(Request("GET", build_path("score", sha256)), _Score)


def list_children(sha256: str) -> Flow[list[ExtractedFile]]:
    """Return the files that were extracted from a file.

    ``GET /api/v4/file/children/<sha256>/``

    :param sha256: SHA-256 of the file
    :return: a list of `ExtractedFile`
    :raises NotFoundError: if the file does not exist
    """
    return call(Request("GET", build_path("children", sha256)), list[ExtractedFile])


def get_hex(sha256: str, *, bytes_only: bool = False, length: int = 16) -> Flow[Content]:
    """Return the first MiB of a file in hexadecimal digits.

    ``GET /api/v4/file/hex/<sha256>/``

    :param sha256: SHA-256 of the file
    :param bytes_only: whether to leave out addresses and characters
    :param length: bytes per line, unless ``bytes_only``
    :return: `Content`
    :raises NotFoundError: if the file, or its content, does not exist
    """
    query = {"bytes_only": bytes_only, "length": length}
    return call(Request("GET", build_path("hex", sha256), query, long_running=True), Content)


def get_ascii(sha256: str) -> Flow[Content]:
    """Return the first MiB of a file as ASCII text, with a dot for each other byte.

    ``GET /api/v4/file/ascii/<sha256>/``

    :param sha256: SHA-256 of the file
    :return: `Content`
    :raises NotFoundError: if the file, or its content, does not exist
    """
    return call(Request("GET", build_path("ascii", sha256), long_running=True), Content)


def get_strings(sha256: str, length: int = 6) -> Flow[Content]:
    """Return the distinct ASCII and UTF-16 strings of a file, one per line.

    ``GET /api/v4/file/strings/<sha256>/``

    :param sha256: SHA-256 of the file
    :param length: minimum number of characters of a string
    :return: `Content`
    :raises NotFoundError: if the file, or its content, does not exist
    """
    return call(Request("GET", build_path("strings", sha256), {"len": length}, long_running=True), Content)


def purge(sha256: str) -> Flow[None]:
    """Delete a file's content: it can no longer be downloaded or analysed. Its record and results remain.

    ``DELETE /api/v4/file/filestore/<sha256>/``, which does nothing if the content is gone

    :param sha256: SHA-256 of the file
    :raises NotFoundError: if the file does not exist
    :raises PermissionDeniedError: also without the role file_purge, which only extended API keys have
    """
    yield from call(Request("DELETE", build_path("filestore", sha256), idempotent=True), object)
    log.info("File %s: deleted its content", sha256)


def build_path(resource: str, sha256: str) -> str:
    """Return the path of a part of a file.

    :param resource: info, score, download, ...
    :param sha256: SHA-256 of the file
    :raises ValueError: if it is no SHA-256
    """
    return f"{API_PATH}{url_path('file', resource, parse_sha256(sha256))}/"
