"""The status of signatures, which decides whether a service uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from self_hosted.assemblyline.api.signatures import signatures
from self_hosted.assemblyline.errors import API_PATH, Success, call
from self_hosted.core.arguments import check_ids, parse_choice
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

ACTIVE_STATUSES, DRAFT_STATUSES = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
"""The statuses that users set: those of rules in use, and those of rules in development."""

STATUSES = (*ACTIVE_STATUSES, *DRAFT_STATUSES)
SHARED_STATUSES = ("DISABLED", "TESTING")
"""The statuses that several signatures with the same own id may have."""


class UpdatedSignature(TypedDict):
    """A signature after a change of its status.

    :param id: id of the signature
    :param status: new status
    :param before: old status
    """

    id: str
    status: str
    before: str


class UpdatedStatuses(TypedDict):
    """The effect of setting the status of many signatures: ids.

    :param changed: those that had another status
    :param unchanged: those that had this status
    """

    changed: list[str]
    unchanged: list[str]


def set_status(signature_id: str, status: str) -> Flow[UpdatedSignature]:
    """Set the status of a signature. Nothing is sent if it has this status.

    Other signatures with the same own id and this status become DISABLED, unless the status is DISABLED or TESTING.

    ``GET /api/v4/signature/change_status/<signature_id>/<status>/``; requires the role signature_manage. The server
    answers invalid changes with HTTP 500, so they are checked first.

    :param signature_id: id of the signature
    :param status: DEPLOYED, NOISY, DISABLED, STAGING or TESTING
    :return: `UpdatedSignature`
    :raises NotFoundError: if the signature does not exist
    :raises ValueError: if the status is unknown, or cannot follow the present one
    """
    signatures.check_id("signature_id", signature_id)
    parse_choice("status", status, STATUSES)
    before = (yield from signatures.get(signature_id))["status"]
    _check_next(signature_id, before, status)
    if before != status:
        yield from _send_status(signature_id, before, status)
    return {"id": signature_id, "status": status, "before": before}


def set_statuses(signature_ids: Sequence[str], status: str) -> Flow[UpdatedStatuses]:
    """Set the status of many signatures. All of them are checked before the first one changes.

    See `set_status`.

    :param signature_ids: ids of the signatures
    :param status: DEPLOYED, NOISY, DISABLED, STAGING or TESTING
    :return: `UpdatedStatuses`
    :raises NotFoundError: if a signature does not exist
    :raises ValueError: if the status is unknown, or cannot follow that of a signature; and for two signatures with the
        same own id, one of which the server would disable
    """
    unique = list(dict.fromkeys(check_ids("signature_ids", signature_ids, signatures.check_id)))
    parse_choice("status", status, STATUSES)
    before: dict[str, dict[str, Any]] = {}
    for signature_id in unique:
        before[signature_id] = yield from signatures.get(signature_id)
        _check_next(signature_id, before[signature_id]["status"], status)
    if status not in SHARED_STATUSES:
        _check_own_ids({id_: str(found.get("signature_id") or id_) for id_, found in before.items()}, status)
    changed = [id_ for id_ in unique if before[id_]["status"] != status]
    for signature_id in changed:
        yield from _send_status(signature_id, before[signature_id]["status"], status)
    return {"changed": changed, "unchanged": [id_ for id_ in unique if id_ not in changed]}


def _send_status(signature_id: str, before: str, status: str) -> Flow[None]:
    path = f"{API_PATH}{url_path('signature', 'change_status', signature_id, status)}/"
    request = Request("GET", path, idempotent=True)
    signatures.require_success((yield from call(request, Success)), request)
    log.info("Signature %s: status %s -> %s", signature_id, before, status)


def _check_next(signature_id: str, before: str, status: str) -> None:
    groups = {"INVALID": DRAFT_STATUSES, **dict.fromkeys(ACTIVE_STATUSES, ACTIVE_STATUSES)}
    valid = groups.get(before, STATUSES)
    if status not in valid:
        raise ValueError(f"status: {signature_id} is {before} and can only become {' or '.join(valid)}, not {status}")


def _check_own_ids(own_ids: dict[str, str], status: str) -> None:
    first: dict[str, str] = {}
    for signature_id, own_id in own_ids.items():
        other = first.setdefault(own_id, signature_id)
        if other != signature_id:
            raise ValueError(f"signature_ids: {other} and {signature_id} have the same id; only one can be {status}")
