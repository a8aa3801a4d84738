"""Updates of entries of badlist and safelist: enabled, expiry, classification, sources and attribution."""

from __future__ import annotations

from functools import partial

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.lists import lists, schema
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.errors import Success, call
from self_hosted.core.arguments import parse_choice
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.core.timestamps import parse_timestamp

log = get_logger(__name__)


def set_enabled(list_name: str, entry_id: str, enabled: bool) -> Flow[bool]:
    """Enable or disable an entry, and return whether that changed it. A disabled entry has no effect.

    ``PUT /api/v4/badlist/enable/<id>/``

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `lists.get`
    :param enabled: whether the entry has an effect
    :raises NotFoundError: if it is not on the list
    """
    if (yield from lists.get(list_name, entry_id))["enabled"] == enabled:
        return False
    path = lists.build_path(list_name, entry_id, "enable")
    yield from _send(Request("PUT", path, json=enabled, idempotent=True), entry_id)
    log.info("Entry %s of the %s: enabled %s -> %s", entry_id, list_name, not enabled, enabled)
    return True


def set_expiry(list_name: str, entry_id: str, expiry: str | None) -> Flow[None]:
    """Set the time when an entry expires.

    ``PUT /api/v4/badlist/expiry/<id>/``, or ``DELETE`` for no expiry

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `lists.get`
    :param expiry: timestamp in ISO 8601, UTC unless it names a time zone; None = no expiry
    :raises ValueError: if the timestamp is malformed
    :raises NotFoundError: if it is not on the list
    """
    path = lists.build_path(list_name, entry_id, "expiry")
    if expiry is None:
        yield from _send(Request("DELETE", path, idempotent=True), entry_id)
    else:
        timestamp = lucene.format_timestamp(parse_timestamp("expiry", expiry))
        yield from _send(Request("PUT", path, json=timestamp, idempotent=True), entry_id)
    log.info("Entry %s of the %s: expiry set to %s", entry_id, list_name, expiry or "never")


def set_classification(list_name: str, entry_id: str, source: str, source_type: str, classification: str) -> Flow[None]:
    """Set the classification of a source; the entry has the highest classification of its sources.

    ``PUT /api/v4/badlist/classification/<id>/<source>/<type>/``

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `lists.get`
    :param source: name of the source
    :param source_type: "user" or "external"
    :param classification: such as "TLP:C"
    :raises ValueError: if the server would store another classification
    :raises NotFoundError: if the entry or the source does not exist
    :raises PermissionDeniedError: for other sources than the user's own, without the role administration
    """
    path = lists.build_path(list_name, entry_id, "classification", source, source_type)
    yield from server.check_classification(classification, "classification")
    yield from call(Request("PUT", path, json=classification, idempotent=True), Success)
    log.info("Entry %s of the %s: source %s is classified %s", entry_id, list_name, source, classification)


def remove_source(list_name: str, entry_id: str, source: str, source_type: str) -> Flow[None]:
    """Remove a source of an entry that has further ones.

    ``DELETE /api/v4/badlist/source/<id>/<source>/<type>/``

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `lists.get`
    :param source: name of the source
    :param source_type: "user" or "external"
    :raises NotFoundError: if the entry or the source does not exist
    :raises PermissionDeniedError: for the last source; for other sources than the user's own, without the role
        administration
    """
    try:
        path = lists.build_path(list_name, entry_id, "source", source, source_type)
        yield from call(Request("DELETE", path), Success)
    except OutcomeUnknownError as lost:
        find = partial(_is_without, list_name, entry_id, source, source_type)
        if not (yield from poll_for_effect(find, lost=lost)):
            raise
    log.info("Entry %s of the %s: source %s removed", entry_id, list_name, source)


def _is_without(list_name: str, entry_id: str, source: str, source_type: str) -> Flow[bool | None]:
    entry = yield from lists.get_if_present(list_name, entry_id)
    existing = [(each["name"], each["type"]) for each in (entry or {}).get("sources") or []]
    return None if (source, source_type) in existing else True


def set_attribution(entry_id: str, kind: str, value: str, *, remove: bool = False) -> Flow[bool]:
    """Add an attribution to a badlist entry, or remove it, and return whether that changed the entry.

    ``PUT /api/v4/badlist/attribution/<id>/<kind>/<value>/``, or ``DELETE``

    :param entry_id: see `lists.get`
    :param kind: actor, campaign, category, exploit, implant, family or network
    :param value: a name; stored in upper case
    :param remove: whether to remove it
    :raises ValueError: if the kind is unknown
    :raises NotFoundError: if the entry is not on the badlist
    """
    parse_choice("kind", kind, schema.ATTRIBUTIONS)
    path = lists.build_path("badlist", entry_id, "attribution", kind, value.upper())
    value = value.upper()  # in another case, the server adds the name a second time and does not find it to remove it
    existing = ((yield from lists.get("badlist", entry_id)).get("attribution") or {}).get(kind) or []
    if (value in existing) is not remove:
        return False  # the server fails on the removal of a kind that the entry does not have
    yield from _send(Request("DELETE" if remove else "PUT", path, idempotent=True), entry_id)
    log.info("Entry %s of the badlist: %s %s %s", entry_id, kind, value, "removed" if remove else "added")
    return True


def _send(request: Request, entry_id: str) -> Flow[None]:
    """Send an update. The server reports an entry that does not exist as "no success"."""
    if not (yield from call(request, Success))["success"]:
        raise NotFoundError(f"entry {entry_id} does not exist", method=request.method, path=request.path)
