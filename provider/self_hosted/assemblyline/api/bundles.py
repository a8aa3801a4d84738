"""Bundles: a submission with its files and results in one file, to take it to another server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.downloads import checked_download
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.selection import check_classification
from self_hosted.assemblyline.api.services import services
from self_hosted.assemblyline.api.submissions import is_ghost, submission, submission_if_any
from self_hosted.assemblyline.api.tagging import LOOKS
from self_hosted.core.errors import Conflict, NotFound, Overdue, Uncertain
from self_hosted.core.flow import Flow, Request, SaveTo, Upload, url_path
from self_hosted.core.lost_answers import looked_for


def export_bundle(sid: str, save_to: SaveTo, *, use_alert: bool = False) -> Flow[None]:
    """Write a bundle to a file, piece by piece. What is not analysed yet is not in it.

    ``GET /api/v4/bundle/<sid>/``

    :param sid: the submission's id, or that of an alert
    :param save_to: opens the file that the bundle is written to; called anew for each attempt
    :param use_alert: whether the id is that of an alert, which is put into the bundle with its submission
    :raises Forbidden: also when there is no such submission or alert
    :raises Broken: when something else than a bundle came
    """
    query = {"use_alert": True} if use_alert else {}
    save_cart = checked_download(save_to, "cart", sid)
    yield Request("GET", f"{API}{url_path('bundle', sid)}/", query, save_to=save_cart, slow=True)


def import_bundle(
    bundle: Upload,
    sid: str,
    *,
    exist_ok: bool = False,
    allow_incomplete: bool = False,
    rescan_services: Sequence[str] = (),
    min_classification: str | None = None,
    to_ingest: bool = False,
) -> Flow[dict[str, Any]]:
    """Import a bundle: {sid, imported}, where ``imported`` is false when the submission was there already.

    Its submission keeps its id, so that it is looked for before and after: nothing is imported twice.

    ``POST /api/v4/bundle/``

    :param bundle: the file, as it was exported
    :param sid: id of the submission in it, see `bundle_sid`
    :param exist_ok: whether it is fine that the submission is there already; an alert that comes with it is still taken
    :param allow_incomplete: whether to take a bundle that lacks files or results
    :param rescan_services: services, or categories of them, that look at its files anew
    :param min_classification: what is classified lower gets this classification
    :param to_ingest: whether a rescan goes through the ingester
    :raises ValueError: for services and classifications that the server does not have, and would leave out
    :raises Conflict: when the submission is there already
    :raises Invalid: when the server cannot read the bundle, or it is incomplete
    :raises Uncertain: when the answer was lost and there is no submission, or it was there before
    :raises Overdue: when the submission is about to be deleted, so that the server would take it for present
    """
    before = yield from _present(sid)
    if before and not exist_ok:
        raise Conflict(f"submission {sid} is there already")
    yield from _check_services(rescan_services)
    if min_classification:
        yield from check_classification(min_classification, "min_classification")
    query = {
        "exist_ok": True,  # its absence was seen to; so the request can be repeated
        "allow_incomplete": allow_incomplete or None,
        "rescan_services": ",".join(rescan_services) or None,
        "min_classification": min_classification,
        "to_ingest": to_ingest or None,  # the server takes any text for a yes
    }
    # of two rescans at once both would be done; of what is there none is
    once = bool(rescan_services) and not before
    try:
        yield from asked(Request("POST", f"{API}/bundle/", query, body=bundle, slow=True, repeatable=not once))
    except Uncertain:
        if before or not (yield from looked_for(partial(submission_if_any, sid), LOOKS)):
            raise
    return {"sid": sid, "imported": not before}


def _check_services(names: Sequence[str]) -> Flow[None]:
    known = (yield from services()) if names else []
    unknown = sorted(set(names) - {one["name"] for one in known} - {one["category"] for one in known})
    if unknown:
        raise ValueError(f"rescan_services: this server has no {', '.join(unknown)}")


def _present(sid: str) -> Flow[bool]:
    try:
        found = yield from submission(sid)
    except NotFound:
        return False
    if is_ghost(found):
        raise Overdue(f"submission {sid} is about to be deleted; until it is, a bundle of it is not imported")
    return True
