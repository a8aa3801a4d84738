"""Policies: what Rudder generates from rules and directives, and its nodes download."""

from __future__ import annotations

from typing import TypedDict

from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import check_shape
from self_hosted.rudder.errors import is_empty_success, unwrap

log = get_logger(__name__)

PATH, STARTED = "/system/update/policies", "Started"


class PolicyUpdate(TypedDict):
    """A started update of policies.

    :param status: "Started"
    """

    status: str


def start_update() -> Flow[PolicyUpdate]:
    """Start the generation of changed policies (``POST /system/update/policies``).

    The server generates asynchronously. A second request has no further effect, so that a lost response is repeated.

    :return: `PolicyUpdate`
    :raises PermissionDeniedError: if the account may not write techniques
    :raises ServerError: if the response is malformed
    """
    reply = yield Request("POST", PATH, idempotent=True)
    log.info("Policies: started their generation")
    if is_empty_success(reply):
        return PolicyUpdate(status=STARTED)
    return PolicyUpdate(status=reply.clean(check_shape(reply, unwrap(reply, "policies"), str, "policies")))
