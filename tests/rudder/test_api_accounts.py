"""Tests of rudder/api/accounts.py: the proof that a token is accepted, on all versions of Rudder."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Reply
from self_hosted.rudder.api import accounts
from self_hosted.rudder.errors import NotOfferedError
from tests.rudder.flows import finish, finish_with_error, first_request, request_after_error

OLD_SERVER = NotFoundError("no account token")
NOT_OFFERED = NotOfferedError("no such address")
NOT_ALLOWED = PermissionDeniedError("not allowed")


def test_the_account_proves_the_token() -> None:
    flow = accounts.verify_token()
    request = first_request(flow)
    assert request.target == "/apiaccounts/token"
    assert finish(flow, request, {"accounts": [{"id": "airflow"}]}) == {"id": "airflow"}


@pytest.mark.parametrize("error", [OLD_SERVER, InvalidRequestError("no such version"), NOT_OFFERED])
def test_on_an_older_server_another_endpoint_proves_the_token(error: Exception) -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, error)
    assert request.target == "/info"
    assert finish(flow, request, {}) is None


def test_a_missing_permission_proves_the_token() -> None:
    flow = accounts.verify_token()
    next(flow)
    assert finish_with_error(flow, NOT_ALLOWED) is None


def test_a_missing_permission_on_an_older_server_proves_the_token() -> None:
    flow = accounts.verify_token()
    next(flow)
    flow.throw(OLD_SERVER)
    assert finish_with_error(flow, NOT_ALLOWED) is None


def test_a_page_of_another_server_proves_nothing() -> None:
    flow = accounts.verify_token()
    next(flow)
    request = request_after_error(flow, OLD_SERVER)
    with pytest.raises(ServerError, match="not JSON"):
        flow.send(Reply(200, {"content-type": "text/html"}, b"<html>", request))


def test_a_server_without_any_of_the_endpoints_proves_nothing() -> None:
    flow = accounts.verify_token()
    next(flow)
    for _ in accounts.PATHS_OF_ALL_VERSIONS:
        flow.throw(NOT_OFFERED)
    with pytest.raises(NotOfferedError):
        flow.throw(NOT_OFFERED)
