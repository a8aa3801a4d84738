"""Fetches of signature sources by the updater of their service, and the state that it reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.signatures import sources
from self_hosted.assemblyline.errors import API_PATH, call, read_result
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)


class SourceStatus(TypedDict):
    """The state of the last update of a source.

    :param state: UNKNOWN, UPDATING, DONE or ERROR
    :param message: the updater's words, without credentials
    :param ts: when it was set, in ISO 8601
    """

    state: str
    message: str
    ts: str


class _Started(typing_extensions.TypedDict):
    sources: list[str]


def fetch(service: str, names: Sequence[str] = ()) -> Flow[list[str]]:
    """Let the updater of a service fetch signatures, and return the names of the sources. It fetches them later.

    ``PUT /api/v4/signature/sources/update/<service>/``; requires the role signature_manage

    :param service: name of the service
    :param names: names of the sources; default: all that are enabled. The updater skips disabled ones
    :raises NotFoundError: if a source does not exist; the server would ignore it
    :raises ValueError: if a source is disabled
    """
    ids.check_segment("service", service)
    _check_names(names)
    found = yield from sources.get_sources(service, names)
    disabled = [source["name"] for source in found if source.get("enabled") is False]
    wanted = [source["name"] for source in found if source["name"] not in disabled]
    if not wanted or (names and disabled):
        raise ValueError(f"names: disabled sources of {service} are not fetched: {', '.join(disabled)}")
    params = {"sources": ",".join(_check_names(wanted))} if names or disabled else {}
    path = f"{API_PATH}{url_path('signature', 'sources', 'update', service)}/"
    response = yield from call(Request("PUT", path, params, idempotent=True), _Started)
    if set(response["sources"]) != set(wanted):
        raise ServerError(f"the server did not start to fetch all of {', '.join(wanted)}", method="PUT", path=path)
    log.info("Signature sources of %s: started to fetch %s", service, ", ".join(wanted))
    return wanted


def _check_names(names: Sequence[str]) -> list[str]:
    for name in check_ids("names", names):
        if "," in name:  # the server reads a list of names
            raise ValueError(f"names: the server cannot be sent {name!r}, because of the comma; leave out the names")
    return list(names)


def get_statuses() -> Flow[dict[str, dict[str, SourceStatus]]]:
    """Return the state of the last update of each source, by service and name of the source.

    ``GET /api/v4/signature/sources/``; requires the role signature_manage
    """
    reply = yield Request("GET", f"{API_PATH}/signature/sources/")
    services: dict[str, Any] = read_result(reply, dict[str, sources.ServiceSources])
    return {
        service: {
            source["name"]: SourceStatus(
                state=source["status"]["state"],
                message=reply.clean(sources.CREDENTIAL.sub("", source["status"].get("message") or "")),
                ts=source["status"].get("ts") or "",
            )
            for source in config["sources"] or []
            if source.get("status")
        }
        for service, config in services.items()
    }
