"""Creation of submissions from requests that contain a file or a reference to one."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from self_hosted.sandbox.assemblyline.analysis.analyzer import analyze
from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.submissions.submission import Submission

HASH_TYPES = {"md5", "sha1", "sha256", "ssdeep", "tlsh"}
MAX_PART_BYTES = 16 * 1024 * 1024
FindAnalysis = Callable[[str, str], AnalysisResult | None]


class Source(NamedTuple):
    """The content of a request.

    :param name: name of the file
    :param options: metadata, params and other options
    :param data: the file, or the result for a file that the server already has
    """

    name: str
    options: dict[str, Any]
    data: IO[bytes] | AnalysisResult


async def read_submission(request: Request, user: str, max_size: int, find_analysis: FindAnalysis) -> Submission:
    """Return the submission of a request.

    :param request: its body is multipart (fields ``json`` and ``bin``), or JSON with plaintext, base64, URL or hash
    :param user: submitter
    :param max_size: maximum size of the file in bytes
    :param find_analysis: returns the result for the type and the value of a hash, or None
    """
    content_type = request.headers.get("content-type", "")
    async with request.form(max_part_size=MAX_PART_BYTES) as form:
        if "multipart/form-data" in content_type:
            source = _read_form(form)
        elif "application/json" in content_type:
            source = _read_json(await request.body(), find_analysis)
        else:
            raise ApiError(400, "Invalid content type", {})
        analysis = await _analyze(source.data)
    _check_size(analysis.size, max_size, ignore_size=(source.options.get("params") or {}).get("ignore_size"))
    return Submission(source.name or analysis.sha256, source.options, user, analysis)


async def _analyze(data: IO[bytes] | AnalysisResult) -> AnalysisResult:
    return copy.deepcopy(data) if isinstance(data, AnalysisResult) else await run_in_threadpool(analyze, data)


def _check_size(size: int, max_size: int, *, ignore_size: Any) -> None:
    if size > max_size and not ignore_size:
        raise ApiError(413, f"File too big to be scanned ({size} > {max_size}).", {})
    if not size:
        raise ApiError(400, "File empty.", {})


def _read_form(form: FormData) -> Source:
    options = _parse_options(str(form.get("json", "{}")))
    upload = form.get("bin")
    if not isinstance(upload, UploadFile):
        reason = "The browser (or proxy) sent a request that this server could not understand."
        raise ApiError(400, f"400 Bad Request: {reason}", {})
    # the real server takes a backslash in a header for the mark of a quoted character
    filename = PurePosixPath((upload.filename or "").replace("\\", "")).name
    return Source(options.get("name", filename), options, upload.file)


def _read_json(body: bytes, find_analysis: FindAnalysis) -> Source:
    options = _parse_options(body)
    data = str(options.get("plaintext", "")).encode() or _decode_base64(options.get("base64", ""))
    if data:
        return Source(options.get("name", ""), options, io.BytesIO(data))
    if "url" in options:
        url = _restore_url(options["url"])
        return Source(url, options, io.BytesIO(f"# Assemblyline URI file\nuri: {url}\n".encode()))
    for hash_type in HASH_TYPES & options.keys():
        value = options[hash_type]
        return Source(options.get("name", value), options, _find_existing(find_analysis, hash_type, value))
    raise ApiError(400, "Missing file to scan. No binary or fetching method provided.", {})


def _parse_options(text: str | bytes) -> dict[str, Any]:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except ValueError as error:
        raise ApiError(400, str(error), {}) from None


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise ApiError(400, str(error), {}) from None


def _find_existing(find_analysis: FindAnalysis, hash_type: str, value: str) -> AnalysisResult:
    analysis = find_analysis(hash_type, value)
    if analysis is None:
        message = f"{hash_type.upper()} does not exist in Assemblyline and no external sources are available."
        raise ApiError(404, message, {})
    return analysis


def _restore_url(url: str) -> str:
    """Return a "defanged" URL, such as ``hxxp://a[.]example``, in its original form."""
    return re.sub(r"^hxxp(s?)", r"http\1", re.sub(r"[\[({](\.|:(?://)?)[\])}]", r"\1", url))
