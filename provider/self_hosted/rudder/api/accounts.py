"""Whose token it is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from self_hosted.core.errors import Forbidden, Invalid, NotFound, ProductError
from self_hosted.core.flow import Flow, Request
from self_hosted.rudder.api.answers import NotOffered, first, unwrapped

PROOFS = ("/info", "/system/status", "/rules")


def current_account() -> Flow[dict[str, Any]]:
    """The API account of the token in use (``GET /apiaccounts/token``, from API version 22 on).

    :return: the account as Rudder shows it: ``id``, ``name``, ``authorizationType``, ``expirationPolicy``, ...
    :raises Forbidden: when the token is good, but may not read its account
    :raises ProductError: before version 22
    """
    return first((yield Request("GET", "/apiaccounts/token")), "accounts")


def proven_token() -> Flow[dict[str, Any] | None]:
    """Prove that the token is accepted.

    :return: its account; None when Rudder accepts the token, but doesn't say whose it is
    :raises LoginRefused: when the token is not accepted
    :raises NotOffered: when nothing is found below the base URL
    """
    missing: ProductError
    try:
        return (yield from current_account())
    except Forbidden:
        return None
    except (NotFound, Invalid) as problem:  # before version 22
        missing = problem
    for path in PROOFS:
        try:
            with suppress(Forbidden):  # accepted, only without this right
                unwrapped((yield Request("GET", path)))  # no page of something else
            return None
        except NotOffered as problem:
            missing = problem
    raise missing
