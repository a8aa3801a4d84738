"""What single services said of single files: results and errors, by their keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path

MANY = 100
"""Keys that are asked for at once: a result may have a megabyte, and the server holds an answer in memory whole."""

ERRORS = {
    0: "unknown",
    1: "exception",
    10: "max depth reached",
    11: "max files reached",
    12: "max retry reached",
    20: "service busy",
    21: "service down",
    30: "task pre-empted",
}
"""What the number at the end of an error's key means."""

KEY = re.compile(r"([0-9a-f]{64})\.([^.]+)\.v([^.]+)\.c[^.]+(?:\.e(\d*))?")


class ResultKey(NamedTuple):
    """What the key of a result or an error tells by itself.

    :param sha256: of the file
    :param service: its name, in which the server writes "_" for "."
    :param version: of the service
    :param is_empty: whether it is a result without any finding
    :param error: what went wrong, see `ERRORS`; None for a result
    """

    sha256: str
    service: str
    version: str
    is_empty: bool
    error: str | None


def result_key(key: str) -> ResultKey:
    """Read a key, as a submission's ``results`` and ``errors`` hold them.

    >>> result_key(f"{'0' * 64}.Extract.v4_7_0_1.c0.e21").error
    'service down'

    :param key: ``<sha256>.<service>.v<version>.c<configuration>``, then ".e" if empty, ".e<number>" for an error
    :raises ValueError: when it is none
    """
    found = KEY.fullmatch(key)
    if not found:
        raise ValueError(f"{key!r} is no key of a result or an error")
    sha256, service, version, code = found.groups()
    is_empty = code is not None and not code
    error = ERRORS.get(int(code), f"error {code}") if code else None
    return ResultKey(sha256, service, version.replace("_", "."), is_empty, error)


def service_result(key: str) -> Flow[dict[str, Any]]:
    """One result: {sha256, response: {service_name, extracted, ...}, result: {score, sections}, ...}.

    ``GET /api/v4/result/<key>/``

    :param key: its key
    :raises NotFound: when there is no such result
    """
    result_key(key)
    return asked(Request("GET", f"{API}{url_path('result', key)}/"))


def service_error(key: str) -> Flow[dict[str, Any]]:
    """One error: {sha256, type, severity, response: {service_name, message, status}, ...}.

    ``GET /api/v4/result/error/<key>/``

    :param key: its key
    :raises NotFound: when there is no such error
    """
    result_key(key)
    return asked(Request("GET", f"{API}{url_path('result', 'error', key)}/"))


def service_results(results: Sequence[str], errors: Sequence[str] = ()) -> Flow[dict[str, dict[str, Any]]]:
    """Many results and errors: {"result": {key: ...}, "error": {key: ...}}. The server leaves out what it cannot find.

    ``POST /api/v4/result/multiple_keys/``, once for each 100 keys

    :param results: keys of results
    :param errors: keys of errors
    """
    wanted = [*(("result", key) for key in results), *(("error", key) for key in errors)]
    found: dict[str, dict[str, Any]] = {"result": {}, "error": {}}
    for start in range(0, len(wanted), MANY):
        some = wanted[start : start + MANY]
        body = {kind: [key for of, key in some if of == kind] for kind in found}
        path = f"{API}/result/multiple_keys/"
        answer = yield from asked(Request("POST", path, json=body, slow=True, repeatable=True))
        for kind, known in found.items():
            known.update(answer[kind])
    return found
