"""Changes of what is on badlist and safelist already."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.list_entries import ATTRIBUTIONS
from self_hosted.assemblyline.api.lists import entry_path, list_entry, list_entry_if_any
from self_hosted.assemblyline.api.selection import check_classification
from self_hosted.assemblyline.api.sources import HASHES
from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.lost_answers import looked_for

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def enable_in_list(list_name: str, id_: str, enabled: bool) -> Flow[bool]:
    """Switch an entry on or off: whether that changed anything. One that is off stays on the list without effect.

    ``PUT /api/v4/badlist/enable/<id>/``

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    :param enabled: whether it is to have effect
    :raises NotFound: when it is not on the list
    """
    if (yield from list_entry(list_name, id_))["enabled"] == enabled:
        return False
    yield from _changed(Request("PUT", entry_path(list_name, id_, "enable"), json=enabled, repeatable=True), id_)
    return True


def expire_in_list(list_name: str, id_: str, expiry: str | None) -> Flow[None]:
    """Set when an entry leaves the list by itself.

    ``PUT /api/v4/badlist/expiry/<id>/``, or ``DELETE`` for never

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    :param expiry: a moment such as 2027-01-31T12:00:00.000000Z, or None for never
    :raises ValueError: for what the server could not read
    :raises NotFound: when it is not on the list
    """
    path = entry_path(list_name, id_, "expiry")
    if expiry is None:
        yield from _changed(Request("DELETE", path, repeatable=True), id_)
    elif not MOMENT.fullmatch(expiry):
        raise ValueError(f"expiry must be like 2027-01-31T12:00:00.000000Z, not {expiry!r}")
    else:
        yield from _changed(Request("PUT", path, json=expiry, repeatable=True), id_)


def classify_in_list(list_name: str, id_: str, source: str, source_type: str, classification: str) -> Flow[None]:
    """Classify what a source says; the entry gets the highest classification of its sources.

    ``PUT /api/v4/badlist/classification/<id>/<source>/<type>/``

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    :param source: its name
    :param source_type: "user" or "external"
    :param classification: such as "TLP:C"
    :raises ValueError: for another than the server would store
    :raises NotFound: when there is no such entry or source
    :raises Forbidden: for sources that are not the user's own, without the role administration
    """
    path = entry_path(list_name, id_, "classification", source, source_type)
    yield from check_classification(classification, "classification")
    yield from asked(Request("PUT", path, json=classification, repeatable=True))


def remove_source_from_list(list_name: str, id_: str, source: str, source_type: str) -> Flow[None]:
    """Take a source off an entry, which must have others: the last one goes with the entry.

    ``DELETE /api/v4/badlist/source/<id>/<source>/<type>/``

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    :param source: its name
    :param source_type: "user" or "external"
    :raises NotFound: when there is no such entry or source
    :raises Forbidden: for the last source, and for those that are not the user's own, without the role administration
    """
    try:
        yield from asked(Request("DELETE", entry_path(list_name, id_, "source", source, source_type)))
    except Uncertain:
        if not (yield from looked_for(partial(_is_without, list_name, id_, source, source_type))):
            raise


def _is_without(list_name: str, id_: str, source: str, source_type: str) -> Flow[bool | None]:
    entry = yield from list_entry_if_any(list_name, id_)
    there = [(one["name"], one["type"]) for one in (entry or {}).get("sources", [])]
    return None if (source, source_type) in there else True


def attribute_in_badlist(id_: str, kind: str, value: str, *, remove: bool = False) -> Flow[bool]:
    """Say whom an entry of the badlist is attributed to, or no longer: whether that changed anything.

    ``PUT /api/v4/badlist/attribution/<id>/<kind>/<value>/``, or ``DELETE``

    :param id_: as for `list_entry`
    :param kind: actor, campaign, category, exploit, implant, family or network
    :param value: a name, kept in upper case
    :param remove: whether it is to be taken away
    :raises ValueError: for a kind that there is not
    :raises NotFound: when it is not on the badlist
    """
    if kind not in ATTRIBUTIONS:
        raise ValueError(f"kind must be one of {', '.join(ATTRIBUTIONS)}, not {kind!r}")
    value = value.upper()  # in another case the server adds it a second time, and does not find it to take it away
    there = ((yield from list_entry("badlist", id_)).get("attribution") or {}).get(kind) or []
    if (value in there) is not remove:
        return False  # and where there is none of a kind, the server would fail to take one away
    path = entry_path("badlist", id_, "attribution", kind, value)
    yield from _changed(Request("DELETE" if remove else "PUT", path, repeatable=True), id_)
    return True


def similar_in_badlist(value: str) -> Flow[list[dict[str, Any]]]:
    """Entries of the badlist for files that resemble one.

    ``GET /api/v4/badlist/ssdeep/<hash>/`` or ``GET /api/v4/badlist/tlsh/<hash>/``

    :param value: the file's ssdeep or TLSH
    :raises ValueError: when it is neither
    """
    for kind, found in (("ssdeep", value), ("tlsh", value.upper())):
        if re.fullmatch(HASHES[kind], found):
            return (yield from asked(Request("GET", f"{API}{url_path('badlist', kind, found)}/")))  # type: ignore[no-any-return]
    raise ValueError(f"{value!r} is neither an ssdeep nor a TLSH")


def _changed(request: Request, id_: str) -> Flow[None]:
    """Send a change, and take the server's "no success" for what it means."""
    if not (yield from asked(request))["success"]:
        raise NotFound(f"there is no entry {id_}", method=request.method, path=request.path)
