"""Changes of signature sources: add one, or change its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, TypedDict

from self_hosted.assemblyline.api import ids, recovery, server
from self_hosted.assemblyline.api.signatures import levels, signatures, source_settings, sources
from self_hosted.assemblyline.errors import API_PATH, Success, call
from self_hosted.core.http.errors import ConflictError
from self_hosted.core.http.flow import Flow, Request, Secret, url_path
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

SECRET_FIELDS = ("password", "private_key")
MIN_SECRET_CHARACTERS = 8
"""Shorter values of headers are no secrets, such as "1"."""


class SetSource(TypedDict):
    """A source of signatures that was added or changed.

    :param service: name of its service
    :param name: name of the source
    :param op: "added", "updated" or "unchanged"
    :param changed: names of the settings that changed
    """

    service: str
    name: str
    op: str
    changed: list[str]


def set_source(service: str, name: str, settings: Mapping[str, Any]) -> Flow[SetSource]:
    """Add a source of signatures, or change settings of an existing one. Without a difference, nothing is sent.

    The updater of the service then fetches the source. The server replaces all settings of a source at once, so of two
    concurrent changes the later one wins.

    ``PUT /api/v4/signature/sources/<service>/``, or ``POST /api/v4/signature/sources/<service>/<name>/``; requires the
    role signature_manage

    :param service: name of its service, such as "YARA"
    :param name: name of the source: letters, digits and "_"
    :param settings: uri, and if necessary: username, password, private_key, ca_cert, proxy, headers (a list of
        {"name", "value"}), pattern (a regular expression of file names), git_branch, fetch_method (GET, POST or GIT),
        data, configuration, default_classification, override_classification, update_interval (seconds), enabled, sync,
        ignore_cache, ssl_ignore_errors, use_managed_identity. Of an existing source, the others are kept
    :return: `SetSource`
    :raises ValueError: for settings that the server would drop or replace, and a new source without uri
    :raises NotFoundError: if the service has no sources by its configuration; the server would answer HTTP 500
    """
    ids.check_segment("service", service)
    ids.check_segment("name", name)
    parsed = source_settings.parse(settings)
    for secret in _find_secrets(parsed):
        yield Secret(secret)
    if parsed.get("default_classification"):
        yield from server.check_classification(parsed["default_classification"], "settings: default_classification")
    config = yield from sources.get_service(service)
    existing = sources.find(config, name)
    if existing is None:
        yield from _add(service, {"name": name, **parsed})
        return {"service": service, "name": name, "op": "added", "changed": sorted(parsed)}
    known = yield from levels.read()
    changed = sorted(key for key, value in parsed.items() if _differs(key, existing.get(key), value, known))
    if changed:
        yield from _edit(service, existing, parsed, config.get("update_interval_seconds"))
        log.info("Signature source %s of %s: changed %s", name, service, ", ".join(changed))
    return {"service": service, "name": name, "op": "updated" if changed else "unchanged", "changed": changed}


def _add(service: str, source: dict[str, Any]) -> Flow[None]:
    source_settings.check_name("name", source["name"])
    if not source.get("uri"):
        raise ValueError(f"settings: uri is missing; {service} has no source {source['name']} yet")
    # without a classification, the server could not change the source later
    lowest = (yield from levels.read()).lowest
    body = {"default_classification": lowest, "override_classification": False, **source}
    request = Request("PUT", f"{API_PATH}{url_path('signature', 'sources', service)}/", json=body)
    response, _ = yield from recovery.read_back(lambda: call(request, Success), partial(_find_added, service, body))
    signatures.require_success(response, request)
    log.info("Signature source %s of %s: added", source["name"], service)


def _find_added(service: str, body: Mapping[str, Any]) -> Flow[Success | None]:
    found = sources.find((yield from sources.get_service(service)), body["name"])
    if found is None:
        return None
    if any(found.get(key) != value for key, value in body.items() if key not in {"name", "default_classification"}):
        raise ConflictError(f"{service} has another signature source {body['name']} since this attempt")
    return {"success": True}


def _differs(key: str, existing: Any, value: Any, known: levels.Levels) -> bool:
    if key == "default_classification":
        return known.normalize(str(existing or "")) != known.normalize(value)
    return (existing or None) != (value or None)  # the server leaves out some empty settings


def _edit(service: str, existing: Mapping[str, Any], changes: Mapping[str, Any], interval: Any) -> Flow[None]:
    """Send all settings of a source. The server shows the interval of the service in place of a missing one."""
    for secret in _find_secrets(existing):
        yield Secret(secret)
    if not existing.get("default_classification"):
        reason = "was added without a default_classification; the server can only remove it, not change it"
        raise ConflictError(f"signature source {existing['name']} of {service} {reason}")
    left_out = {"status", "update_interval"} if existing.get("update_interval") == interval else {"status"}
    kept = {key: value for key, value in existing.items() if key not in left_out and value is not None}
    body = {"override_classification": False, **kept, **changes}
    path = f"{API_PATH}{url_path('signature', 'sources', service, existing['name'])}/"
    request = Request("POST", path, json=body, idempotent=True, long_running=True)
    signatures.require_success((yield from call(request, Success)), request)


def _find_secrets(source: Mapping[str, Any]) -> Iterator[str]:
    values = [source.get(name) or "" for name in SECRET_FIELDS]
    headers = [header.get("value") or "" for header in source.get("headers") or []]
    for value in (*values, *(header for header in headers if len(header) >= MIN_SECRET_CHARACTERS)):
        if value.strip():
            yield value.strip()
