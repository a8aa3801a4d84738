"""Change requests: changes that wait for approval when the plugin change-validation is enabled."""

from __future__ import annotations

from typing import Any

from self_hosted.core.http.errors import OutcomeUnknownError, PermanentError, SelfHostedError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.rudder.errors import NotOfferedError, unwrap, unwrap_first

DEPLOYED, CANCELLED = "Deployed", "Cancelled"


def get(change_request_id: int | str) -> Flow[dict[str, Any]]:
    """Return one change request (``GET /changeRequests/{id}``).

    :param change_request_id: its number
    :return: Rudder's JSON; its ``status`` is "Pending validation", "Pending deployment", "Deployed" or "Cancelled"
    :raises NotFoundError: if there is no such request
    """
    return unwrap_first((yield Request("GET", _path(change_request_id))), "changeRequests")


def list_all(status: str = "open", rule_id: str | None = None) -> Flow[list[dict[str, Any]]]:
    """Return all change requests, or those for one rule (``GET /changeRequests``).

    :param status: "open", "closed", "all", or one status such as "Deployed"
    :param rule_id: only requests that change this rule and nothing else; None = all
    :return: Rudder's JSON of each, with integer ids
    :raises NotOfferedError: without the plugin change-validation, or if validation is disabled
    """
    query = {"status": status, "ruleId": rule_id}
    requests: list[dict[str, Any]] = unwrap((yield Request("GET", "/changeRequests", query=query)))
    return requests


def accept(change_request_id: int | str, status: str = DEPLOYED, *, reason: str | None = None) -> Flow[dict[str, Any]]:
    """Accept a change request, exactly once (``POST /changeRequests/{id}/accept``).

    Public API tokens have no role in the workflow: use the personal token of a validator and deployer.

    :param change_request_id: its number
    :param status: "Deployed", or "Pending deployment" to validate it only
    :param reason: kept in Rudder's event log
    :return: Rudder's JSON of the request after the decision
    :raises PermissionDeniedError: if the account lacks the role, or is the author of the request
    :raises ConflictError: if the step is not possible, as for a request that is already deployed or cancelled
    """
    # Rudder reads the status from the query only
    request = Request("POST", _path(change_request_id) + "/accept", query={"status": status, "reason": reason})
    return (yield from _decide_once(request, change_request_id, status))


def decline(change_request_id: int | str, *, reason: str | None = None) -> Flow[dict[str, Any]]:
    """Decline a change request, exactly once (``DELETE /changeRequests/{id}``).

    :param change_request_id: its number
    :param reason: kept in Rudder's event log
    :return: Rudder's JSON of the request after the decision
    :raises ConflictError: if it cannot be declined; Rudder gives the same text for "too late" and "not allowed"
    """
    request = Request("DELETE", _path(change_request_id), query={"reason": reason})
    return (yield from _decide_once(request, change_request_id, CANCELLED))


def list_own(idempotency_key: str, rule_id: str) -> Flow[list[dict[str, Any]]]:
    """Return the change requests of a rule that carry an idempotency key, in any status: the effective one comes first.

    There are several if a server continued a write whose response was lost, and the write was sent again. The oldest is
    effective, unless it was declined.

    :param idempotency_key: see `sign_description`
    :param rule_id: the rule
    """
    try:
        requests = yield from list_all("all", rule_id)
    except NotOfferedError:  # then changes never wait for approval
        return []
    signature = _signature(idempotency_key)
    own = [request for request in requests if signature in request.get("description", "").splitlines()]
    return sorted(own, key=lambda request: (request["status"] == CANCELLED, int(request["id"])))


def decline_duplicates(own: list[dict[str, Any]]) -> Flow[list[int]]:
    """Decline all change requests but the effective one, as far as the account may.

    :param own: the result of `list_own`
    :return: the numbers of the duplicates that stay open
    """
    still_open = []
    for duplicate in own[1:]:
        if duplicate["status"] not in {DEPLOYED, CANCELLED}:
            reason = f"duplicate of change request {own[0]['id']}, sent again after a lost response"
            try:
                yield from decline(duplicate["id"], reason=reason)
            except SelfHostedError:  # the change itself is done; declining duplicates is only cleanup
                still_open.append(int(duplicate["id"]))
    return still_open


def sign_description(description: str | None, idempotency_key: str) -> str:
    """Return the description with a last line by which `list_own` recognizes the request.

    :param description: text for people, or None
    :param idempotency_key: identifies the write; the same on every retry
    """
    signature = _signature(idempotency_key)
    return f"{description}\n\n{signature}" if description else signature


def page_url(base_url: str, change_request_id: int | str) -> str:
    """Return the page of a change request in Rudder's web interface.

    :param base_url: the connection's base URL
    :param change_request_id: its number
    """
    return base_url + url_path("secure", "configurationManager", "changes", "changeRequest", change_request_id)


def _decide_once(request: Request, change_request_id: int | str, status: str) -> Flow[dict[str, Any]]:
    """Send a decision; after a lost response, look for its effect before it is sent again."""

    def find_decision() -> Flow[dict[str, Any] | None]:
        found = yield from get(change_request_id)
        return found if found["status"].lower() == status.lower() else None

    try:
        return unwrap_first((yield request), "changeRequests")
    except OutcomeUnknownError:
        decided = yield from poll_for_effect(find_decision)
    if decided is not None:
        return decided
    try:
        return unwrap_first((yield request), "changeRequests")
    except PermanentError:  # expected if the first request was carried out after all
        decided = yield from find_decision()
        if decided is None:
            raise
        return decided


def _path(change_request_id: int | str) -> str:
    return url_path("changeRequests", change_request_id)


def _signature(idempotency_key: str) -> str:
    return f"airflow: {idempotency_key}"
