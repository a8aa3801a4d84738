"""Sources of signatures: the repositories and files that the updater of a service fetches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.signatures import signatures
from self_hosted.assemblyline.errors import API_PATH, Success, call
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)

# further fields hold keys, passwords and headers
PUBLIC_SOURCE_FIELDS = (
    "name",
    "uri",
    "enabled",
    "pattern",
    "default_classification",
    "override_classification",
    "update_interval",
    "status",
)
CREDENTIAL = re.compile(r"(?<=//)[^/@\s]*@")


class ChangedSource(TypedDict):
    """A source of signatures that was enabled or disabled.

    :param service: name of its service
    :param name: name of the source
    :param enabled: whether it is enabled now
    :param changed: whether it was not before
    """

    service: str
    name: str
    enabled: bool
    changed: bool


class _Header(typing_extensions.TypedDict):
    value: typing_extensions.NotRequired[str | None]


class _Status(typing_extensions.TypedDict):
    state: str
    message: typing_extensions.NotRequired[str | None]
    ts: typing_extensions.NotRequired[str | None]


class _Source(typing_extensions.TypedDict):
    name: str
    uri: typing_extensions.NotRequired[str | None]
    enabled: typing_extensions.NotRequired[bool | None]
    update_interval: typing_extensions.NotRequired[int | None]
    status: typing_extensions.NotRequired[_Status | None]
    password: typing_extensions.NotRequired[str | None]
    private_key: typing_extensions.NotRequired[str | None]
    headers: typing_extensions.NotRequired[list[_Header] | None]


class ServiceSources(typing_extensions.TypedDict):
    """The sources of a service in a response: the fields that flows use."""

    sources: list[_Source] | None
    update_interval_seconds: typing_extensions.NotRequired[int | None]


def list_all() -> Flow[dict[str, list[dict[str, Any]]]]:
    """Return the sources of signatures, by service: name, uri, enabled, update_interval, status, ...

    Passwords, keys and headers are left out, so that no log and no XCom holds them.

    ``GET /api/v4/signature/sources/``; requires the role signature_manage
    """
    response = yield from read_services()
    return {
        service: [_without_credentials(source) for source in config["sources"] or []]
        for service, config in response.items()
    }


def read_services() -> Flow[dict[str, Any]]:
    """Return the sources of each service with all of their settings, secrets included.

    ``GET /api/v4/signature/sources/``
    """
    return call(Request("GET", f"{API_PATH}/signature/sources/"), dict[str, ServiceSources])


def _without_credentials(source: Mapping[str, Any]) -> dict[str, Any]:
    public = {name: source[name] for name in PUBLIC_SOURCE_FIELDS if name in source}
    return {**public, "uri": CREDENTIAL.sub("", source.get("uri") or "")}


def remove_source(service: str, name: str) -> Flow[bool]:
    """Remove a source with all signatures that came from it, and return whether it existed.

    ``DELETE /api/v4/signature/sources/<service>/<name>/``; requires the role signature_manage

    :param service: name of its service
    :param name: name of the source
    :raises NotFoundError: if the service has no sources by its configuration
    """
    ids.check_segment("service", service)
    ids.check_segment("name", name)
    if find((yield from get_service(service)), name) is None:
        return False
    request = Request("DELETE", f"{API_PATH}{url_path('signature', 'sources', service, name)}/", long_running=True)
    try:
        signatures.require_success((yield from call(request, Success)), request)
    except OutcomeUnknownError:
        if not (yield from poll_for_effect(partial(_is_gone, service, name))):
            raise
    log.info("Signature source %s of %s: removed with its signatures", name, service)
    return True


def _is_gone(service: str, name: str) -> Flow[bool | None]:
    return True if find((yield from get_service(service)), name) is None else None


def set_enabled(service: str, name: str, *, enabled: bool = True) -> Flow[ChangedSource]:
    """Enable or disable a source of signatures.

    ``PUT /api/v4/signature/sources/enable/<service>/<name>/``; requires the role signature_manage

    :param service: name of its service
    :param name: name of the source
    :param enabled: whether signatures are fetched from it
    :return: `ChangedSource`
    :raises NotFoundError: if the source does not exist; the server would answer HTTP 500
    """
    ids.check_segment("service", service)
    ids.check_segment("name", name)
    before = (yield from get_sources(service, [name]))[0].get("enabled", True)
    if before != enabled:
        path = f"{API_PATH}{url_path('signature', 'sources', 'enable', service, name)}/"
        yield from call(Request("PUT", path, json={"enabled": enabled}, idempotent=True), Success)
        log.info("Signature source %s of %s: enabled %s -> %s", name, service, before, enabled)
    return {"service": service, "name": name, "enabled": enabled, "changed": before != enabled}


def get_sources(service: str, names: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    """Return the named sources of a service, with all of their settings; of no names, all.

    :param service: name of the service
    :param names: names of the sources
    :raises NotFoundError: if one does not exist
    """
    config: Any = (yield from read_services()).get(service) or {}
    sources = {source["name"]: source for source in config.get("sources") or []}
    missing = [name for name in names if name not in sources]
    if missing or not sources:
        valid, unknown = ", ".join(sources) or "none", ", ".join(missing)
        raise NotFoundError(f"service {service!r} has no signature source {unknown or 'at all'}; it has {valid}")
    return [sources[name] for name in names or sources]


def get_service(service: str) -> Flow[dict[str, Any]]:
    """Return the sources of a service with all of their settings, secrets included.

    :param service: name of the service
    :raises NotFoundError: if the service has no sources by its configuration
    """
    services = yield from read_services()
    if service not in services:
        valid = ", ".join(services) or "none"
        raise NotFoundError(f"{service!r} is no service with signature sources; there are {valid}")
    found: dict[str, Any] = services[service]
    return found


def find(config: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return a source of a service, or None.

    :param config: see `get_service`
    :param name: name of the source
    """
    return next((source for source in config.get("sources") or [] if source["name"] == name), None)


def build_page_url(base_url: str) -> str:
    """Return the URL of the UI's page of all sources.

    :param base_url: the connection's base URL
    """
    return f"{base_url}/manage/sources"
