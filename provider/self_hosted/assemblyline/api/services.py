"""The services that analyse files: what there are, and for administrators, how they are set.

Only `services` and `service_constants` are for everybody; all else needs the role administration, which an API key has
with the right E. None of it counts toward the daily quota.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def services() -> Flow[list[dict[str, Any]]]:
    """All services: name, version, category, stage, enabled, is_external, accepts, rejects, description, ...

    ``GET /api/v4/service/all/``
    """
    return asked(Request("GET", f"{API}/service/all/"))


def service_constants() -> Flow[dict[str, list[str]]]:
    """The categories and the stages that services may have: {"categories": [...], "stages": [...]}.

    ``GET /api/v4/service/constants/``
    """
    return asked(Request("GET", f"{API}/service/constants/"))


def service(name: str, version: str | None = None) -> Flow[dict[str, Any]]:
    """How a service is set. That may hold passwords of registries and sources: keep it out of XComs.

    ``GET /api/v4/service/<name>/[<version>/]``

    :param name: its name, in the server's case
    :param version: with one, what that version comes with; by default what is in force
    :raises NotFound: when there is no such service
    """
    parts = ["service", name] if version is None else ["service", name, version]
    return asked(Request("GET", f"{API}{url_path(*parts)}/"))


def service_versions(name: str) -> Flow[list[str]]:
    """The versions of a service that the server holds, the newest first.

    ``GET /api/v4/service/versions/<name>/``

    :param name: its name
    :raises NotFound: when there is no such service
    """
    return asked(Request("GET", f"{API}{url_path('service', 'versions', name)}/"))


def change_service(name: str, changes: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Change how a service is set, such as {"enabled": False}: {name, version, changed: [names]}.

    What has the wanted value already is not sent, so that a second call changes nothing. Of two who change a service
    at once the later wins: the server takes the whole of its settings.

    ``POST /api/v4/service/<name>/``

    :param name: its name
    :param changes: the settings that change, by name; each replaces the whole of what was there
    :raises NotFound: when there is no such service
    :raises ValueError: for a setting that the service does not have
    """
    found = yield from service(name)
    unknown = sorted(set(changes) - set(found))
    if unknown or "name" in changes:
        raise ValueError(f"changes: {name} has no {', '.join(unknown) or 'other name'}; it has {', '.join(found)}")
    changed = sorted(key for key, value in changes.items() if found[key] != value)
    if changed:
        path = f"{API}{url_path('service', name)}/"
        yield from asked(Request("POST", path, json={**found, **changes}, repeatable=True))
    return {"name": name, "version": changes.get("version", found["version"]), "changed": changed}


def service_updates() -> Flow[dict[str, dict[str, Any]]]:
    """What the server knows of newer images, by the service's name: image, latest_tag, update_available, updating.

    Without the registry's credentials, so that these get into no log and no XCom.

    ``GET /api/v4/service/updates/``
    """
    found = yield from _updates()
    return {name: {key: one[key] for key in one if key != "auth"} for name, one in found.items()}


def _updates() -> Flow[dict[str, dict[str, Any]]]:
    return asked(Request("GET", f"{API}/service/updates/"))


def update_service(name: str) -> Flow[dict[str, Any]]:
    """Bring a service up to date: {name, status}, which is "current", "updated" or "updating".

    ``PUT /api/v4/service/update/``

    :param name: its name
    """
    known = (yield from _updates()).get(name, {})
    if known.get("updating") or not known.get("update_available"):
        return {"name": name, "status": "updating" if known.get("updating") else "current"}
    wanted = {"name": name, "update_data": known}
    answer = yield from asked(Request("PUT", f"{API}/service/update/", json=wanted, repeatable=True))
    return {"name": name, "status": answer["status"]}
