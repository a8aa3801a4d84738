"""Results and errors of single services for single files, by their keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, call, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject

BATCH_SIZE = 100
"""Keys per request: a result may have a megabyte, and the server holds a response in memory as a whole."""

ERROR_CODES = {
    0: "unknown",
    1: "exception",
    10: "max depth reached",
    11: "max files reached",
    12: "max retry reached",
    20: "service busy",
    21: "service down",
    30: "task pre-empted",
}
"""The meaning of the number at the end of an error's key."""

KEY_PATTERN = re.compile(r"([0-9a-f]{64})\.([^.]+)\.v([^.]+)\.c[^.]+(?:\.e(\d*))?")


class ResultKey(NamedTuple):
    """The parts of the key of a result or an error.

    :param sha256: SHA-256 of the file
    :param service: name of the service, in which the server replaces "." by "_"
    :param version: version of the service
    :param is_empty: whether it is a result without any finding
    :param error: see `ERROR_CODES`; None for a result
    """

    sha256: str
    service: str
    version: str
    is_empty: bool
    error: str | None


class Results(TypedDict):
    """Results and errors by key.

    :param result: results
    :param error: errors
    """

    result: dict[str, dict[str, Any]]
    error: dict[str, dict[str, Any]]


class _Result(TypedDict):
    sha256: str
    response: JsonObject


def parse_key(key: str) -> ResultKey:
    """Return the parts of a key in a submission's ``results`` or ``errors``.

    >>> parse_key(f"{'0' * 64}.Extract.v4_7_0_1.c0.e21").error
    'service down'

    :param key: ``<sha256>.<service>.v<version>.c<configuration>``; then ".e" if empty, ".e<number>" for an error
    :raises ValueError: if it is malformed
    """
    match = KEY_PATTERN.fullmatch(key)
    if not match:
        raise ValueError(f"key must be that of a result or an error, not {key!r}")
    sha256, service, version, code = match.groups()
    error = ERROR_CODES.get(int(code), f"error {code}") if code else None
    is_empty = code is not None and not code
    return ResultKey(sha256, service, version.replace("_", "."), is_empty, error)


def get(key: str) -> Flow[dict[str, Any]]:
    """Return one result: {sha256, response: {service_name, extracted, ...}, result: {score, sections}, ...}.

    ``GET /api/v4/result/<key>/``

    :param key: its key
    :raises NotFoundError: if it does not exist
    """
    parse_key(key)
    return call_object(Request("GET", f"{API_PATH}{url_path('result', key)}/"), _Result)


def get_error(key: str) -> Flow[dict[str, Any]]:
    """Return one error: {sha256, type, severity, response: {service_name, message, status}, ...}.

    ``GET /api/v4/result/error/<key>/``

    :param key: its key
    :raises NotFoundError: if it does not exist
    """
    parse_key(key)
    return call_object(Request("GET", f"{API_PATH}{url_path('result', 'error', key)}/"), _Result)


def get_many(results: Sequence[str], errors: Sequence[str] = ()) -> Flow[Results]:
    """Return many results and errors; those that the server cannot find are left out.

    ``POST /api/v4/result/multiple_keys/``, once per 100 keys

    :param results: keys of results
    :param errors: keys of errors
    :return: `Results`
    """
    keys = [*(("result", key) for key in results), *(("error", key) for key in errors)]
    found = Results(result={}, error={})
    for start in range(0, len(keys), BATCH_SIZE):
        batch = keys[start : start + BATCH_SIZE]
        body = {kind: [key for key_kind, key in batch if key_kind == kind] for kind in ("result", "error")}
        path = f"{API_PATH}/result/multiple_keys/"
        response = yield from call(Request("POST", path, json=body, long_running=True, idempotent=True), Results)
        found["result"].update(response["result"])
        found["error"].update(response["error"])
    return found
