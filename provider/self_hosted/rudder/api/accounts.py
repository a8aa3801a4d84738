"""API accounts: the account that a token belongs to."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, SelfHostedError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.rudder.errors import NotOfferedError, unwrap, unwrap_first

PATHS_OF_ALL_VERSIONS = ("/info", "/system/status", "/rules")


def get_current() -> Flow[dict[str, Any]]:
    """Return the API account of the token in use (``GET /apiaccounts/token``, since API version 22).

    :return: Rudder's JSON: ``id``, ``name``, ``authorizationType``, ``expirationPolicy``, ...
    :raises PermissionDeniedError: if the token is valid, but may not read its account
    :raises SelfHostedError: before API version 22
    """
    return unwrap_first((yield Request("GET", "/apiaccounts/token")), "accounts")


def verify_token() -> Flow[dict[str, Any] | None]:
    """Prove that the token is accepted.

    :return: its account; None if the token is accepted, but its account is not visible
    :raises AuthenticationError: if the token is not accepted
    :raises NotOfferedError: if no endpoint exists below the base URL
    """
    missing: SelfHostedError
    try:
        return (yield from get_current())
    except PermissionDeniedError:
        return None
    except (NotFoundError, InvalidRequestError) as error:  # before API version 22
        missing = error
    for path in PATHS_OF_ALL_VERSIONS:
        try:
            with suppress(PermissionDeniedError):  # the token is accepted, only without this permission
                unwrap((yield Request("GET", path)))  # rejects the page of another server
            return None
        except NotOfferedError as error:
            missing = error
    raise missing
