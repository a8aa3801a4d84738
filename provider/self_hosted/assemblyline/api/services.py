"""The services that analyse files: list them and, for administrators, configure and update them.

`list_all` and `get_constants` are for every user. All others require the role administration, which an API key has with
the right E. None of it counts toward the daily quota.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.errors import API_PATH, call, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)


class UpdatedService(TypedDict):
    """A service after a change of its settings.

    :param name: name of the service
    :param version: version in force
    :param changed: names of the settings that changed
    """

    name: str
    version: str
    changed: list[str]


class ServiceUpdate(TypedDict):
    """The state of an update of a service's image.

    :param name: name of the service
    :param status: "current", "updated" or "updating"
    """

    name: str
    status: str


# "update_all" updates all services, "restore" replaces them
ENDPOINTS = frozenset({"all", "backup", "constants", "installing", "restore", "update_all", "updates"})
"""The words in place of a name that are other endpoints; with a version also those in `VERSIONED_ENDPOINTS`."""

VERSIONED_ENDPOINTS = ENDPOINTS | {"stats", "versions"}


class _Service(typing_extensions.TypedDict):
    name: str
    version: str


class _ListedService(typing_extensions.TypedDict):
    name: str
    category: str


class _Status(typing_extensions.TypedDict):
    status: str


def list_all() -> Flow[list[dict[str, Any]]]:
    """Return all services: name, version, category, stage, enabled, is_external, accepts, rejects, description, ...

    ``GET /api/v4/service/all/``
    """
    services: list[Any] = yield from call(Request("GET", f"{API_PATH}/service/all/"), list[_ListedService])
    return services


def get_constants() -> Flow[dict[str, list[str]]]:
    """Return the categories and the stages of services: {"categories": [...], "stages": [...]}.

    ``GET /api/v4/service/constants/``
    """
    return call(Request("GET", f"{API_PATH}/service/constants/"), dict[str, list[str]])


def get(name: str, version: str | None = None) -> Flow[dict[str, Any]]:
    """Return the settings of a service. They may hold passwords of registries and sources: keep them out of XComs.

    ``GET /api/v4/service/<name>/[<version>/]``

    :param name: name of the service, case-sensitive
    :param version: return the defaults of this version; None = the settings in force
    :raises NotFoundError: if the service does not exist
    """
    name = ids.check_segment("name", name, ENDPOINTS if version is None else VERSIONED_ENDPOINTS)
    parts = [name] if version is None else [name, ids.check_segment("version", version)]
    return call_object(Request("GET", f"{API_PATH}{url_path('service', *parts)}/"), _Service)


def list_versions(name: str) -> Flow[list[str]]:
    """Return the versions of a service that the server holds, the newest first.

    ``GET /api/v4/service/versions/<name>/``

    :param name: name of the service
    :raises NotFoundError: if the service does not exist
    """
    return call(Request("GET", f"{API_PATH}{url_path('service', 'versions', name)}/"), list[str])


def update(name: str, changes: Mapping[str, Any]) -> Flow[UpdatedService]:
    """Change settings of a service, such as {"enabled": False}.

    Without a difference, nothing is sent. The server replaces all settings, so of two concurrent updates the later one
    wins.

    ``POST /api/v4/service/<name>/``

    :param name: name of the service
    :param changes: new values by name of the setting; each replaces the whole old value
    :return: `UpdatedService`
    :raises NotFoundError: if the service does not exist
    :raises ValueError: if the service has no such setting
    """
    settings = yield from get(name)
    unknown = sorted(set(changes) - set(settings))
    if unknown:
        raise ValueError(f"changes: unknown {', '.join(unknown)}; {name} has {', '.join(settings)}")
    if "name" in changes:
        raise ValueError(f"changes: the name of {name} cannot be changed")
    changed = sorted(key for key, value in changes.items() if settings[key] != value)
    if changed:
        path = f"{API_PATH}{url_path('service', name)}/"
        yield from call(Request("POST", path, json={**settings, **changes}, idempotent=True), object)
        # without the values: a setting may be a password of the service
        log.info("Service %s: changed %s", name, ", ".join(changed))
    return {"name": name, "version": changes.get("version", settings["version"]), "changed": changed}


def list_updates() -> Flow[dict[str, dict[str, Any]]]:
    """Return available images by name of the service: image, latest_tag, update_available, updating.

    The registry's credentials are left out, so that no log and no XCom holds them.

    ``GET /api/v4/service/updates/``
    """
    updates = yield from _get_updates()
    return {name: {key: update[key] for key in update if key != "auth"} for name, update in updates.items()}


def _get_updates() -> Flow[dict[str, dict[str, Any]]]:
    return call(Request("GET", f"{API_PATH}/service/updates/"), dict[str, JsonObject])


def install_update(name: str) -> Flow[ServiceUpdate]:
    """Update a service to its newest image.

    ``PUT /api/v4/service/update/``

    :param name: name of the service
    :return: `ServiceUpdate`
    """
    ids.check_segment("name", name)
    available = (yield from _get_updates()).get(name, {})
    if available.get("updating") or not available.get("update_available"):
        return {"name": name, "status": "updating" if available.get("updating") else "current"}
    body = {"name": name, "update_data": available}
    response = yield from call(Request("PUT", f"{API_PATH}/service/update/", json=body, idempotent=True), _Status)
    log.info("Service %s: started its update, status %s", name, response["status"])
    return {"name": name, "status": response["status"]}
