"""API accounts: the account that a token belongs to."""

from __future__ import annotations

from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    SelfHostedError,
)
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.shape import check_shape
from self_hosted.rudder.api.shapes import Account
from self_hosted.rudder.errors import NotOfferedError, clean_texts, is_empty_success, unwrap

PATHS_OF_ALL_VERSIONS = (
    "/info",
    "/system/status",
    # an access list often allows single objects only: an error about a missing one proves the permission
    "/rules/airflow",
    "/nodes/airflow",
    "/compliance/rules/airflow",
    "/compliance/nodes/airflow",
    "/changeRequests",
    "/rules",
)
NOT_PERMITTED = (
    "the server accepts the token, but it may read none of rules, nodes, compliance and change requests: "
    "give the API account a permission"
)


def get_current() -> Flow[Account]:
    """Return the API account of the token in use (``GET /apiaccounts/token``, since API version 22).

    :return: Rudder's JSON: ``id``, ``name``, ``authorizationType``, ``expirationPolicy``, ... The account of a user has
        no ``authorizationType``
    :raises PermissionDeniedError: if the token is valid, but may not read its account
    :raises NotOfferedError: before API version 22, where "token" is the id of an account
    """
    reply = yield Request("GET", "/apiaccounts/token")
    accounts = unwrap(reply, "accounts")
    if accounts in ([], [None]):
        raise reply.error(NotOfferedError, "the server does not show the account of a token before API version 22")
    account = check_shape(reply, accounts, list[Account], "accounts")[0]
    return clean_texts(reply, account, ("name", "authorizationType"))


def verify_token() -> Flow[Account | None]:
    """Prove that the token is accepted, and has a permission.

    :return: its account; None if the token is accepted, but its account is not visible
    :raises AuthenticationError: if the token is not accepted
    :raises PermissionDeniedError: if the token has no permission that the operators and sensors use
    :raises NotOfferedError: if no endpoint exists below the base URL
    """
    try:
        return (yield from get_current())
    except (PermissionDeniedError, NotFoundError, InvalidRequestError) as error:
        # no permission to read the account, or a version before 22
        denied = error if isinstance(error, PermissionDeniedError) else None
        missing: SelfHostedError = error
    for path in PATHS_OF_ALL_VERSIONS:
        try:
            yield from _read_anything(path)
            return None
        except PermissionDeniedError as error:
            denied = error
        except NotOfferedError as error:
            missing = error
        except NotFoundError:
            return None
    if denied:
        raise PermissionDeniedError(NOT_PERMITTED, method=denied.method, path=denied.path, status=denied.status)
    raise missing


def _read_anything(path: str) -> Flow[None]:
    """Send a request, and reject the page of another server."""
    reply = yield Request("GET", path)
    if not is_empty_success(reply):
        unwrap(reply)
