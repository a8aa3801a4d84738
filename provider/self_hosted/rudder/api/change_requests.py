"""Change requests: changes that wait for approval when the plugin change-validation is enabled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from self_hosted.core.http.errors import OutcomeUnknownError, PermanentError, SelfHostedError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.rudder.api.ids import check_change_request_id, check_object_id, check_optional_text
from self_hosted.rudder.api.shapes import ChangeRequest
from self_hosted.rudder.errors import NotOfferedError, clean_texts, is_empty_success, unwrap_first, unwrap_list

log = get_logger(__name__)

DEPLOYED, CANCELLED = "Deployed", "Cancelled"


def get(change_request_id: int | str) -> Flow[ChangeRequest]:
    """Return one change request (``GET /changeRequests/{id}``).

    :param change_request_id: its number
    :return: Rudder's JSON; its ``status`` is "Pending validation", "Pending deployment", "Deployed" or "Cancelled"
    :raises NotFoundError: if there is no such request
    """
    reply = yield Request("GET", _path(change_request_id))
    return _read(reply, unwrap_first(reply, "changeRequests", ChangeRequest))


def list_all(status: str = "open", rule_id: str | None = None) -> Flow[list[ChangeRequest]]:
    """Return all change requests, or those for one rule (``GET /changeRequests``).

    :param status: "open", "closed", "all", or one status such as "Deployed"
    :param rule_id: only requests that change this rule and nothing else; None = all
    :return: Rudder's JSON of each, with integer ids
    :raises NotOfferedError: without the plugin change-validation, or if validation is disabled
    """
    if rule_id is not None:
        check_object_id("rule_id", rule_id)
    query = {"status": status, "ruleId": rule_id}
    reply = yield Request("GET", "/changeRequests", query=query)
    return [_read(reply, request) for request in unwrap_list(reply, None, ChangeRequest)]


def accept(change_request_id: int | str, status: str = DEPLOYED, *, reason: str | None = None) -> Flow[ChangeRequest]:
    """Accept a change request, exactly once (``POST /changeRequests/{id}/accept``).

    Public API tokens have no role in the workflow: use the personal token of a validator and deployer.

    :param change_request_id: its number
    :param status: "Deployed", or "Pending deployment" to validate it only
    :param reason: kept in Rudder's event log
    :return: Rudder's JSON of the request after the decision
    :raises PermissionDeniedError: if the account lacks the role, or is the author of the request
    :raises ConflictError: if the step is not possible, as for a request that is already deployed or cancelled
    """
    check_optional_text("reason", reason)
    # Rudder reads the status from the query only
    request = Request("POST", _path(change_request_id) + "/accept", query={"status": status, "reason": reason})
    decided = yield from _decide_once(request, change_request_id, status)
    log.info("Change request %s: accepted, its status is %s", change_request_id, decided["status"])
    return decided


def decline(change_request_id: int | str, *, reason: str | None = None) -> Flow[ChangeRequest]:
    """Decline a change request, exactly once (``DELETE /changeRequests/{id}``).

    :param change_request_id: its number
    :param reason: kept in Rudder's event log
    :return: Rudder's JSON of the request after the decision
    :raises ConflictError: if it cannot be declined; Rudder gives the same text for "too late" and "not allowed"
    """
    check_optional_text("reason", reason)
    request = Request("DELETE", _path(change_request_id), query={"reason": reason})
    decided = yield from _decide_once(request, change_request_id, CANCELLED)
    log.info("Change request %s: declined, its status is %s", change_request_id, decided["status"])
    return decided


class Own(NamedTuple):
    """The change requests that carry an idempotency key.

    :param current: those with the desired values, in the order in which one of them counts: open ones before closed
        ones, the oldest first. There are several if a server continued a write whose response was lost, and the write
        was sent again
    :param outdated: open ones with other values, from an earlier attempt that had other values
    """

    current: list[ChangeRequest]
    outdated: list[ChangeRequest]


def list_own(idempotency_key: str, rule_id: str, fingerprint: str) -> Flow[Own]:
    """Return the change requests of a rule that carry an idempotency key, in any status.

    :param idempotency_key: see `sign_description`
    :param rule_id: the rule
    :param fingerprint: of the desired values
    """
    try:
        requests = yield from list_all("all", rule_id)
    except NotOfferedError:  # then changes never wait for approval
        return Own([], [])
    mark, signature = _signature(idempotency_key, ""), _signature(idempotency_key, fingerprint)
    own = Own([], [])
    for request in sorted(requests, key=_rank):
        lines = (request.get("description") or "").splitlines()
        if signature in lines:
            own.current.append(request)
        elif is_open(request) and any(line.startswith(mark) for line in lines):
            own.outdated.append(request)
    return own


def is_open(request: ChangeRequest) -> bool:
    """Return whether a change request waits for a decision.

    :param request: Rudder's JSON
    """
    return request["status"] not in {DEPLOYED, CANCELLED}


def decline_all(superseded: Sequence[ChangeRequest], effective: int | None) -> Flow[list[int]]:
    """Decline open change requests that another one replaces, as far as the account may.

    :param superseded: the change requests
    :param effective: number of the one that replaces them; None if the change was applied at once
    :return: the numbers of those that stay open
    """
    by = "a change that was applied at once" if effective is None else f"change request {effective}"
    still_open = []
    for request in filter(is_open, superseded):
        log.warning("Change request %s: replaced by %s; declining it", request["id"], by)
        try:
            yield from decline(request["id"], reason=f"replaced by {by} of the same task")
        except SelfHostedError as error:  # the change itself is done; declining others is only cleanup
            log.warning("Change request %s: it could not be declined: %s", request["id"], error)
            still_open.append(request["id"])
    return still_open


def sign_description(description: str | None, idempotency_key: str, fingerprint: str) -> str:
    """Return the description with a last line by which `list_own` recognizes the request and its content.

    :param description: text for people, or None
    :param idempotency_key: identifies the write; the same on every retry
    :param fingerprint: of the desired values: Rudder does not show all values of a change request
    """
    signature = _signature(idempotency_key, fingerprint)
    return f"{description}\n\n{signature}" if description else signature


def page_url(base_url: str, change_request_id: int | str) -> str:
    """Return the page of a change request in Rudder's web interface.

    :param base_url: the connection's base URL
    :param change_request_id: its number
    """
    return base_url + url_path("secure", "configurationManager", "changes", "changeRequest", change_request_id)


def _rank(request: ChangeRequest) -> tuple[int, int]:
    return [is_open(request), request["status"] == DEPLOYED, True].index(True), request["id"]


def _decide_once(request: Request, change_request_id: int | str, status: str) -> Flow[ChangeRequest]:
    """Send a decision; after a lost response, look for its effect before it is sent again."""

    def find_decision() -> Flow[ChangeRequest | None]:
        found = yield from get(change_request_id)
        return found if found["status"].lower() == status.lower() else None

    def read(reply: Reply) -> Flow[ChangeRequest]:
        if is_empty_success(reply):
            return (yield from get(change_request_id))
        return _read(reply, unwrap_first(reply, "changeRequests", ChangeRequest))

    try:
        return (yield from read((yield request)))
    except OutcomeUnknownError as lost:
        decided = yield from poll_for_effect(find_decision, lost=lost)
    if decided is not None:
        return decided
    try:
        return (yield from read((yield request)))
    except PermanentError:  # expected if the first request was carried out after all
        decided = yield from find_decision()
        if decided is None:
            raise
        return decided


def _read(reply: Reply, request: ChangeRequest) -> ChangeRequest:
    return clean_texts(reply, request, ("status",))


def _path(change_request_id: int | str) -> str:
    return url_path("changeRequests", check_change_request_id("change_request_id", change_request_id))


def _signature(idempotency_key: str, fingerprint: str) -> str:
    return f"airflow: {idempotency_key} {fingerprint}"
