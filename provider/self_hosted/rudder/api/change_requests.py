"""Change requests: what waits for somebody's approval when the plugin change-validation is on."""

from __future__ import annotations

from typing import Any

from self_hosted.core.errors import Final, ProductError, Uncertain
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.lost_answers import looked_for
from self_hosted.rudder.api.answers import NotOffered, first, unwrapped

DEPLOYED, CANCELLED = "Deployed", "Cancelled"


def change_requests(status: str = "open", rule_id: str | None = None) -> Flow[list[dict[str, Any]]]:
    """All change requests, or those about one rule (``GET /changeRequests``).

    :param status: "open", "closed", "all", or one status such as "Deployed"
    :param rule_id: only those that change this rule and nothing else
    :return: the requests as Rudder shows them, with int ids
    :raises NotOffered: without the plugin change-validation, or when validation is switched off
    """
    requests: list[dict[str, Any]] = unwrapped(
        (yield Request("GET", "/changeRequests", query={"status": status, "ruleId": rule_id}))
    )
    return requests


def change_request(change_request_id: int | str) -> Flow[dict[str, Any]]:
    """One change request (``GET /changeRequests/{id}``).

    :param change_request_id: its number
    :return: the request as Rudder shows it; its ``status`` is "Pending validation", "Pending deployment", "Deployed" or
        "Cancelled"
    :raises NotFound: when there is no such request
    """
    return first((yield Request("GET", _path(change_request_id))), "changeRequests")


def accept_change_request(
    change_request_id: int | str, status: str = DEPLOYED, *, reason: str | None = None
) -> Flow[dict[str, Any]]:
    """Accept a change request (``POST /changeRequests/{id}/accept``).

    Public API tokens have no role in the workflow: take the personal token of a validator and deployer.

    :param change_request_id: its number
    :param status: "Deployed", or "Pending deployment" to validate it only
    :param reason: kept in Rudder's event log
    :return: the request as it is now
    :raises Forbidden: when the account may not, which may be since it is the author
    :raises Conflict: when the step is not open, as for a request that was deployed or cancelled before
    """
    # Rudder reads the status from the query only
    accept = Request("POST", _path(change_request_id) + "/accept", query={"status": status, "reason": reason})
    return (yield from _decided(accept, change_request_id, status))


def decline_change_request(change_request_id: int | str, *, reason: str | None = None) -> Flow[dict[str, Any]]:
    """Decline a change request (``DELETE /changeRequests/{id}``).

    :param change_request_id: its number
    :param reason: kept in Rudder's event log
    :return: the request as it is now
    :raises Conflict: when it cannot be declined, for which Rudder gives one text, whether it is too late or not allowed
    """
    decline = Request("DELETE", _path(change_request_id), query={"reason": reason})
    return (yield from _decided(decline, change_request_id, CANCELLED))


def own_change_requests(mark: str, rule_id: str) -> Flow[list[dict[str, Any]]]:
    """The change requests of a rule that carry a mark, in whatever state: the one that counts comes first.

    There are several when a server went on working on a write whose answer was given up, and the write was sent again.
    The oldest counts, unless it was declined.

    :param mark: see `described`
    :param rule_id: the rule
    """
    try:
        requests = yield from change_requests("all", rule_id)
    except NotOffered:  # so nothing is ever pending
        return []
    marked = [found for found in requests if _signature(mark) in found.get("description", "").splitlines()]
    return sorted(marked, key=lambda found: (found["status"] == CANCELLED, int(found["id"])))


def decline_duplicates(own: list[dict[str, Any]]) -> Flow[list[int]]:
    """Decline all but the one that counts, as far as the account may.

    :param own: as `own_change_requests` returns them
    :return: the numbers of those that stay open
    """
    left = []
    for duplicate in own[1:]:
        if duplicate["status"] not in {DEPLOYED, CANCELLED}:
            reason = f"the same as change request {own[0]['id']}, sent again when its answer was lost"
            try:
                yield from decline_change_request(duplicate["id"], reason=reason)
            except ProductError:  # what was asked for is done; this is for tidiness
                left.append(int(duplicate["id"]))
    return left


def described(description: str | None, mark: str) -> str:
    """A change request's description with a last line by which its author recognises it.

    :param description: what people read, or None
    :param mark: words that stand for the author's piece of work
    """
    return f"{description}\n\n{_signature(mark)}" if description else _signature(mark)


def change_request_page(base_url: str, change_request_id: int | str) -> str:
    """Where Rudder's web interface shows a change request.

    :param base_url: the connection's base URL
    :param change_request_id: its number
    """
    return base_url + url_path("secure", "configurationManager", "changes", "changeRequest", change_request_id)


def _decided(request: Request, change_request_id: int | str, status: str) -> Flow[dict[str, Any]]:
    """Send a decision once: when its answer is lost, look whether it arrived."""

    def arrived() -> Flow[dict[str, Any] | None]:
        found = yield from change_request(change_request_id)
        return found if found["status"].lower() == status.lower() else None

    try:
        return first((yield request), "changeRequests")
    except Uncertain:
        found = yield from looked_for(arrived)
    if found is not None:
        return found
    try:
        return first((yield request), "changeRequests")
    except Final:  # as it must be, if the first was carried out at last
        found = yield from arrived()
        if found is None:
            raise
        return found


def _path(change_request_id: int | str) -> str:
    return url_path("changeRequests", change_request_id)


def _signature(mark: str) -> str:
    return f"airflow: {mark}"
