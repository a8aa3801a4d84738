"""Bundles: a submission with its files and results in one file, to transfer it to another server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypedDict

from self_hosted.assemblyline.api import recovery, server, services
from self_hosted.assemblyline.api.files import downloads
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.errors import API_PATH, Success, call
from self_hosted.core.http.errors import ConflictError, NotFoundError, NotReadyError, OutcomeUnknownError
from self_hosted.core.http.flow import Flow, Request, SaveTo, Upload, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)


class Import(TypedDict):
    """The effect of an import.

    :param sid: id of the submission in the bundle
    :param imported: whether the submission was imported; False if it existed already
    """

    sid: str
    imported: bool


def export_to(sid: str, save_to: SaveTo, *, use_alert: bool = False, max_size: int | None = None) -> Flow[None]:
    """Write a bundle to a file, in chunks. It holds no results of services that are still running.

    ``GET /api/v4/bundle/<sid>/``

    :param sid: id of the submission, or of an alert
    :param save_to: opens the target for writing; called once per attempt
    :param use_alert: whether the id is that of an alert; the bundle then holds the alert and its submission
    :param max_size: maximum size of the bundle, in bytes; None = no limit
    :raises PermissionDeniedError: also if the submission or the alert does not exist
    :raises ServerError: if the response is no bundle, or is larger
    """
    query = {"use_alert": True} if use_alert else {}
    verified = downloads.verify_content(save_to, "cart", sid)
    path = f"{API_PATH}{url_path('bundle', sid)}/"
    yield Request("GET", path, query, save_to=verified, max_size=max_size, long_running=True)
    log.info("%s %s: wrote its bundle", "Alert" if use_alert else "Submission", sid)


def import_from(
    bundle: Upload,
    sid: str,
    *,
    exist_ok: bool = False,
    allow_incomplete: bool = False,
    rescan_services: Sequence[str] = (),
    min_classification: str | None = None,
    to_ingest: bool = False,
) -> Flow[Import]:
    """Import a bundle, exactly once. The submission keeps its id, by which it is looked for before and after.

    ``POST /api/v4/bundle/``

    :param bundle: the file, as it was exported
    :param sid: id of the submission in it, see `carts.read_bundle_sid`
    :param exist_ok: whether the submission may exist already; an alert in the bundle is imported all the same
    :param allow_incomplete: whether to accept a bundle without some files or results
    :param rescan_services: services, or categories, that analyse the files again
    :param min_classification: replaces lower classifications
    :param to_ingest: whether the ingester starts the rescan
    :return: `Import`
    :raises ValueError: for services and classifications that the server does not know and would drop
    :raises ConflictError: if the submission exists already
    :raises InvalidRequestError: if the server cannot read the bundle, or it is incomplete
    :raises OutcomeUnknownError: if the response was lost and the submission does not exist, or existed before
    :raises NotReadyError: if the submission is marked for deletion, so that the server would regard it as existing
    """
    existed = yield from _is_present(sid)
    if existed and not exist_ok:
        raise ConflictError(f"submission {sid} exists already; to accept this, set exist_ok")
    yield from _check_services(rescan_services)
    if min_classification:
        yield from server.check_classification(min_classification, "min_classification")
    query = {
        "exist_ok": True,  # the check above replaces it, so that the request can be repeated
        "allow_incomplete": allow_incomplete or None,
        "rescan_services": ",".join(rescan_services) or None,
        "min_classification": min_classification,
        "to_ingest": to_ingest or None,  # the server reads any text as true
    }
    # of two imports with a rescan, both rescan; an existing submission is never rescanned
    idempotent = existed or not rescan_services
    path = f"{API_PATH}/bundle/"
    try:
        request = Request("POST", path, query, body=bundle, long_running=True, idempotent=idempotent)
        yield from call(request, Success)
    except OutcomeUnknownError as lost:
        find = partial(submissions.get_if_present, sid)
        if existed or not (yield from poll_for_effect(find, recovery.RECHECK_DELAYS_SECONDS, lost)):
            raise
    log.info("Submission %s: %s", sid, "the bundle was sent, it existed already" if existed else "imported the bundle")
    return {"sid": sid, "imported": not existed}


def _check_services(names: Sequence[str]) -> Flow[None]:
    known = (yield from services.list_all()) if names else []
    valid = {service["name"] for service in known} | {service["category"] for service in known}
    unknown = sorted(set(names) - valid)
    if unknown:
        raise ValueError(f"rescan_services: unknown {', '.join(unknown)}; this server has {', '.join(sorted(valid))}")


def _is_present(sid: str) -> Flow[bool]:
    try:
        document = yield from submissions.get(sid)
    except NotFoundError:
        return False
    if submissions.is_marked_deleted(document):
        raise NotReadyError(f"submission {sid} is marked for deletion; import the bundle after it is deleted")
    return True
